"""What a report is about, said once for every form it takes."""

from collections.abc import Iterator

from attrs import frozen

from qa_daemon.records.finding import Finding, Suggestion, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series

INTENDED_USE = "Quality assurance of metadata; not a medical device."


@frozen
class SeriesReport:
    """One judged series."""

    series: Series
    inference: Inference
    verdict: Verdict


@frozen
class StudyReport:
    """What rules of level study say; its outcomes are those of each of its series too."""

    study_instance_uid: str
    verdict: Verdict


@frozen
class VisitReport:
    """What rules of level visit say about the studies of one visit, or of one medium."""

    study_instance_uids: tuple[str, ...]
    verdict: Verdict
    subject: str = "Visit"


def first_suggestions(verdict: Verdict) -> Iterator[tuple[Finding, Suggestion]]:
    """Yield each finding that has a suggestion, with the likeliest one, worst finding first."""
    for finding in verdict.findings:
        if finding.suggestion is not None:
            yield finding, finding.suggestion
