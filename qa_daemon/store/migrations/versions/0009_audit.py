"""the audit as a chain, with whom each entry concerns."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("address", "patient_id", "patient_name", "study_instance_uid"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("audit", column)
    op.add_column("audit", sa.Column("outcome", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("audit", sa.Column("previous", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("chain", sa.Text(), nullable=True))
    op.create_index(op.f("ix_audit_previous"), "audit", ["previous"], unique=True)
    op.create_table(
        "audit_shipped",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_audit_shipped")),
    )
