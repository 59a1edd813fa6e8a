"""The loop of the worker: close what is due, lease a series, take it one step further."""

from datetime import UTC, datetime
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, InputError, RetryableError
from qa_daemon.pipeline import steps
from qa_daemon.pipeline.closing import Closing, pause_s
from qa_daemon.pipeline.previews.draw import Drawing
from qa_daemon.pipeline.steps import Bench, Interrupted
from qa_daemon.records.states import SeriesState
from qa_daemon.store import leases
from qa_daemon.store.leases import Lease, Terms
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

#: What the worker moves on; judging comes first, so that a series in hand is finished.
STATES: Final = (SeriesState.PREDICTED, SeriesState.SETTLED)
# A store or disk that fails is asked again after this, not in a tight loop.
TROUBLE_PAUSE_S: Final = 1.0


@define
class Worker:
    """Moves series on, turn by turn. One per database is enough, a second does no harm."""

    bench: Bench
    settings: Settings
    _closing: Closing = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing remembered."""
        self._closing = Closing(self.bench.store)

    def turn(self) -> float:
        """Do what is due now; return how long to rest before the next turn."""
        now = datetime.now(UTC)
        terms = Terms(
            lease_s=self.settings.worker.lease_s, attempts_max=self.settings.worker.attempts_max
        )
        try:
            following = self._closing.close_due(self.settings.assembly, now)
            for key in leases.give_up_exhausted(self.bench.store, STATES, terms, now):
                log.error(LogEvent.SERIES_QUARANTINED, series_key=key, reason="exhausted")
            if self._moved_on(SeriesState.PREDICTED, terms, now):
                return 0.0
            # Somebody may wait for the pictures of what was judged, nobody for what comes in.
            if Drawing(self.bench, self.settings).turn():
                return 0.0
            if self._moved_on(SeriesState.SETTLED, terms, now):
                return 0.0
        except Interrupted:
            return 0.0
        except RetryableError as error:
            log.error(LogEvent.STORE_LOCKED, cause=type(error).__name__)
            return TROUBLE_PAUSE_S
        return pause_s(following, datetime.now(UTC), self.settings.worker.poll_s)

    def _moved_on(self, state: SeriesState, terms: Terms, now: datetime) -> bool:
        """Take a series in this state one step further; False if there is none."""
        lease = leases.claim(self.bench.store, (state,), terms, now)
        if lease is None:
            return False
        self._step(lease, terms)
        return True

    def _step(self, lease: Lease, terms: Terms) -> None:
        """Take one step. The edge of the loop: one bad series must not stop the others."""
        try:
            steps.take(self.bench, lease, terms)
        except (Interrupted, ConfigurationError):
            raise  # not for the series to answer for
        except InputError as error:
            self._quarantined(lease, "input_error")
            leases.give_up(self.bench.store, lease, str(error), datetime.now(UTC))
        except RetryableError:
            self._failed(lease, terms, "unavailable")
        except Exception as error:  # noqa: BLE001  a bug ends this attempt, not the worker
            log.bug(error, series_key=lease.series_key)
            self._failed(lease, terms, "internal_error")

    def _failed(self, lease: Lease, terms: Terms, reason: str) -> None:
        log.warning(LogEvent.STEP_FAILED, series_key=lease.series_key, reason=reason)
        state = leases.fail(self.bench.store, lease, reason, terms, datetime.now(UTC))
        if state is SeriesState.QUARANTINED:
            self._quarantined(lease, reason)

    def _quarantined(self, lease: Lease, reason: str) -> None:
        log.error(LogEvent.SERIES_QUARANTINED, series_key=lease.series_key, reason=reason)
