"""The loop of outbound: what was judged and has no report file yet gets one."""

from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import DueReport
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

# Reports written between two looks at the signals.
BATCH_MAX: Final = 20
TROUBLE_PAUSE_S: Final = 2.0


@define
class Delivery:
    """Writes report files. Each is written at least once; a repetition writes the same again."""

    store: Store
    settings: Settings
    version: str
    # Over which a bug was met: they stay due for the next release, and hold nobody else up.
    _left: set[tuple[str, int]] = field(factory=set, init=False)

    def apply(self, settings: Settings) -> None:
        """Take new settings in force."""
        self.settings = settings

    def turn(self) -> float:
        """Write what is due; return how long to rest before the next turn."""
        try:
            due = result_rows.reports_due(self.store, BATCH_MAX + len(self._left))
        except RetryableError as error:
            log.error(LogEvent.STORE_LOCKED, cause=type(error).__name__)
            return TROUBLE_PAUSE_S
        due = tuple(each for each in due if (each.series_key, each.revision) not in self._left)
        for each in due:
            if not self._delivered(each):
                return TROUBLE_PAUSE_S
        return 0.0 if len(due) >= BATCH_MAX else self.settings.worker.poll_s

    def _delivered(self, due: DueReport) -> bool:
        """Write one report. The edge of the loop: one bad report must not stop the others."""
        try:
            self._write(due)
        except RetryableError as error:
            facts = {"series_key": due.series_key, "revision": due.revision}
            log.error(LogEvent.REPORT_UNWRITABLE, cause=type(error).__name__, **facts)
            return False
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001  see above
            log.bug(error, series_key=due.series_key)
            self._left.add((due.series_key, due.revision))
        return True

    def _write(self, due: DueReport) -> None:
        # Loaded with the first report: 0.4 s that the start of the service does not wait for.
        from qa_daemon.pipeline.reports import write_report  # noqa: PLC0415
        from qa_daemon.report.summary import SeriesReport  # noqa: PLC0415
        from qa_daemon.series.assemble import assemble  # noqa: PLC0415

        instances = instance_rows.instances_of(self.store, due.series_key, due.revision)
        series = assemble(instances, due.revision)
        report = SeriesReport(series, due.inference, due.verdict)
        write_report(self.settings.report_folder, report, rules=due.rule_pack, version=self.version)
        result_rows.report_written(self.store, due)
        log.info(LogEvent.REPORT_WRITTEN, series_key=due.series_key, revision=due.revision)
