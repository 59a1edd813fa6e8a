"""people who sign in: users, sessions, tokens, links."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _wide() -> "sa.types.TypeEngine[int]":
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _user_reference(table: str, *, nullable: bool) -> "tuple[sa.schema.SchemaItem, ...]":
    return (
        sa.Column("user_id", _wide(), nullable=nullable),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
        ),
    )


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "users",
        sa.Column("id", _wide(), autoincrement=True, nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("identity_key", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("disabled_at", time, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", time, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name_key", name=op.f("uq_users_name_key")),
        sa.UniqueConstraint("identity_key", name=op.f("uq_users_identity_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("session_key", sa.Text(), nullable=False),
        *_user_reference("sessions", nullable=False),
        sa.Column("opened_at", time, nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_key", name=op.f("pk_sessions")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _wide(), autoincrement=True, nullable=False),
        sa.Column("token_key", sa.Text(), nullable=False),
        *_user_reference("tokens", nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("expires_at", time, nullable=True),
        sa.Column("used_at", time, nullable=True),
        sa.Column("revoked_at", time, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_key", name=op.f("uq_tokens_token_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "links",
        sa.Column("link_key", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        *_user_reference("links", nullable=True),
        sa.Column("created_at", time, nullable=False),
        sa.Column("expires_at", time, nullable=False),
        sa.Column("used_at", time, nullable=True),
        sa.PrimaryKeyConstraint("link_key", name=op.f("pk_links")),
    )
    for table in ("sessions", "tokens", "links"):
        op.create_index(op.f(f"ix_{table}_user_id"), table, ["user_id"])
