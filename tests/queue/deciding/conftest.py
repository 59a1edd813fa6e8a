"""A desk on either engine, and series that have been judged."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
from attrs import define, evolve, field

from qa_daemon.config.export import DecisionSettings
from qa_daemon.config.settings import Settings
from qa_daemon.queue.deciding.answers import Seen, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.finding import Finding, Outcomes, Severity, Topic, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, FindingRow, Judgement
from qa_daemon.store.series_rows import SeriesFilter
from tests.store.conftest import (
    NOON,
    Sender,
    cluster,
    prepared_sqlite,
    store,
    url,
)
from tests.store.test_result_rows import GAP, TURNED

__all__ = ["GAP", "TURNED", "cluster", "prepared_sqlite", "store", "url"]

At = Callable[[float], datetime]
TERMS: Final = Terms(lease_s=60, attempts_max=3)
STATES: Final = (SeriesState.PREDICTED, SeriesState.SETTLED)
NOTE: Final = evolve(GAP, rule="GEOM-011", severity=Severity.INFO)
SIDE: Final = evolve(TURNED, rule="SIDE-001", topic=Topic.LATERALITY)


@define
class Ward:
    """A desk, what has been judged for it, and wishes with a new number each."""

    desk: Desk
    sender: Sender = field(factory=Sender)
    _numbers: Iterator[int] = field(factory=lambda: count(1))

    @property
    def store(self) -> Store:
        return self.desk.store

    def receive(self, series: str = "1.2.3.1", at: datetime = NOON) -> None:
        record(self.store, [self.sender.receipt(series, study=series.rpartition(".")[0])], at)

    def judge(self, *found: Finding, at: datetime = NOON, study: Verdict | None = None) -> None:
        """Take all that was received to its verdict."""
        for arrival in series_rows.arrivals(self.store):
            assert series_rows.settle(self.store, arrival, at)
        while lease := leases.claim(self.store, STATES, TERMS, at):
            if lease.state is SeriesState.SETTLED:
                assert result_rows.save_inference(self.store, lease, Inference(), at)
                continue
            verdict = Verdict(found, Outcomes())
            event = SeriesEvent.FLAG if verdict.above_info else SeriesEvent.PASS
            judgement = Judgement(event=event, verdict=verdict, study=study)
            assert result_rows.save_judgement(self.store, lease, judgement, at)

    def judged(self, series: str = "1.2.3.1", *found: Finding) -> None:
        self.receive(series)
        self.judge(*(found or (TURNED, GAP, NOTE)))

    def rows(self) -> list[FindingRow]:
        return list(result_rows.finding_list(self.store, FindingFilter(), 100))

    def whole(self, row: FindingRow) -> FindingRow:
        """Return it with its suggestions."""
        found = result_rows.finding_row(self.store, row.id)
        assert found is not None
        return found

    def row(self, rule: str) -> FindingRow:
        return next(row for row in self.rows() if row.finding.rule == rule)

    def open(self) -> set[int]:
        wanted = FindingFilter(severity_min=Severity.MINOR, is_open=True)
        return {row.id for row in result_rows.finding_list(self.store, wanted, 100)}

    def state(self, series: str = "1.2.3.1") -> SeriesState:
        listed = series_rows.series_list(self.store, SeriesFilter(), 100)
        return next(row.state for row in listed if row.series_instance_uid == series)

    def wish(self, at: datetime, who: str = "ana", *, approves: bool = False) -> Wish:
        return Wish(who=who, number=f"r{next(self._numbers)}", at=at, may_approve=approves)

    def with_settings(self, **changes: Any) -> None:
        """Decide by other settings from now on."""
        settings = evolve(self.desk.settings, decisions=DecisionSettings(**changes))
        self.desk.apply(settings)


def seen(row: FindingRow) -> Seen:
    return Seen(row.id, row.revision)


@pytest.fixture
def ward(store: Store) -> Ward:
    return Ward(Desk(store, Settings()))


@pytest.fixture
def at() -> At:
    """Return the time so many seconds after noon."""
    return lambda seconds: NOON + timedelta(seconds=seconds)
