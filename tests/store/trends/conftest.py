"""A decision as the queue makes it."""

from collections.abc import Callable
from datetime import datetime
from itertools import count

import pytest

from qa_daemon.config.settings import Settings
from qa_daemon.queue.deciding import answer
from qa_daemon.queue.deciding.answers import Answer, Seen, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingRow

_NUMBERS = count(1)


@pytest.fixture
def decide(store: Store) -> Callable[[FindingRow, Answer, datetime], None]:
    """Decide about a finding."""

    def say(row: FindingRow, said: Answer, at: datetime) -> None:
        wish = Wish(who="ana", number=str(next(_NUMBERS)), at=at)
        answer.decide(Desk(store, Settings()), [Seen(row.id, row.revision)], said, wish)

    return say
