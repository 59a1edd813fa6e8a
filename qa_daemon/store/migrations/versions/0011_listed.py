"""what lists show of findings, and how people like the queue."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXTS = ("modality", "station", "protocol", "calling_ae", "patient_name", "patient_id",
          "accession", "sought", "wording")  # fmt: skip
_LISTED = """
    SELECT f.id AS finding_id, f.issue_key, f.series_key, f.standing, f.wake_at, f.asked,
           f.severity, f.confidence, f.rule, f.topic, f.created_at AS found_at,
           i.modality, i.station, i.protocol, COALESCE(s.calling_ae, '') AS calling_ae,
           (SELECT MIN(o.series_key) FROM series o WHERE o.study_key = f.study_key) AS some_series
    FROM findings f JOIN issues i ON i.issue_key = f.issue_key
    LEFT JOIN series s ON s.series_key = f.series_key
    WHERE f.severity > 0 AND (f.series_key IS NULL OR f.revision = s.revision)
"""
_PERSON = ("PatientName", "PatientID", "AccessionNumber")


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime(timezone=True)
    op.create_table(
        "preferences",
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("changed_at", time, nullable=False),
        sa.PrimaryKeyConstraint("who", name=op.f("pk_preferences")),
    )
    op.add_column("issues", sa.Column("muted_left", sa.Integer(), nullable=True))
    op.add_column(
        "issues", sa.Column("muted_rises", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("issues", sa.Column("resolved_at", time, nullable=True))
    table = op.create_table(
        "listed",
        sa.Column("finding_id", wide, nullable=False),
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("series_key", sa.Text(), nullable=True),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("wake_at", time, nullable=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("look_first", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("found_at", time, nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["findings.id"], name=op.f("fk_listed_finding_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["series_key"],
            ["series.series_key"],
            name=op.f("fk_listed_series_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_listed")),
    )
    op.create_index(op.f("ix_listed_series_key"), "listed", ["series_key"])
    op.create_index("ix_listed_issue", "listed", ["issue_key", "found_at"])
    op.create_table(
        "lines",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("wake_at", time, nullable=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("calling_ae", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("look_first", sa.Integer(), nullable=False),
        sa.Column("first_at", time, nullable=False),
        sa.Column("last_at", time, nullable=False),
        sa.Column("finding_id", wide, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
    )
    op.create_index(op.f("ix_lines_issue_key"), "lines", ["issue_key"])
    _fill(table)
    op.execute(
        "INSERT INTO lines (issue_key, standing, wake_at, asked, rank, severity, calling_ae, "
        "count, look_first, first_at, last_at, finding_id) "
        "SELECT issue_key, standing, wake_at, asked, rank, severity, calling_ae, COUNT(*), "
        "MAX(look_first), MIN(found_at), MAX(found_at), MAX(finding_id) FROM listed "
        "GROUP BY issue_key, standing, wake_at, asked, rank, severity, calling_ae"
    )
    _date_resolutions()


def _fill(table: sa.Table) -> None:
    """List what was found before; whom it is of stands in the header of an image."""
    connection = op.get_bind()
    people: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(sa.text(_LISTED).columns(
        found_at=sa.DateTime(timezone=True), wake_at=sa.DateTime(timezone=True))).mappings().all():  # fmt: skip
        values = dict(row)
        key = values["series_key"] or values.pop("some_series", None) or ""
        values.pop("some_series", None)
        if key not in people:
            people[key] = _person(connection, key)
        name, patient_id, accession = people[key]
        topic = values.pop("topic")
        is_first = topic in {"orientation", "laterality", "identity", "order"}
        values |= {
            "patient_name": name,
            "patient_id": patient_id,
            "accession": accession,
            "sought": " ".join(
                f"{name} {patient_id} {accession}".replace("^", " ").casefold().split()
            ),
            "look_first": 0,
            "rank": 0 if is_first and values["severity"] >= 2 else 1,
            "wording": json.dumps({"rule": values["rule"]}),
        }
        connection.execute(table.insert().values(values))


def _person(connection: sa.Connection, series_key: str) -> tuple[str, ...]:
    one = sa.text(
        "SELECT header FROM instances WHERE series_key = :key AND header IS NOT NULL LIMIT 1"
    )
    text = connection.scalar(one, {"key": series_key})
    elements = json.loads(text).get("elements", {}) if text else {}
    return tuple(_first(elements, keyword) for keyword in _PERSON)


def _first(elements: dict[str, list[list[object]]], keyword: str) -> str:
    values = elements.get(keyword, ["", []])[1]
    return str(values[0])[:256] if values else ""


def _date_resolutions() -> None:
    connection = op.get_bind()
    ruled = sa.text("SELECT issue_key, ruling FROM issues WHERE ruling <> ''")
    for key, text in connection.execute(ruled).all():
        ruling = json.loads(text)
        if ruling.get("kind") == "resolve":
            resolved = sa.text("UPDATE issues SET resolved_at = :at WHERE issue_key = :key")
            at = sa.bindparam("at", type_=sa.DateTime(timezone=True))
            connection.execute(resolved.bindparams(at), {"at": _time(ruling["at"]), "key": key})


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else at
