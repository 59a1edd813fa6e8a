"""Two people, a sender and late objects, in any order, on either engine: the promises hold."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from qa_daemon.config.settings import Settings
from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import Accept, Defer, Refused, Reject, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.queue.deciding.undo import reverse, undo_finding, undo_last
from qa_daemon.records.decision import FINAL, RejectReason, Standing, Verb
from qa_daemon.records.states import SeriesState
from qa_daemon.store.database import Store
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.tables import change_sets, outbox
from qa_daemon.store.review.tables import acts
from qa_daemon.store.tables import decisions, findings, series
from tests.queue.deciding.conftest import GAP, SIDE, TURNED, At, Ward, seen
from tests.store.conftest import NOON, Cluster

Fresh = Callable[[], str]
PEOPLE = st.sampled_from(["ana", "bo"])
ANSWERS = st.sampled_from([Accept(), Accept(1), Reject(RejectReason.TEST), Defer()])
FINDINGS = st.integers(0, 2)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, prepared_sqlite: Path) -> Fresh:
    """Return a function that empties the database and returns its URL."""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        return cluster.prepared
    numbers = count()

    def copied() -> str:
        return f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / f'{next(numbers)}.sqlite')}"

    return copied


class Desks(RuleBasedStateMachine):
    """Each person has a store of their own, as two processes have."""

    def __init__(self, fresh: Fresh) -> None:
        super().__init__()
        url = fresh()
        self.stores = [Store(url, 5.0) for _ in range(2)]
        self.wards = {
            who: Ward(Desk(store, Settings()))
            for who, store in zip(("ana", "bo"), self.stores, strict=True)
        }
        self.now: datetime = NOON
        self.numbers = count()
        ward = self.wards["ana"]
        ward.with_settings(four_eyes=("laterality",))
        self.wards["bo"].with_settings(four_eyes=("laterality",))
        ward.judged("1.2.3.1", TURNED, GAP, SIDE)

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    def wish(self, who: str) -> Any:
        self.now += timedelta(seconds=1)
        return self.wards[who].wish(self.now, who, approves=True)

    def try_to(self, act: Callable[..., object], *arguments: object) -> None:
        """Do it twice with one request: the second time changes nothing, and tells the same."""
        try:
            first = act(*arguments)
        except Refused:
            return
        assert act(*arguments) == first

    @rule(who=PEOPLE, number=FINDINGS, answer=ANSWERS)
    def answer(self, who: str, number: int, answer: Any) -> None:
        ward = self.wards[who]
        rows = [row for row in ward.rows() if row.series_key]
        if number < len(rows):
            self.try_to(decide, ward.desk, [seen(rows[number])], answer, self.wish(who))

    @rule(who=PEOPLE)
    def answer_all(self, who: str) -> None:
        ward = self.wards[who]
        chosen = [seen(row) for row in ward.rows() if row.id in ward.open()]
        self.try_to(decide, ward.desk, chosen, Reject(RejectReason.TEST), self.wish(who))

    @rule(who=PEOPLE)
    def take_back_the_last(self, who: str) -> None:
        self.try_to(undo_last, self.wards[who].desk, self.wish(who))

    @rule(who=PEOPLE, number=FINDINGS)
    def take_back_or_reverse(self, who: str, number: int) -> None:
        ward = self.wards[who]
        rows = ward.rows()
        if number < len(rows):
            self.try_to(undo_finding, ward.desk, rows[number].id, self.wish(who))
            self.try_to(reverse, ward.desk, seen(rows[number]), self.wish(who))

    @rule(seconds=st.sampled_from([1, 30, 61]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(who=PEOPLE)
    def send(self, who: str) -> None:
        store = self.wards[who].store
        entry = delivery_rows.claim(store, self.now, 60)
        if entry is not None:
            assert delivery_rows.sent(store, entry, "taken", self.now)
            assert not delivery_rows.sent(store, entry, "taken", self.now)

    @rule()
    def receive_late(self) -> None:
        ward = self.wards["ana"]
        ward.receive("1.2.3.1", at=self.now)
        ward.judge(TURNED, GAP, SIDE, at=self.now)

    @invariant()
    def what_is_in_force_is_what_stands(self) -> None:
        with self.stores[0].reading() as connection:
            in_force: dict[int, list[Any]] = {}
            for row in connection.execute(select(decisions)):
                if row.undone_at is None and row.finding_id is not None:
                    in_force.setdefault(row.finding_id, []).append(row)
            for finding in connection.execute(select(findings)):
                rows = in_force.get(finding.id, [])
                counting = [row for row in rows if not row.is_first]
                assert len(counting) <= 1
                assert len(rows) - len(counting) <= 1
                is_final = any(Verb(row.verb) in FINAL for row in counting)
                assert is_final == (finding.standing == Standing.DECIDED)
                if finding.rule == SIDE.rule and is_final:
                    assert {row.who for row in rows} == {"ana", "bo"}

    @invariant()
    def nothing_leaves_early_and_nothing_undone_leaves(self) -> None:
        with self.stores[0].reading() as connection:
            joined = (
                select(outbox, acts.c.closes_at, acts.c.undone_at)
                .join(change_sets, change_sets.c.uid == outbox.c.change_set_uid)
                .join(acts, acts.c.id == change_sets.c.act_id)
            )
            for row in connection.execute(joined):
                assert row.due_at >= row.closes_at
                assert row.attempts == 0 or row.changed_at >= row.closes_at
                if row.undone_at is not None:
                    assert row.state == "withdrawn"

    @invariant()
    def a_series_is_decided_when_nothing_is_open(self) -> None:
        with self.stores[0].reading() as connection:
            state = connection.scalar(select(series.c.state))
        is_open = bool(self.wards["ana"].open())
        assert (state == SeriesState.WAITING) == is_open


def test_the_promises_hold_in_any_order(fresh: Fresh) -> None:
    class OfThisEngine(Desks):
        def __init__(self) -> None:
            super().__init__(fresh)

    few = bounds(max_examples=12, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(OfThisEngine, settings=few)


def test_of_many_who_answer_at_once_one_is_first(fresh: Fresh, at: At) -> None:
    url = fresh()
    with Store(url, 30.0) as one, Store(url, 30.0) as other:
        wards = [Ward(Desk(store, Settings())) for store in (one, other)]
        wards[0].judged("1.2.3.1", TURNED)
        (row,) = wards[0].rows()

        def answer(number: int) -> object:
            ward, who = wards[number % 2], f"p{number}"
            try:
                return decide(ward.desk, [seen(row)], Accept(), ward.wish(at(1), who))
            except Refused as refusal:
                return refusal.refusal.who

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(answer, range(6)))
        winners = [each for each in answers if not isinstance(each, str)]
        assert len(winners) == 1
        assert len(set(map(str, answers)) - set(map(str, winners))) == 1

        def answer_as_one(number: int) -> object:
            ward = wards[number % 2]
            wish = Wish(who="eva", number="same", at=at(2))
            return undo_finding(ward.desk, row.id, wish)

        with ThreadPoolExecutor(4) as pool:
            undone = list(pool.map(answer_as_one, range(4)))
        assert undone == [undone[0]] * 4
        with one.reading() as connection:
            assert len(connection.execute(select(decisions)).all()) == 1
            assert len(connection.execute(select(outbox)).all()) == 1
