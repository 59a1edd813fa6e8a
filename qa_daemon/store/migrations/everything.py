"""All tables of the store together: what the migrations lead to."""

from typing import Final

from qa_daemon.store import tables
from qa_daemon.store.accounts import tables as accounts

#: Each module declares its tables in the one metadata when it is imported.
DECLARED: Final = (tables, accounts)
metadata: Final = tables.metadata
