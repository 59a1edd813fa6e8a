"""UIDs of one object, one series and one study against each other (PS3.5 9, PS3.3 C.12.1.1.1)."""

from typing import Final

from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, SeriesFacts, uids

_OF_THE_STANDARD: Final = "1.2.840.10008."


def _own(instance: Instance) -> tuple[str, ...]:
    """Return the UIDs that the maker of the object gave out."""
    return (
        instance.study_instance_uid,
        instance.series_instance_uid,
        instance.sop_instance_uid,
    )


@of_series
def uids_distinct(facts: SeriesFacts, _: Options) -> Answer:
    """Check that study, series, instance and frame of reference have a UID each.

    A frame of reference that is numbered as its study says that all series share it; untidy only.
    """
    whole = facts.series.instances
    twice = [each for each in whole if len(set(_own(each))) < len(_own(each))]
    if twice:
        return (Hit(sop_instance_uids=uids(twice, whole)),)
    framed = [e for e in whole if first_text(e.elements, "FrameOfReferenceUID") in _own(e)]
    if not framed:
        return PASSED
    message = "The Frame of Reference UID is that of the study, the series or the instance."
    return (Hit(message, uids(framed, whole), severity=Severity.INFO),)


@of_series
def uids_of_own_root(facts: SeriesFacts, _: Options) -> Answer:
    """Check that nobody numbers studies, series and instances under the root of the standard."""
    wrong = [
        each
        for each in facts.series.instances
        if any(uid.startswith(_OF_THE_STANDARD) for uid in _own(each))
    ]
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED


@of_series
def uids_used_once(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no instance of the series stands in another series of the study, too."""
    others = {each.sop_instance_uid for sibling in facts.siblings for each in sibling.instances}
    wrong = [each for each in facts.series.instances if each.sop_instance_uid in others]
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED
