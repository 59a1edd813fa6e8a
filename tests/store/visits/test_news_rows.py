"""News of orders on both engines."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import update

from qa_daemon.records.assignment import Assignment, VisitMove, VisitOrder
from qa_daemon.records.finding import Finding, Level, Outcomes, Severity, Topic, Verdict
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import Judgement
from qa_daemon.store.series_rows import SeriesFilter, series_list
from qa_daemon.store.tables import series, series_key
from qa_daemon.store.visits import news_rows, order_rows
from tests.store.visits.test_order_rows import KNEE, of

At = Callable[[float], datetime]
OWN = series_key("1.2.3", "1.1")


@pytest.fixture
def judged(store: Store, sender: Any, at: At) -> Store:
    """A store with a series of the patient that was judged."""
    record(store, [of(sender.receipt("1.1"), "P1")], at(0))
    stands(store, SeriesState.CLEAN)
    return store


def stands(store: Store, state: SeriesState) -> None:
    with store.writing() as connection:
        connection.execute(update(series).values(state=state.value))


def test_news_are_carried_out_once(judged: Store, at: At) -> None:
    order_rows.keep(judged, [KNEE], at(1))
    assert news_rows.carry_out(judged, at(2), 10) == (1, (OWN,))
    (row,) = series_list(judged, SeriesFilter(), 10)
    assert row.state is SeriesState.PREDICTED
    assert news_rows.carry_out(judged, at(3), 10) == (0, ())


def test_a_series_that_a_verdict_about_the_visit_moves_is_judged_again_once(
    store: Store, sender: Any, at: At
) -> None:
    record(store, [of(sender.receipt("1.1"), "P1"), of(sender.receipt("1.2"), "P1")], at(0))
    moves = (VisitMove("1.1", 1, 0, 9.0), VisitMove("1.2", 0, 1, 9.0))
    told = Assignment("swap", (), (VisitOrder("A1"), VisitOrder("A2")), (), moves)
    swap = Finding("ORDER-020", Topic.ORDER, Severity.MAJOR, Level.VISIT, "x", assignment=told)
    for moving, state in (((swap,), SeriesState.PREDICTED), ((swap,), SeriesState.CLEAN),
                          ((), SeriesState.PREDICTED)):  # fmt: skip
        with store.writing() as connection:
            own = series.c.series_instance_uid == "1.1"
            connection.execute(update(series).where(own).values(state=SeriesState.PREDICTED.value))
            connection.execute(update(series).where(~own).values(state=SeriesState.CLEAN.value))
        lease = leases.claim(store, [SeriesState.PREDICTED], Terms(lease_s=60, attempts_max=9),
                             at(1000))  # fmt: skip
        assert lease is not None
        judgement = Judgement(event=SeriesEvent.PASS, verdict=Verdict((), Outcomes()),
                              visit=Verdict(moving, Outcomes()))  # fmt: skip
        assert result_rows.save_judgement(store, lease, judgement, at(1001))
        states = {
            row.series_instance_uid: row.state for row in series_list(store, SeriesFilter(), 9)
        }
        assert states == {"1.1": SeriesState.CLEAN, "1.2": state}


def test_many_orders_of_a_patient_are_one_piece_of_news(judged: Store, at: At) -> None:
    order_rows.keep(judged, [KNEE, evolve(KNEE, requested_procedure_id="R2")], at(1))
    assert news_rows.carry_out(judged, at(2), 10)[0] == 1


def test_news_come_in_portions(judged: Store, at: At) -> None:
    order_rows.keep(judged, [evolve(KNEE, patient_id=f"P{n}") for n in range(3)], at(1))
    counts = [news_rows.carry_out(judged, at(2), 2)[0] for _ in range(3)]
    assert counts == [2, 1, 0]


@pytest.mark.parametrize("state", [SeriesState.RECEIVING, SeriesState.SETTLED, SeriesState.DECIDED])
def test_what_is_still_to_be_judged_or_was_decided_stays(
    judged: Store, at: At, state: SeriesState
) -> None:
    stands(judged, state)
    order_rows.keep(judged, [KNEE], at(1))
    assert news_rows.carry_out(judged, at(2), 10) == (1, ())


def test_an_order_without_a_day_concerns_what_came_lately(judged: Store, at: At) -> None:
    order_rows.keep(judged, [evolve(KNEE, steps=())], at(1))
    late = at(60) + news_rows.ANY_DAY_BEFORE
    assert news_rows.carry_out(judged, late, 10) == (1, ())
    order_rows.keep(judged, [evolve(KNEE, steps=(), reason="fall")], at(1))
    soon = at(0) + news_rows.ANY_DAY_BEFORE - timedelta(hours=1)
    assert news_rows.carry_out(judged, soon, 10) == (1, (OWN,))
