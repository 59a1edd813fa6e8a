"""Small sets made by hand, whose counts can be told by looking at them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from qa_daemon.trends.facts import DECIDED, Facts, FindingFact, Outcome, findings_in_columns

#: A Monday.
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def finding() -> Callable[..., FindingFact]:
    """Make a finding so many hours after `NOON`, decided an hour later if it is decided."""

    def make(hours: float, outcome: Outcome, rule: str = "A-1", **more: str) -> FindingFact:
        made_at = NOON + timedelta(hours=hours)
        decided_at = made_at + timedelta(hours=1) if outcome in DECIDED else None
        return FindingFact(
            made_at=made_at, rule=rule, outcome=outcome, decided_at=decided_at, **more
        )

    return make


@pytest.fixture
def columns() -> Callable[..., Facts]:
    """Turn findings to columns."""
    return lambda *found: findings_in_columns(found, (), UTC)
