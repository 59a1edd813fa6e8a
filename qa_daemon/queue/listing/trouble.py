"""The banner that says that something decided has not left, in the words of the place."""

from typing import Any

from qa_daemon.language.speech import Speech
from qa_daemon.queue.listing.shown import printable
from qa_daemon.records.change_set import EntryState
from qa_daemon.store.database import Store
from qa_daemon.store.outbox import delivery_rows


def trouble_told(store: Store, speech: Speech) -> dict[str, Any] | None:
    """Return what a banner says of what does not leave; None while all does.

    The place, its own words, how often it was tried, and when it is tried next.
    """
    found = delivery_rows.trouble(store)
    if found.latest is None:
        return None
    count = found.refused_count + found.retried_count
    is_parked = found.latest.state is EntryState.REFUSED
    due_at = "" if is_parked else speech.moment(found.latest.due_at)
    return {
        "title": speech.count(
            "Export failed: {count} change set has not left.",
            "Export failed: {count} change sets have not left.",
            count,
        ),
        "place": found.latest.channel,
        "answer": printable(found.latest.answer, whole=True),
        "attempts": found.latest.attempts,
        "next": due_at,
    }
