"""issues of one fingerprint, and what stations usually write."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issues",
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issue_key", name=op.f("pk_issues")),
    )
    op.create_table(
        "observations",
        sa.Column("series_key", sa.Text(), nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("practice_key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_key"],
            ["series.series_key"],
            name=op.f("fk_observations_series_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_key", "keyword", name=op.f("pk_observations")),
    )
    op.create_index(op.f("ix_observations_practice_key_at"), "observations", ["practice_key", "at"])
    # Findings of before have no issue: it shows once their series is judged again.
    op.add_column("findings", sa.Column("issue_key", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_findings_issue_key"), "findings", ["issue_key"])
