"""What series write is kept per series and counted per station and protocol."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from qa_daemon.records.issue import Habit, Observation, Practice
from qa_daemon.store import series_rows, tables
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.recording import record
from qa_daemon.store.review import habit_rows

At = Callable[[float], datetime]
PRACTICE = Practice("CT", "CT1", "Abdomen")


def seen(store: Store, sender: Any, at: datetime, uid: str, *values: str) -> str:
    record(store, [sender.receipt(uid)], at)
    key = tables.series_key("1.2.3", uid)
    written = [Observation(f"K{number}", value) for number, value in enumerate(values)]
    with store.writing() as connection:
        habit_rows.replace(connection, key, PRACTICE, written, at)
    return key


def test_other_series_of_the_practice_are_counted(store: Store, sender: Any, at: At) -> None:
    seen(store, sender, at(0), "1.2.3.1", "HFS", "CHEST")
    seen(store, sender, at(10), "1.2.3.2", "HFS", "")
    own = seen(store, sender, at(20), "1.2.3.3", "FFS", "KNEE")
    habits = habit_rows.habits_of(store, PRACTICE, at(0), besides=own)
    assert habits == (Habit("K0", {"HFS": 2}), Habit("K1", {"": 1, "CHEST": 1}))
    assert habit_rows.habits_of(store, PRACTICE, at(5), besides=own) == (
        Habit("K0", {"HFS": 1}),
        Habit("K1", {"": 1}),
    )
    assert habit_rows.habits_of(store, Practice("CT", "CT2"), at(0), besides=own) == ()


def test_a_series_judged_again_is_counted_once(store: Store, sender: Any, at: At) -> None:
    seen(store, sender, at(0), "1.2.3.1", "HFS", "CHEST")
    seen(store, sender, at(10), "1.2.3.1", "FFS")
    habits = habit_rows.habits_of(store, PRACTICE, at(0), besides="")
    assert habits == (Habit("K0", {"FFS": 1}),)


def test_what_a_deleted_series_wrote_is_gone(store: Store, sender: Any, at: At) -> None:
    key = seen(store, sender, at(0), "1.2.3.1", "HFS")
    series_rows.remove_series(store, key, Operator("ana", at(1)))
    assert habit_rows.habits_of(store, PRACTICE, at(0), besides="") == ()
