"""The worker put together: store, spool, engine, and how a reload exchanges them."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date

from attrs import define, evolve

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.rulebook import today
from qa_daemon.pipeline.steps import Bench
from qa_daemon.pipeline.worker import Worker
from qa_daemon.spool.spool import Spool
from qa_daemon.store.database import Store
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import SiteText
from qa_daemon.telemetry.log import log


@define
class Shift:
    """A worker with the rules and models in force."""

    worker: Worker
    _engine: contextlib.ExitStack

    def turn(self) -> float:
        """Do what is due; return how long to rest."""
        if today() > self.worker.bench.engine.until:
            self._expire()
        return self.worker.turn()

    def _expire(self) -> None:
        """Read the rules anew, for a change or an exception of the site has expired."""
        try:
            self.apply(self.worker.settings)
        except ConfigurationError as error:
            # Somebody is at work on the rules; the old ones stay until the next reload.
            log.error(LogEvent.CONFIGURATION_REJECTED, message=SiteText(str(error)))
            kept = evolve(self.worker.bench.engine, until=date.max)
            self.worker.bench = evolve(self.worker.bench, engine=kept)

    def apply(self, settings: Settings) -> None:
        """Exchange settings, rules and models between two steps; the old ones stay if it fails."""
        stack = contextlib.ExitStack()
        fresh = stack.enter_context(engine(settings))
        self.worker.bench = evolve(self.worker.bench, engine=fresh)
        self.worker.settings = settings
        self._engine.close()
        self._engine = stack
        _say_what_is_in_force(self.worker.bench)


@contextlib.contextmanager
def working(settings: Settings, goes_on: Callable[[], None]) -> Iterator[Shift]:
    """Build the worker; its inference child ends with the block.

    Parameters
    ----------
    goes_on
        Called between the objects of a step; may raise `Interrupted`.
    """
    with (
        Store(settings.store_url, settings.store.lock_timeout_s) as store,
        Spool(settings.spool_folder, settings.limits) as spool,
        contextlib.ExitStack() as stack,
    ):
        bench = Bench(store, spool, stack.enter_context(engine(settings)), goes_on)
        _say_what_is_in_force(bench)
        shift = Shift(Worker(bench, settings), stack.pop_all())
        try:
            yield shift
        finally:
            shift._engine.close()  # noqa: SLF001  its own


def _say_what_is_in_force(bench: Bench) -> None:
    log.info(LogEvent.RULES_LOADED, rules=len(bench.engine.pack.enabled))
    for card in bench.engine.catalog.cards.values():
        log.info(LogEvent.MODEL_LOADED, model=card.name, target=card.target)
    for problem in bench.engine.catalog.problems:
        log.error(
            LogEvent.MODEL_UNAVAILABLE, message=SiteText(f"{problem.path}: {problem.message}")
        )
