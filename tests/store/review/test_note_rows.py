"""Notes are found by name, of others, of a span, and go with their series."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from qa_daemon.records.issue import Habit, Note, Observation, Practice, UsualSet
from qa_daemon.store import series_rows, tables
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.recording import record
from qa_daemon.store.review import habit_rows, note_rows
from qa_daemon.store.review.note_rows import Found, Span

At = Callable[[float], datetime]
PRACTICE = Practice("CT", "CT1", "Abdomen")


def judged(store: Store, sender: Any, study: str, series: str, notes: Sequence[Note]) -> str:
    """Keep notes of a series as a judgement does; return its key."""
    record(store, [sender.receipt(series, study=study)], notes[0].at)
    key = tables.series_key(study, series)
    written = [Observation("PatientPosition", "HFS")]
    with store.writing() as connection:
        habit_rows.replace(connection, key, PRACTICE, written, notes[0].at)
        note_rows.add(connection, key, notes)
    return key


def span(at: At, besides: str = "", since: float = 0, before: float = 1000) -> Span:
    return Span(besides=besides, since=at(since), before=at(before), count_max=10)


def test_notes_under_a_name_are_found_the_latest_first(store: Store, sender: Any, at: At) -> None:
    for number, name in enumerate(("A1", "A1", "A2", "A1")):
        note = Note("accession", (name, ""), f"p{number}", at(number))
        judged(store, sender, f"1.{number}", f"1.{number}.1", [note])
    found = note_rows.notes_of(store, "accession", ("A1", ""), span(at))
    assert found == (Found("p3", "1.3"), Found("p1", "1.1"), Found("p0", "1.0"))
    own = tables.series_key("1.3", "1.3.1")
    found = note_rows.notes_of(store, "accession", ("A1", ""), span(at, own, 1, 3))
    assert found == (Found("p1", "1.1"),)
    assert note_rows.notes_of(store, "series_uid", ("A1", ""), span(at)) == ()
    assert note_rows.notes_of(store, "accession", ("A1", "RIS"), span(at)) == ()


def test_notes_are_no_habit_and_are_replaced_with_them(store: Store, sender: Any, at: At) -> None:
    for value in ("3", "5"):
        judged(store, sender, "1.2", "1.2.1", [Note("clock", ("CT", "CT1"), value, at(0))])
    found = note_rows.notes_of(store, "clock", ("CT", "CT1"), span(at))
    assert found == (Found("5", "1.2"),)
    habits = habit_rows.habits_of(store, PRACTICE, at(0), besides="")
    assert habits == (Habit("PatientPosition", {"HFS": 1}),)
    key = tables.series_key("1.2", "1.2.1")
    series_rows.remove_series(store, key, Operator("ana", at(1)))
    assert note_rows.notes_of(store, "clock", ("CT", "CT1"), span(at)) == ()


def test_studies_are_counted_once_for_each_label_and_the_own_is_none(
    store: Store, sender: Any, at: At
) -> None:
    kind = ("CT", "CT1", "ct thorax")
    for study in ("1.1", "1.2", "1.3"):
        for number, label in enumerate(("topogram", "thorax", "thorax")):
            if (study, label) != ("1.2", "topogram"):
                note = Note("series_set", kind, label, at(number))
                judged(store, sender, study, f"{study}.{number}", [note])
    own = tables.series_key("1.3", "1.3.0")
    found = note_rows.set_of(store, "series_set", kind, span(at, own))
    assert found == UsualSet(2, {"thorax": 2, "topogram": 1})
    assert note_rows.set_of(store, "series_set", ("MR", "", ""), span(at, own)) == UsualSet(0, {})
