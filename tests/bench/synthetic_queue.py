"""A database full of findings that nobody ever had: SYNTHETIC patients, drawn by a fixed seed."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert

from qa_daemon.language.wording import wording_of
from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    Level,
    Scope,
    Severity,
    Suggestion,
    Topic,
)
from qa_daemon.records.issue import Fingerprint, Practice
from qa_daemon.store import documents, tables
from qa_daemon.store.database import Store
from qa_daemon.store.listing.listed_rows import rank_of, recount, sought

#: Rule, topic, severity, element, what stands there, what would be written, share of all findings.
KINDS: Final = (
    ("ORIENT-005", Topic.ORIENTATION, Severity.CRITICAL, "ImageOrientationPatient", "", "", 2),
    ("LATERALITY-010", Topic.LATERALITY, Severity.MAJOR, "Laterality", "R", "L", 3),
    ("IDENTITY-002", Topic.IDENTITY, Severity.CRITICAL, "", "", "", 1),
    ("REGION-001", Topic.BODY_PART, Severity.MAJOR, "BodyPartExamined", "HAND", "SHOULDER", 16),
    ("REGION-003", Topic.BODY_PART, Severity.MINOR, "BodyPartExamined", "CHEST", "ABDOMEN", 20),
    ("VIEW-004", Topic.VIEW, Severity.MAJOR, "ViewPosition", "AP", "LL", 8),
    ("GEOM-006", Topic.COMPLETENESS, Severity.MINOR, "", "", "", 12),
    ("LATERALITY-003", Topic.LATERALITY, Severity.MINOR, "Laterality", "", "L", 20),
    ("UID-001", Topic.UID, Severity.MINOR, "", "", "", 18),
)
MODALITIES: Final = ("CT", "MR", "CR", "DX", "US")
STATIONS_COUNT: Final = 40
PROTOCOLS_COUNT: Final = 12
#: Findings lie so many days back, most of them late.
DAYS: Final = 60
BATCH: Final = 2_000


def fill(store: Store, findings_count: int, now: datetime, seed: int = 12) -> None:
    """Fill a database that has its schema with findings in series of their own."""
    chance = random.Random(seed)  # noqa: S311  data for a benchmark
    noted: set[str] = set()
    batch: dict[str, list[dict[str, Any]]] = {}
    for number in range(1, findings_count + 1):
        for table, row in _rows(number, chance, now, noted):
            batch.setdefault(table, []).append(row)
        if number % BATCH == 0 or number == findings_count:
            with store.writing() as connection:
                _write(connection, batch)
            batch = {}
    with store.taking_turns() as connection:
        recount(connection, noted)


def _write(connection: Connection, batch: dict[str, list[dict[str, Any]]]) -> None:
    for name in ("series", "issues", "findings", "suggestions", "listed"):
        if batch.get(name):
            connection.execute(insert(tables.metadata.tables[name]), batch[name])


def _rows(
    number: int, chance: random.Random, now: datetime, noted: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = chance.choices(KINDS, weights=[each[-1] for each in KINDS])[0]
    finding = _finding(kind, chance)
    station = chance.randrange(STATIONS_COUNT)
    practice = Practice(
        MODALITIES[station % len(MODALITIES)],
        f"SYN-{station:02d}",
        f"PROTOCOL {chance.randrange(PROTOCOLS_COUNT)}",
    )
    at = now - timedelta(days=DAYS * chance.random() ** 2)
    series = _series(number, practice, at)
    key = tables.issue_key(Fingerprint(finding.rule, practice, kind[3]))
    yield "series", series
    if key not in noted:
        noted.add(key)
        yield "issues", _issue(key, finding, practice, at)
    yield "findings", _finding_row(number, finding, series, key)
    if finding.suggestion is not None:
        yield "suggestions", _suggestion(number, finding, at)
    yield "listed", _listed(number, finding, key, practice, series)


def _finding(kind: Any, chance: random.Random) -> Finding:
    rule, topic, severity, attribute, current, proposed, _ = kind
    suggestion = None
    if attribute:
        change = Change(
            scope=Scope.SERIES,
            action=Action.REPLACE,
            attribute=attribute,
            tag="00180015",
            path=attribute,
            vr="CS",
            current=(current,) if current else (),
            proposed=(proposed,),
        )
        suggestion = Suggestion((change,), confidence=0.97)
    evidence = {"body_region": f"{proposed} 0.970", f"tag.{attribute}": current} if current else {}
    if rule == "ORIENT-005":
        evidence = {"turn between them": chance.choice(["4 (mirrored)", "2 (half)", "1 (quarter)"])}
    return Finding(
        rule=rule,
        topic=topic,
        severity=severity,
        level=Level.SERIES,
        message=f"Synthetic finding of {rule}.",
        confidence=round(chance.uniform(0.8, 0.999), 3),
        evidence=evidence,
        suggestion=suggestion,
    )


def _series(number: int, practice: Practice, at: datetime) -> dict[str, Any]:
    uid = f"2.25.{number}"
    return {
        "series_key": tables.series_key(uid, f"{uid}.1"),
        "study_key": tables.study_key(uid),
        "visit_key": "",
        "study_instance_uid": uid,
        "series_instance_uid": f"{uid}.1",
        "modality": practice.modality,
        "calling_ae": f"AE_{practice.station[-2:]}",
        "state": "waiting",
        "state_since": at,
        "revision": 1,
        "first_received_at": at,
        "begun_at": at,
        "last_received_at": at,
        "instance_count": 1,
        "lease_until": None,
        "lease_fence": 0,
        "attempts": 0,
        "reason": "",
    }


def _issue(key: str, finding: Finding, practice: Practice, at: datetime) -> dict[str, Any]:
    return {
        "issue_key": key,
        "rule": finding.rule,
        "modality": practice.modality,
        "station": practice.station,
        "protocol": practice.protocol,
        "change": "",
        "severity": finding.severity.value,
        "message": finding.message,
        "ruling": "",
        "muted_until": None,
        "noted_at": at,
    }


def _finding_row(number: int, finding: Finding, series: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        "id": number,
        "study_key": series["study_key"],
        "series_key": series["series_key"],
        "revision": 1,
        "fingerprint": f"{number:064d}",
        "issue_key": key,
        "rule": finding.rule,
        "topic": finding.topic.value,
        "severity": finding.severity.value,
        "level": finding.level.value,
        "message": finding.message,
        "confidence": finding.confidence,
        "document": documents.written(finding),
        "created_at": series["first_received_at"],
    }


def _suggestion(number: int, finding: Finding, at: datetime) -> dict[str, Any]:
    return {
        "finding_id": number,
        "rank": 0,
        "hypothesis": None,
        "confidence": 0.97,
        "state": "open",
        "document": documents.written(finding.suggestion),
        "changed_at": at,
    }


def _listed(
    number: int, finding: Finding, key: str, practice: Practice, series: dict[str, Any]
) -> dict[str, Any]:
    name, patient_id, accession = f"SYNTHETIC^NR {number}", f"SYN-{number:06d}", f"SYN{number:08d}"
    return {
        "finding_id": number,
        "issue_key": key,
        "series_key": series["series_key"],
        "standing": "open",
        "wake_at": None,
        "asked": "",
        "rank": rank_of(finding),
        "look_first": 0,
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "rule": finding.rule,
        "modality": practice.modality,
        "station": practice.station,
        "protocol": practice.protocol,
        "calling_ae": series["calling_ae"],
        "patient_name": name,
        "patient_id": patient_id,
        "accession": accession,
        "sought": sought(f"{name} {patient_id} {accession}"),
        "wording": documents.written(wording_of(finding)),
        "found_at": series["first_received_at"],
    }
