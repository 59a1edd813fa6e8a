"""What Alembic runs: the migrations over the connection that `schema.upgrade` hands in.

From the shell (`alembic revision --autogenerate`) the database is the one of
QA_DAEMON_STORE_URL.
"""

import os
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from qa_daemon.store.database import Store
from qa_daemon.store.migrations.everything import metadata
from qa_daemon.store.tables import Received, Utc


def rendered(kind: str, item: Any, _context: object) -> str | Literal[False]:
    # A migration stands by itself: our own types may change, what lies in the database may not.
    if kind == "type" and isinstance(item, Received):
        return "sa.Text()"
    if kind == "type" and isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    # SQLite alters a table by copying it; `render_as_batch` writes migrations that do so.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=rendered,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Store(os.environ["QA_DAEMON_STORE_URL"], lock_timeout_s=5.0) as store:
        with store.writing() as connection:
            run(connection)
