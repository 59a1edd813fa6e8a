"""The rows that lists are made of, written wherever findings come, go, or are decided."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import field, frozen
from sqlalchemy import Connection, delete, func, insert, select, update

from qa_daemon.language.wording import wording_of
from qa_daemon.records.finding import Finding, Severity, Topic
from qa_daemon.records.issue import Practice
from qa_daemon.store import documents
from qa_daemon.store.database import parts
from qa_daemon.store.listing.tables import lines, listed
from qa_daemon.store.tables import findings

#: What may harm a patient if it stays: the wrong side, the wrong way round, the wrong person.
SAFETY: Final = frozenset({Topic.ORIENTATION, Topic.LATERALITY, Topic.IDENTITY, Topic.ORDER})
#: What a line is counted by.
_COUNTED_BY: Final = (
    "issue_key", "standing", "wake_at", "asked", "rank", "severity", "calling_ae"
)  # fmt: skip
#: As much of a name as a list shows and a search finds; hostile ones reach 64 KiB.
TEXT_LENGTH_MAX: Final = 256


@frozen(kw_only=True)
class Person:
    """Whom images are of, and the order that they name, as the images say it."""

    name: str = ""
    patient_id: str = ""
    accession: str = ""


@frozen(kw_only=True)
class Subject:
    """What findings are found in; all that a list says beside the finding.

    Attributes
    ----------
    look_first
        Whether a model of chests sorts it up; no diagnosis.
    """

    practice: Practice = field(factory=Practice)
    person: Person = field(factory=Person)
    calling_ae: str = ""
    look_first: bool = False


def rank_of(finding: Finding) -> int:
    """Return 0 for what is looked at first, else 1."""
    is_first = finding.topic in SAFETY and finding.severity >= Severity.MAJOR
    return 0 if is_first else 1


def note(
    connection: Connection, finding_id: int, finding: Finding, issue_key: str, subject: Subject
) -> None:
    """List a finding, or bring its line up to date; what nobody need decide is not listed."""
    if finding.severity <= Severity.INFO:
        return
    own = listed.c.finding_id == finding_id
    values = _values(finding, issue_key, subject)
    if connection.execute(update(listed).where(own).values(values)).rowcount:
        return
    columns = [findings.c[name] for name in ("series_key", "standing", "wake_at", "asked")]
    statement = select(*columns, findings.c.created_at).where(findings.c.id == finding_id)
    row = connection.execute(statement).one()
    standing = {
        "finding_id": finding_id,
        "series_key": row.series_key,
        "standing": row.standing,
        "wake_at": row.wake_at,
        "asked": row.asked,
        "found_at": row.created_at,
    }
    connection.execute(insert(listed).values(values | standing))


def follow(connection: Connection, finding_ids: Iterable[int]) -> None:
    """Let lists follow how findings stand with people."""
    ids = list(finding_ids)
    copied = ("standing", "wake_at", "asked")
    for part in parts(ids):
        own = listed.c.finding_id.in_(part)
        said = {
            name: select(findings.c[name])
            .where(findings.c.id == listed.c.finding_id)
            .scalar_subquery()
            for name in copied
        }
        connection.execute(update(listed).where(own).values(said))
    recount(connection, keys_of(connection, ids))


def supersede(connection: Connection, series_keys: Sequence[str]) -> None:
    """Take off what was found in revisions to which images have come since."""
    own = listed.c.series_key.in_(series_keys)
    touched = set(connection.scalars(select(listed.c.issue_key).where(own).distinct()))
    connection.execute(delete(listed).where(own))
    recount(connection, touched)


def forget(connection: Connection, study_key: str) -> None:
    """Take off what was found in a whole study, or visit, that is to be forgotten."""
    ids = tuple(connection.scalars(select(findings.c.id).where(findings.c.study_key == study_key)))
    touched = keys_of(connection, ids)
    for part in parts(ids):
        connection.execute(delete(listed).where(listed.c.finding_id.in_(part)))
    recount(connection, touched)


def keys_of(connection: Connection, finding_ids: Iterable[int]) -> set[str]:
    """Return the issues of which lines speak of these findings."""
    keys: set[str] = set()
    for part in parts(finding_ids):
        own = select(listed.c.issue_key).where(listed.c.finding_id.in_(part)).distinct()
        keys.update(connection.scalars(own))
    return keys


def recount(connection: Connection, issue_keys: Iterable[str]) -> None:
    """Count the lines of some issues anew.

    In a transaction that takes turns: two at once would both put in what they counted.
    """
    by = [listed.c[name] for name in _COUNTED_BY]
    for part in parts(sorted(set(issue_keys))):
        connection.execute(delete(lines).where(lines.c.issue_key.in_(part)))
        counted = (
            select(
                *by,
                func.count(),
                func.max(listed.c.look_first),
                func.min(listed.c.found_at),
                func.max(listed.c.found_at),
                func.max(listed.c.finding_id),
            )
            .where(listed.c.issue_key.in_(part))
            .group_by(*by)
        )
        columns = [*_COUNTED_BY, "count", "look_first", "first_at", "last_at", "finding_id"]
        connection.execute(insert(lines).from_select(columns, counted))


def _values(finding: Finding, issue_key: str, subject: Subject) -> dict[str, Any]:
    person, practice = subject.person, subject.practice
    name, patient_id, accession = (
        text[:TEXT_LENGTH_MAX] for text in (person.name, person.patient_id, person.accession)
    )
    return {
        "issue_key": issue_key,
        "rank": rank_of(finding),
        "look_first": int(subject.look_first),
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "rule": finding.rule,
        "modality": practice.modality[:TEXT_LENGTH_MAX],
        "station": practice.station[:TEXT_LENGTH_MAX],
        "protocol": practice.protocol[:TEXT_LENGTH_MAX],
        "calling_ae": subject.calling_ae,
        "patient_name": name,
        "patient_id": patient_id,
        "accession": accession,
        "sought": sought(f"{name} {patient_id} {accession}"),
        "wording": documents.written(wording_of(finding)),
    }


def sought(text: str) -> str:
    """Return a text as it is compared in a search: no case, and a name's parts as words."""
    return " ".join(text.replace("^", " ").replace("=", " ").casefold().split())
