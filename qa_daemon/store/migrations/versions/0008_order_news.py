"""orders that are told of after the images were judged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series", sa.Column("patient_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("series", sa.Column("study_date", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_series_patient_key"), "series", ["patient_key"])
    op.create_table(
        "order_news",
        sa.Column("patient_key", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "day", name=op.f("pk_order_news")),
    )
    op.create_index(op.f("ix_order_news_told_at"), "order_news", ["told_at"])
