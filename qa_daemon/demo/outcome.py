"""What the service found in what the demo sent, and whether that is what was planted."""

import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Final

from attrs import frozen

from qa_daemon.demo.plan import Sending
from qa_daemon.errors import RetryableError
from qa_daemon.geometry.letters import edge_letters
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import displayed_values
from qa_daemon.pixels.image import read_image
from qa_daemon.records.finding import Change, Finding, Severity, Topic
from qa_daemon.records.states import SeriesState
from qa_daemon.report.picture import Caption, comparison
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow

JUDGED: Final = (SeriesState.CLEAN, SeriesState.WAITING, SeriesState.QUARANTINED)
WAIT_S: Final = 120.0
POLL_S: Final = 0.2


@frozen
class Outcome:
    """One series of the demo and what was found in it.

    Attributes
    ----------
    findings
        Those above info, of the series and of its study where the study was planted with something.
    """

    sending: Sending
    row: SeriesRow
    findings: tuple[Finding, ...]

    @property
    def is_as_planted(self) -> bool:
        """Whether every planted error was found; in a clean series, whether nothing was."""
        topics = {finding.topic for finding in self.findings}
        if not self.sending.expected:
            return not topics and self.row.state is SeriesState.CLEAN
        return self.sending.expected <= topics


def await_verdicts(
    store: Store, sendings: Sequence[Sending], tell: Callable[[int], None]
) -> tuple[Outcome, ...]:
    """Wait until every series is judged; `tell` is called with how many are.

    Raises
    ------
    RetryableError
        If they are not in time.
    """
    pause = threading.Event()
    end = monotonic() + WAIT_S
    while True:
        rows = _judged(store, sendings)
        tell(len(rows))
        if len(rows) == len(sendings):
            return tuple(_outcome(store, sending, rows) for sending in sendings)
        if monotonic() > end:
            raise RetryableError(
                f"{len(sendings) - len(rows)} series were not judged in {WAIT_S:.0f} s; "
                "the log of the service says why"
            )
        pause.wait(POLL_S)


def _judged(store: Store, sendings: Sequence[Sending]) -> dict[str, SeriesRow]:
    counts = {each.series_instance_uid: len(each.objects) for each in sendings}
    rows = series_rows.series_list(store, SeriesFilter(states=JUDGED), len(counts) * 2)
    return {
        row.series_instance_uid: row
        for row in rows
        if row.instance_count == counts.get(row.series_instance_uid)
    }


def _outcome(store: Store, sending: Sending, rows: Mapping[str, SeriesRow]) -> Outcome:
    row = rows[sending.series_instance_uid]
    verdict = result_rows.verdict_of(store, row.series_key, row.revision)
    findings = [] if verdict is None else list(verdict.findings)
    wanted = FindingFilter(study_instance_uid=row.study_instance_uid)
    findings += [
        each.finding for each in result_rows.finding_list(store, wanted, 100) if not each.series_key
    ]
    worth = tuple(finding for finding in findings if finding.severity > Severity.INFO)
    return Outcome(sending, row, worth)


def picture(store: Store, outcome: Outcome) -> bytes | None:
    """Return the PNG of an orientation finding, lettered as tagged and as suggested."""
    change = _orientation_change(outcome)
    if change is None or change.proposed is None or not change.current:
        return None
    instances = instance_rows.instances_of(store, outcome.row.series_key, outcome.row.revision)
    wanted = {instance.sop_instance_uid for instance in instances} & {change.sop_instance_uid}
    if not wanted:
        return None
    image = read_image(outcome.sending.objects[0], Limits())
    grey = displayed_values(image, decode_frame(image, 1))
    tagged, suggested = (
        edge_letters(numbers[:3], numbers[3:])
        for numbers in (
            [float(str(value)) for value in values] for values in (change.current, change.proposed)
        )
    )
    about = "drawn phantom" if outcome.sending.is_synthetic else outcome.sending.source
    caption = Caption(
        title=f"{about}: {outcome.sending.done_to_it}, on purpose",
        subtitle="The stored picture, lettered by Image Orientation (Patient).",
        footer="R right, L left, A front, P back, H head, F feet of the patient. "
        "Quality assurance of metadata, not a medical device.",
    )
    return comparison(grey, tagged, suggested, caption)


def _orientation_change(outcome: Outcome) -> Change | None:
    for finding in outcome.findings:
        if finding.topic is Topic.ORIENTATION and finding.suggestion is not None:
            for change in finding.suggestion.changes:
                if change.attribute == "ImageOrientationPatient":
                    return change
    return None
