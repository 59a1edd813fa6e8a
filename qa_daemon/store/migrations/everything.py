"""All tables of the store together: what the migrations lead to."""

from typing import Final

from qa_daemon.store import tables
from qa_daemon.store.accounts import tables as accounts
from qa_daemon.store.listing import tables as listing
from qa_daemon.store.outbox import tables as outbox
from qa_daemon.store.review import tables as review
from qa_daemon.store.trends import tables as trends
from qa_daemon.store.workitems import tables as workitems

#: Each module declares its tables in the one metadata when it is imported.
DECLARED: Final = (tables, accounts, listing, outbox, review, trends, workitems)
metadata: Final = tables.metadata
