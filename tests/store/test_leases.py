"""Every step is done by one worker, and a worker that slept writes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from qa_daemon.records.finding import Outcomes, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows, series_rows, tables
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Lease, Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import Judgement

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
STEPS = (SeriesState.SETTLED, SeriesState.PREDICTED)
PASSED = Judgement(event=SeriesEvent.PASS, verdict=Verdict((), Outcomes()))


def settled(store: Store, sender: Any, now: datetime, number: int = 1) -> list[str]:
    """Record that many series, settle them and return their keys in the order of arrival."""
    for index in range(number):
        record(store, [sender.receipt(f"1.2.3.{index}")], now + timedelta(seconds=index))
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    return [tables.series_key("1.2.3", f"1.2.3.{index}") for index in range(number)]


def state_of(store: Store, key: str) -> SeriesState:
    row = series_rows.series_row(store, key)
    assert row is not None
    return row.state


def test_the_series_that_waited_longest_comes_first_and_only_once(
    store: Store, sender: Any, at: At
) -> None:
    keys = settled(store, sender, at(100), 3)
    taken = [leases.claim(store, STEPS, TERMS, at(200)) for _ in range(4)]
    assert [lease and lease.series_key for lease in taken] == [*keys, None]
    first = taken[0]
    assert first is not None
    assert (first.state, first.fence, first.attempts) == (SeriesState.SETTLED, 1, 1)
    assert first.until == at(260)
    assert leases.claim(store, [SeriesState.PREDICTED], TERMS, at(900)) is None


def test_a_lease_that_ran_out_is_taken_by_the_next_and_the_sleeper_writes_nothing(
    store: Store, sender: Any, at: At
) -> None:
    (key,) = settled(store, sender, at(0))
    sleeper = leases.claim(store, STEPS, TERMS, at(0))
    assert leases.claim(store, STEPS, TERMS, at(59)) is None
    second = leases.claim(store, STEPS, TERMS, at(60))
    assert sleeper is not None
    assert second is not None
    assert (second.fence, second.attempts) == (2, 2)
    assert not result_rows.save_inference(store, sleeper, Inference(table_side="top"), at(61))
    assert leases.fail(store, sleeper, "asleep", TERMS, at(61)) is None
    assert leases.give_up(store, sleeper, "asleep", at(61)) is None
    assert leases.renew(store, sleeper, TERMS, at(61)) is None
    assert result_rows.result_of(store, key, 1) is None
    assert result_rows.save_inference(store, second, Inference(), at(62))
    assert not result_rows.save_inference(store, second, Inference(table_side="top"), at(63))
    assert state_of(store, key) is SeriesState.PREDICTED


def test_a_renewed_lease_holds_longer(store: Store, sender: Any, at: At) -> None:
    settled(store, sender, at(0))
    lease = leases.claim(store, STEPS, TERMS, at(0))
    assert lease is not None
    longer = leases.renew(store, lease, TERMS, at(50))
    assert longer == attrs.evolve(lease, until=at(110))
    assert leases.claim(store, STEPS, TERMS, at(109)) is None
    assert leases.claim(store, STEPS, TERMS, at(110)) is not None


def test_a_step_that_fails_is_tried_again_later_and_then_given_up(
    store: Store, sender: Any, at: At
) -> None:
    (key,) = settled(store, sender, at(0))
    answers = []
    for attempt in range(3):
        lease = leases.claim(store, STEPS, TERMS, at(100 * attempt))
        assert lease is not None
        answers.append(leases.fail(store, lease, "no disk", TERMS, at(100 * attempt + 1)))
        assert leases.fail(store, lease, "again", TERMS, at(100 * attempt + 2)) is None
        assert leases.claim(store, STEPS, TERMS, at(100 * attempt + 60)) is None
    assert answers == [SeriesState.SETTLED, SeriesState.SETTLED, SeriesState.QUARANTINED]
    row = series_rows.series_row(store, key)
    assert row is not None
    assert (row.state, row.reason) == (SeriesState.QUARANTINED, "no disk")


def test_attempts_count_per_step(store: Store, sender: Any, at: At) -> None:
    (key,) = settled(store, sender, at(0))
    assert leases.claim(store, STEPS, TERMS, at(0)) is not None
    lease = leases.claim(store, STEPS, TERMS, at(100))
    assert lease is not None
    assert lease.attempts == 2
    assert result_rows.save_inference(store, lease, Inference(), at(101))
    judging = leases.claim(store, STEPS, TERMS, at(102))
    assert judging is not None
    assert (judging.attempts, judging.state) == (1, SeriesState.PREDICTED)
    assert leases.give_up(store, judging, "unreadable", at(103)) is SeriesState.QUARANTINED
    assert state_of(store, key) is SeriesState.QUARANTINED


def test_a_series_that_kills_its_workers_is_given_up(store: Store, sender: Any, at: At) -> None:
    deadly, _harmless = settled(store, sender, at(0), 2)
    for attempt in range(3):
        assert leases.give_up_exhausted(store, STEPS, TERMS, at(100 * attempt)) == ()
        lease = leases.claim(store, STEPS, TERMS, at(100 * attempt))
        assert lease is not None
        assert lease.series_key == deadly
    other = leases.claim(store, STEPS, TERMS, at(300))
    assert other is not None
    assert other.series_key != deadly
    assert leases.give_up_exhausted(store, STEPS, TERMS, at(301)) == (deadly,)
    assert state_of(store, deadly) is SeriesState.QUARANTINED


def test_workers_at_once_take_each_series_once(store: Store, sender: Any, at: At) -> None:
    keys = settled(store, sender, at(0), 40)

    def work(_worker: int) -> list[str]:
        taken = []
        while lease := leases.claim(store, STEPS, TERMS, at(50)):
            taken.append(lease.series_key)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [key for part in pool.map(work, range(4)) for key in part]
    assert sorted(taken) == sorted(keys)


class TwoWorkers(RuleBasedStateMachine):
    """Two workers and a sender, in any order, beside a model of what must hold.

    A worker may sleep through its lease, write late, write twice, fail or be surprised by a late
    instance. Each step of each revision is done once.
    """

    workers = st.sampled_from(["left", "right"])
    numbers = st.integers(0, 2)

    def __init__(self, store: Store, sender: Any, now: datetime) -> None:
        super().__init__()
        self.store, self.sender, self.now = store, sender, now
        self.held: dict[str, Lease] = {}
        self.latest: dict[str, int] = {}  # series key -> fence of the lease that counts
        self.done: set[tuple[str, int, SeriesState]] = set()
        self.revisions: dict[str, int] = {}

    @initialize()
    def empty(self) -> None:
        with self.store.writing() as connection:
            for table in (tables.instances, tables.series):
                connection.execute(delete(table))

    @rule(number=numbers)
    def receive(self, number: int) -> None:
        (answer,) = record(self.store, [self.sender.receipt(f"1.2.3.{number}")], self.now)
        key = answer.series_key
        if answer.revision != self.revisions.get(key):
            self.latest.pop(key, None)
        assert answer.revision - self.revisions.get(key, 0) in {0, 1}
        self.revisions[key] = answer.revision

    @rule()
    def settle(self) -> None:
        for arrival in series_rows.arrivals(self.store):
            assert series_rows.settle(self.store, arrival, self.now)

    @rule(seconds=st.sampled_from([1, 30, 61]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        lease = leases.claim(self.store, STEPS, Terms(lease_s=60, attempts_max=99), self.now)
        if lease is not None:
            assert (lease.series_key, lease.revision, lease.state) not in self.done
            for other in self.held.values():
                if other.series_key == lease.series_key:
                    # Nobody else holds a lease of it that still counts and has not run out.
                    is_current = self.latest.get(other.series_key) == other.fence
                    assert not is_current or other.until <= self.now
            self.held[worker] = lease
            self.latest[lease.series_key] = lease.fence

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        lease = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        counts = self.latest.get(lease.series_key) == lease.fence
        if lease.state is SeriesState.SETTLED:
            written = result_rows.save_inference(self.store, lease, Inference(), self.now)
        else:
            written = result_rows.save_judgement(self.store, lease, PASSED, self.now)
        assert written == counts
        if written:
            del self.latest[lease.series_key]
            self.done.add((lease.series_key, lease.revision, lease.state))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        lease = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        terms = Terms(lease_s=60, attempts_max=99)
        answer = leases.fail(self.store, lease, "broke", terms, self.now)
        assert (answer is not None) == (self.latest.get(lease.series_key) == lease.fence)
        if answer is not None:
            del self.latest[lease.series_key]

    @invariant()
    def the_store_agrees(self) -> None:
        for row in series_rows.series_list(self.store, series_rows.SeriesFilter(), 10):
            assert row.revision == self.revisions[row.series_key]
            has_predicted = (row.series_key, row.revision, SeriesState.SETTLED) in self.done
            has_judged = (row.series_key, row.revision, SeriesState.PREDICTED) in self.done
            expected = {
                (False, False): {SeriesState.RECEIVING, SeriesState.SETTLED},
                (True, False): {SeriesState.PREDICTED},
                (True, True): {SeriesState.CLEAN},
            }
            assert row.state in expected[has_predicted, has_judged]


def test_two_workers_and_a_sender_in_any_order(store: Store, sender: Any, at: At) -> None:
    run_state_machine_as_test(
        lambda: TwoWorkers(store, sender, at(0)),  # type: ignore[arg-type]  # any factory does
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("event", [SeriesEvent.DECIDE, SeriesEvent.PREDICT])
def test_a_judgement_passes_or_flags(event: SeriesEvent) -> None:
    with pytest.raises(ValueError, match="event"):
        Judgement(event=event, verdict=PASSED.verdict)
