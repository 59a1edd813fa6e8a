"""The loop of outbound: what was judged and has no report file yet gets one."""

from typing import Final

from attrs import define

from qa_daemon.config.settings import Settings
from qa_daemon.errors import RetryableError
from qa_daemon.pipeline.reports import write_report
from qa_daemon.report.summary import SeriesReport
from qa_daemon.series.assemble import assemble
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

    def turn(self) -> float:
        """Write what is due; return how long to rest before the next turn."""
        try:
            due = result_rows.reports_due(self.store, BATCH_MAX)
            for each in due:
                self._write(each)
        except RetryableError as error:
            log.error(LogEvent.REPORT_UNWRITABLE, cause=type(error).__name__)
            return TROUBLE_PAUSE_S
        return 0.0 if len(due) == BATCH_MAX else self.settings.worker.poll_s

    def _write(self, due: DueReport) -> None:
        instances = instance_rows.instances_of(self.store, due.series_key, due.revision)
        series = assemble(instances, due.revision)
        report = SeriesReport(series, due.inference, due.verdict)
        write_report(self.settings.report_folder, report, rules=due.rule_pack, version=self.version)
        result_rows.report_written(self.store, due)
        log.info(LogEvent.REPORT_WRITTEN, series_key=due.series_key, revision=due.revision)
