"""acts, how findings stand with people, and what leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime(timezone=True)
    op.create_table(
        "acts",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("closes_at", time, nullable=True),
        sa.Column("undone_at", time, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.Column("undone_request_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sa.UniqueConstraint("request_key", name=op.f("uq_acts_request_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_acts_undone_request_key"), "acts", ["undone_request_key"])
    op.create_index(op.f("ix_acts_who_at"), "acts", ["who", "at"])
    op.create_table(
        "presences",
        sa.Column("finding_id", wide, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"],
            ["findings.id"],
            name=op.f("fk_presences_finding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("finding_id", "who", name=op.f("pk_presences")),
    )
    op.create_index(op.f("ix_presences_seen_at"), "presences", ["seen_at"])
    with op.batch_alter_table("decisions") as batch:
        batch.add_column(sa.Column("act_id", wide, nullable=True))
        batch.add_column(sa.Column("ended_by_act_id", wide, nullable=True))
        batch.add_column(sa.Column("is_first", sa.Integer(), nullable=False, server_default="0"))
        batch.create_foreign_key(op.f("fk_decisions_act_id"), "acts", ["act_id"], ["id"])
        batch.create_foreign_key(
            op.f("fk_decisions_ended_by_act_id"), "acts", ["ended_by_act_id"], ["id"]
        )
    op.create_index(op.f("ix_decisions_act_id"), "decisions", ["act_id"])
    op.create_index(op.f("ix_decisions_ended_by_act_id"), "decisions", ["ended_by_act_id"])
    op.create_table(
        "change_sets",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("act_id", wide, nullable=False),
        sa.Column("decision_id", wide, nullable=True),
        sa.Column("series_key", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["acts.id"], name=op.f("fk_change_sets_act_id")),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decisions.id"],
            name=op.f("fk_change_sets_decision_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_change_sets")),
    )
    for column in ("act_id", "decision_id", "series_key"):
        op.create_index(op.f(f"ix_change_sets_{column}"), "change_sets", [column])
    op.create_table(
        "outbox",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("change_set_uid", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", time, nullable=True),
        sa.Column("lease_fence", sa.Integer(), nullable=False),
        sa.Column("changed_at", time, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_set_uid"], ["change_sets.uid"], name=op.f("fk_outbox_change_set_uid")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_change_set_uid"), "outbox", ["change_set_uid"])
    op.create_index(op.f("ix_outbox_state_due_at"), "outbox", ["state", "due_at"])
    op.add_column(
        "findings", sa.Column("standing", sa.Text(), nullable=False, server_default="open")
    )
    op.add_column("findings", sa.Column("wake_at", time, nullable=True))
    op.add_column("findings", sa.Column("asked", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_findings_standing"), "findings", ["standing"])
    # What the decisions in force say of how findings stand.
    for standing, verbs in (("deferred", "'defer'"), ("decided", "'accept', 'reject'")):
        op.execute(
            f"UPDATE findings SET standing = '{standing}' WHERE id IN (SELECT finding_id "
            f"FROM decisions WHERE finding_id IS NOT NULL AND undone_at IS NULL "
            f"AND verb IN ({verbs}))"
        )
    # Each older decision is an act of its own, so that it can be undone as any other.
    op.execute(
        "INSERT INTO acts (request_key, who, at, verb, undone_at, undone_by, undone_request_key) "
        "SELECT 'decision ' || CAST(id AS TEXT), who, at, verb, undone_at, undone_by, '' "
        "FROM decisions"
    )
    op.execute(
        "UPDATE decisions SET act_id = (SELECT acts.id FROM acts "
        "WHERE acts.request_key = 'decision ' || CAST(decisions.id AS TEXT))"
    )
