"""What was said last of a whole study, and of a whole visit."""

from sqlalchemy import select

from qa_daemon.records.finding import Outcomes, Verdict
from qa_daemon.store import documents, result_rows, tables
from qa_daemon.store.database import Store
from qa_daemon.store.tables import findings, series, study_results


def verdict_of_study(store: Store, study_instance_uid: str) -> Verdict | None:
    """Return what was said of a study, suggestions included; None if it was not judged."""
    return _verdict(store, tables.study_key(study_instance_uid))


def verdict_of_visit(store: Store, series_key: str) -> Verdict | None:
    """Return what was said of the visit of a series; None if there was nothing to compare."""
    own = select(series.c.visit_key).where(series.c.series_key == series_key)
    with store.reading() as connection:
        key = connection.scalar(own)
    return _verdict(store, key) if key else None


def _verdict(store: Store, key: str) -> Verdict | None:
    judged = select(study_results.c.outcomes).where(study_results.c.study_key == key)
    rows = (
        select(findings.c.id)
        .where(findings.c.study_key == key, findings.c.series_key.is_(None))
        .order_by(findings.c.severity.desc(), findings.c.rule, findings.c.id)
    )
    with store.reading() as connection:
        outcomes = connection.scalar(judged)
        numbers = connection.scalars(rows).all()
    if outcomes is None:
        return None
    whole = (result_rows.finding_row(store, number) for number in numbers)
    said = tuple(row.finding for row in whole if row is not None)
    return Verdict(said, documents.read(outcomes, Outcomes))
