"""Two people at one finding see each other. A hint only: the revision check is the lock."""

from datetime import datetime, timedelta
from typing import Final

from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.store.review import presence_rows
from qa_daemon.store.review.presence_rows import Presence

#: A page tells that it is open this often; one that missed three times is closed.
BEAT_S: Final = 10.0
GONE_AFTER: Final = timedelta(seconds=3 * BEAT_S)


def here(desk: Desk, finding_id: int, who: str, now: datetime) -> tuple[Presence, ...]:
    """Note that somebody has a finding before them; return who else has, oldest first."""
    return presence_rows.come(desk.store, finding_id, who, now, alive_since=now - GONE_AFTER)


def gone(desk: Desk, finding_id: int, who: str) -> None:
    """Note that somebody has gone on."""
    presence_rows.leave(desk.store, finding_id, who)
