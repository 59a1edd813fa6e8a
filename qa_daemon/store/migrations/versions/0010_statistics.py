"""scores of models; work items and who listens to them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("series_key", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("abstained", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_key"],
            ["series.series_key"],
            name=op.f("fk_scores_series_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_key", "target", name=op.f("pk_scores")),
    )
    op.create_index(op.f("ix_scores_target_model_at"), "scores", ["target", "model", "at"])
    op.create_table(
        "model_baselines",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", "model", name=op.f("pk_model_baselines")),
    )
    op.create_table(
        "workitems",
        sa.Column("finding_id", WIDE, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("performed", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"],
            ["findings.id"],
            name=op.f("fk_workitems_finding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_workitems")),
    )
    op.create_table(
        "workitem_events",
        sa.Column("id", WIDE, autoincrement=True, nullable=False),
        sa.Column("finding_id", WIDE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workitem_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_workitem_events_finding_id"), "workitem_events", ["finding_id"])
    op.create_table(
        "workitem_subscriptions",
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("finding_id", WIDE, autoincrement=False, nullable=False),
        sa.Column("user_id", WIDE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_workitem_subscriptions_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ae_title", "finding_id", name=op.f("pk_workitem_subscriptions")),
    )
    op.create_index(
        op.f("ix_workitem_subscriptions_user_id"), "workitem_subscriptions", ["user_id"]
    )
