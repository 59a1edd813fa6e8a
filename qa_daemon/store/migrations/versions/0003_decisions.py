"""what people said of findings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "decisions",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("finding_id", wide, nullable=True),
        sa.Column("study_key", sa.Text(), nullable=False),
        sa.Column("series_key", sa.Text(), nullable=True),
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"],
            ["findings.id"],
            name=op.f("fk_decisions_finding_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["series_key"],
            ["series.series_key"],
            name=op.f("fk_decisions_series_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_autoincrement=True,
    )
    for column in ("finding_id", "issue_key", "series_key", "study_key"):
        op.create_index(op.f(f"ix_decisions_{column}"), "decisions", [column])
