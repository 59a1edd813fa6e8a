"""The worker put together: store, spool, engine, and how a reload exchanges them."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from attrs import define, evolve, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds.rulebook import today
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.previews.draw import sweep
from qa_daemon.pipeline.standing import is_news
from qa_daemon.pipeline.steps import Bench
from qa_daemon.pipeline.worker import Worker
from qa_daemon.predict.catalog import Catalog
from qa_daemon.spool.spool import Spool
from qa_daemon.store.database import Store
from qa_daemon.store.previews.folder import PreviewFolder
from qa_daemon.store.trends import score_rows
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import SiteText
from qa_daemon.telemetry.log import log
from qa_daemon.trends.drift import BIN_COUNT, Distribution

# A line of the log stays below the 4,000 characters that its filter lets pass.
SOURCES_PER_LINE: Final = 20


@define
class Shift:
    """A worker with the rules and models in force."""

    worker: Worker
    _engine: contextlib.ExitStack
    _told: set[str] = field(factory=set, init=False)

    def turn(self) -> float:
        """Do what is due; return how long to rest."""
        if today() > self.worker.bench.engine.until:
            self._expire()
        rest_s = self.worker.turn()
        refused = self.worker.bench.engine.predictor.refused
        for name in refused.keys() - self._told:
            self._told.add(name)
            log.error(LogEvent.MODEL_UNAVAILABLE, model=name, message=SiteText(refused[name]))
        return rest_s

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
        self._told.clear()
        _say_what_is_in_force(self.worker.bench, settings)
        _keep_what_cards_expect(self.worker.bench)


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
        sweep(store, PreviewFolder(settings.preview_folder))
        _say_what_is_in_force(bench, settings)
        _keep_what_cards_expect(bench)
        shift = Shift(Worker(bench, settings), stack.pop_all())
        try:
            yield shift
        finally:
            shift._engine.close()  # noqa: SLF001  its own


def _say_what_is_in_force(bench: Bench, settings: Settings) -> None:
    catalog = bench.engine.catalog
    log.info(LogEvent.RULES_LOADED, rules=len(bench.engine.pack.enabled))
    for card in catalog.cards.values():
        log.info(LogEvent.MODEL_LOADED, model=card.name, target=card.target)
    for card in catalog.shadows.values():
        log.info(LogEvent.MODEL_LOADED, model=card.name, target=card.target, kind="shadow")
    for problem in catalog.problems:
        log.error(
            LogEvent.MODEL_UNAVAILABLE, message=SiteText(f"{problem.path}: {problem.message}")
        )
    if catalog.cards and is_news(settings.state, bench.engine.models_digest):
        _say_what_they_saw(catalog)


def _keep_what_cards_expect(bench: Bench) -> None:
    """Keep how sure the cards say their models usually are; the pages open no model."""
    told = {
        (card.target, card.name): Distribution(card.scores)
        for card in bench.engine.catalog.cards.values()
        if len(card.scores) == BIN_COUNT
    }
    if told:
        score_rows.keep_baselines(bench.store, told)


def _say_what_they_saw(catalog: Catalog) -> None:
    """Name the data of the models and their licences, once for each set of models."""
    for card in catalog.cards.values():
        sources = [f"{source.name} ({source.licence})" for source in card.sources]
        for first in range(0, len(sources), SOURCES_PER_LINE):
            said = "; ".join(sources[first : first + SOURCES_PER_LINE])
            log.info(LogEvent.MODEL_SOURCES, model=card.name, message=SiteText(said))
