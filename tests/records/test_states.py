"""The table of states holds what the house promises of it."""

import pytest

from qa_daemon.records.states import TRANSITIONS, SeriesEvent, SeriesState, sources

FINAL = {SeriesState.CLEAN, SeriesState.DELIVERED, SeriesState.QUARANTINED}
FROM_OUTSIDE = {
    SeriesEvent.LATE_INSTANCE,
    SeriesEvent.RECHECK,
    SeriesEvent.VISIT_NEWS,
    SeriesEvent.UNDO,
}
WORK = set(SeriesEvent) - FROM_OUTSIDE


@pytest.mark.parametrize("state", list(SeriesState))
def test_every_state_reaches_an_end(state: SeriesState) -> None:
    reached, last = {state}, set[SeriesState]()
    while reached != last:
        last = set(reached)
        reached |= {
            following
            for (origin, event), following in TRANSITIONS.items()
            if origin in last and event in WORK
        }
    assert reached & FINAL


@pytest.mark.parametrize("state", list(SeriesState))
def test_every_state_is_reached_from_the_first(state: SeriesState) -> None:
    reached = {SeriesState.RECEIVING}
    for _ in SeriesState:
        reached |= {to for (origin, _), to in TRANSITIONS.items() if origin in reached}
    assert state in reached


def test_a_late_instance_opens_every_state_but_receiving() -> None:
    assert set(sources(SeriesEvent.LATE_INSTANCE)) == set(SeriesState) - {SeriesState.RECEIVING}


def test_only_an_operator_takes_a_series_out_of_quarantine() -> None:
    leaving = {event for origin, event in TRANSITIONS if origin is SeriesState.QUARANTINED}
    assert leaving == {SeriesEvent.REQUEUE, SeriesEvent.LATE_INSTANCE}
