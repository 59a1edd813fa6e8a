"""What the service found in what the demo sent, and whether that is what was planted."""

import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Final

import numpy as np
from attrs import frozen

from qa_daemon.demo.plan import Sending
from qa_daemon.errors import RetryableError
from qa_daemon.geometry.letters import edge_letters
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import displayed_values, grey_values
from qa_daemon.pixels.image import read_image
from qa_daemon.records.finding import Change, Finding, JsonValue, Topic, above_info
from qa_daemon.records.states import SeriesState
from qa_daemon.report.picture import Caption, Side, comparison
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow

JUDGED: Final = (SeriesState.CLEAN, SeriesState.WAITING, SeriesState.QUARANTINED)
WAIT_S: Final = 120.0
POLL_S: Final = 0.2
#: The window in which liver, bowel and muscle are told apart.
SOFT_TISSUE_HU: Final = (-160.0, 240.0)


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
    store: Store,
    sendings: Sequence[Sending],
    is_alive: Callable[[], bool],
    tell: Callable[[int], None],
) -> tuple[Outcome, ...]:
    """Wait until every series is judged; `tell` is called with how many are.

    Raises
    ------
    RetryableError
        If they are not in time, or the service is no more alive.
    """
    pause = threading.Event()
    end = monotonic() + WAIT_S
    while True:
        rows = _judged(store, sendings)
        tell(len(rows))
        # Reports are written by another process, a moment after the verdict.
        if len(rows) == len(sendings) and not result_rows.reports_due(store, 1):
            return tuple(_outcome(store, sending, rows) for sending in sendings)
        if monotonic() > end or not is_alive():
            waited = f"in {WAIT_S:.0f} s" if is_alive() else "before the service ended"
            raise RetryableError(
                f"{len(sendings) - len(rows)} of {len(sendings)} series were not judged {waited}; "
                "its log says why"
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
    return Outcome(sending, row, above_info(findings))


def picture(store: Store, outcome: Outcome) -> bytes | None:
    """Return the PNG of an orientation finding, lettered as tagged and as suggested."""
    found = _orientation_change(outcome)
    if found is None:
        return None
    finding, change = found
    instances = instance_rows.instances_of(store, outcome.row.series_key, outcome.row.revision)
    if change.sop_instance_uid not in {instance.sop_instance_uid for instance in instances}:
        return None
    image = read_image(outcome.sending.objects[0], Limits())
    frame = decode_frame(image, 1)
    if outcome.row.modality == "CT":
        grey = np.clip(grey_values(image, frame), *SOFT_TISSUE_HU)
    else:
        grey = displayed_values(image, frame)
    sending = outcome.sending
    sure = "" if finding.confidence is None else f"  ·  {finding.confidence:.0%} sure"
    caption = Caption(
        title=finding.message,
        subtitle=f"{sending.picture} ({sending.source})  ·  {sending.done_to_it}, on purpose{sure}",
        footer="R right, L left, A front, P back of the patient; filled where the two differ.   "
        "Quality assurance of metadata, not a medical device.",
    )
    return comparison(
        grey,
        _side("As tagged", change.current or ()),
        _side("As suggested", change.proposed or ()),
        caption,
    )


def _side(name: str, values: tuple[JsonValue, ...]) -> Side:
    numbers = [float(str(value)) for value in values]
    written = "\\".join(map(str, values))
    letters = edge_letters(numbers[:3], numbers[3:])
    return Side(name, f"Image Orientation (Patient)  {written}", letters)


def _orientation_change(outcome: Outcome) -> tuple[Finding, Change] | None:
    for finding in outcome.findings:
        if finding.topic is Topic.ORIENTATION and finding.suggestion is not None:
            for change in finding.suggestion.changes:
                is_whole = bool(change.current) and bool(change.proposed)
                if change.attribute == "ImageOrientationPatient" and is_whole:
                    return finding, change
    return None
