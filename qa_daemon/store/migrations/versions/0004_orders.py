"""orders, and the visits that series are of."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series", sa.Column("visit_key", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_series_visit_key"), "series", ["visit_key"])
    op.create_table(
        "orders",
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("patient_key", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_key", name=op.f("pk_orders")),
    )
    op.create_index(op.f("ix_orders_patient_key"), "orders", ["patient_key"])
    op.create_index(op.f("ix_orders_told_at"), "orders", ["told_at"])
    op.create_table(
        "order_lookups",
        sa.Column("visit_key", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("visit_key", name=op.f("pk_order_lookups")),
    )
