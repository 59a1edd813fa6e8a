"""UIDs and order numbers that the store has in other studies, too (PS3.5 9, PS3.3 C.7.2.1)."""

from collections.abc import Sequence

from qa_daemon.records.finding import Severity
from qa_daemon.records.series import Elsewhere
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, NotEvaluated, SeriesFacts

_NO_STORE = NotEvaluated("no store to look in")
#: Studies named in a finding; the first ones lead to the others.
_NAMED_MAX = 5


@of_series
def instances_in_one_study(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no SOP Instance UID stands in another study, but for series moved as a whole."""
    known = facts.context.elsewhere
    if known is None:
        return _NO_STORE
    own = {each.sop_instance_uid for each in facts.series.instances}
    twice = tuple(uid for uid in known.instances if uid in own)
    if not twice:
        return PASSED
    count = "1 instance" if len(twice) == 1 else f"{len(twice)} instances"
    return (Hit(f"{count} of this series stand in a series of another study, too.", twice),)


@of_series
def series_in_one_study(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no other study has a series of this UID."""
    known = facts.context.elsewhere
    if known is None:
        return _NO_STORE
    if not known.studies:
        return PASSED
    return (Hit(evidence={"other studies": _named(known.studies)}),)


@of_series
def accession_of_one_patient(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the Accession Number is not that of another patient's images.

    One person under two numbers is an info: a merge, or another issuer.
    """
    known = facts.context.elsewhere
    if not facts.text("AccessionNumber"):
        return NotApplicable()
    if known is None:
        return _NO_STORE
    return _strangers(known)


def _strangers(known: Elsewhere) -> Answer:
    others = [each for each in known.strangers if not each.is_same_person]
    if others:
        studies = [each.study_instance_uid for each in others]
        return (Hit(evidence={"studies of the other": _named(studies)}),)
    if known.strangers:
        studies = [each.study_instance_uid for each in known.strangers]
        message = "Images of one order name one person under two Patient IDs."
        evidence = {"studies under the other": _named(studies)}
        return (Hit(message, evidence=evidence, severity=Severity.INFO),)
    return PASSED


def _named(studies: Sequence[str]) -> str:
    more = len(studies) - _NAMED_MAX
    return ", ".join(studies[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
