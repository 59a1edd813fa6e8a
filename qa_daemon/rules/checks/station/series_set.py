"""Which series the study has, against those that such studies usually have at this station."""

from qa_daemon.habits.series_set import lacking
from qa_daemon.habits.usual import SERIES_MIN, SHARE_MIN
from qa_daemon.rules.checks.registry import Options, number, of_study
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, NotEvaluated, StudyFacts


@of_study
def study_has_its_usual_series(facts: StudyFacts, options: Options) -> Answer:
    """Check that no series lacks that nearly all such studies had; studies_min, share_min."""
    usual = facts.context.usual
    if usual is None:
        return NotApplicable()
    studies_min = int(number(options, "studies_min", SERIES_MIN))
    if usual.study_count < studies_min:
        return NotEvaluated(f"{usual.study_count} earlier studies of this kind are too few")
    share_min = number(options, "share_min", SHARE_MIN)
    found = lacking(usual, facts.series, studies_min=studies_min, share_min=share_min)
    if not found:
        return PASSED
    evidence = {
        label: f"in {usual.counts[label]} of {usual.study_count} earlier studies" for label in found
    }
    named = ", ".join(f'"{label}"' for label in found)
    return (Hit(f"This station's studies of this kind usually have {named}.", evidence=evidence),)
