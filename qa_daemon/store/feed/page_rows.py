"""Findings page by page for programs: by their numbers, so that no row is missed or told twice."""

from datetime import datetime

from attrs import frozen
from sqlalchemy import select

from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter, FindingRow, findings_wanted, row_of_finding
from qa_daemon.store.tables import audit, findings


@frozen
class FindingPage:
    """Some findings, the latest first, and whether earlier ones follow."""

    rows: tuple[FindingRow, ...]
    has_more: bool


def finding_page(
    store: Store, wanted: FindingFilter, before_id: int | None, count_max: int
) -> FindingPage:
    """Return findings of current revisions whose number is below `before_id`."""
    statement = findings_wanted(wanted).order_by(findings.c.id.desc()).limit(count_max + 1)
    if before_id is not None:
        statement = statement.where(findings.c.id < before_id)
    with store.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    found = tuple(map(row_of_finding, rows[:count_max]))
    return FindingPage(found, len(rows) > count_max)


@frozen(kw_only=True)
class AuditLine:
    """One line of the audit."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str


@frozen
class AuditPage:
    """Some lines, the latest first, and whether earlier ones follow."""

    lines: tuple[AuditLine, ...]
    has_more: bool


def audit_page(store: Store, before_id: int | None, count_max: int) -> AuditPage:
    """Return lines of the audit whose number is below `before_id`."""
    columns = [audit.c[name] for name in ("id", "at", "who", "action", "subject", "detail")]
    statement = select(*columns).order_by(audit.c.id.desc()).limit(count_max + 1)
    if before_id is not None:
        statement = statement.where(audit.c.id < before_id)
    with store.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    lines = tuple(AuditLine(**row) for row in rows[:count_max])
    return AuditPage(lines, len(rows) > count_max)
