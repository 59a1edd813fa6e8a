"""What readers are not shown who may not see who patients are."""

from collections.abc import Iterable
from typing import Final

from attrs import evolve

from qa_daemon.records.finding import Change, Finding, Suggestion, Topic

#: Stands for a value; the reader sees that there is one.
HIDDEN: Final = "(hidden)"
#: Findings whose words may quote who a patient is, or which order is theirs.
_TOPICS: Final = frozenset((Topic.IDENTITY, Topic.ORDER, Topic.TIME))
#: Evidence that says it, by the beginning of its name.
_NAMES: Final = ("patient", "tag.patient", "order", "accession", "tag.accession", "other", "birth")
#: The group of the patient, and Accession Number.
_GROUP: Final = "0010"
_TAGS: Final = frozenset(("00080050",))


def without_patient(finding: Finding) -> Finding:
    """Return a finding without what tells who the patient is."""
    return evolve(
        finding,
        message=HIDDEN if finding.topic in _TOPICS else finding.message,
        evidence={
            name: HIDDEN if _tells(name) or finding.topic in _TOPICS else said
            for name, said in finding.evidence.items()
        },
        suggestion=None if finding.suggestion is None else _without(finding.suggestion),
        alternatives=tuple(map(_without, finding.alternatives)),
        assignment=None,  # it names orders and whose they are
    )


def _without(suggestion: Suggestion) -> Suggestion:
    return evolve(suggestion, changes=tuple(_hidden(suggestion.changes)))


def _hidden(changes: Iterable[Change]) -> Iterable[Change]:
    for change in changes:
        if change.tag.startswith(_GROUP) or change.tag in _TAGS or change.vr == "PN":
            yield evolve(
                change,
                current=change.current and (HIDDEN,),
                proposed=change.proposed and (HIDDEN,),
            )
        else:
            yield change


def _tells(name: str) -> bool:
    return name.casefold().startswith(_NAMES)
