"""Where else UIDs and orders of a series stand, how the station's clock goes, what studies have."""

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from qa_daemon.habits.clock import delay_min
from qa_daemon.habits.fingerprint import practice_of
from qa_daemon.habits.series_set import label_of, study_kind
from qa_daemon.orders.asked import keys_of
from qa_daemon.records.element import first_text
from qa_daemon.records.issue import Note
from qa_daemon.records.series import Elsewhere, Series, Stranger
from qa_daemon.rules.facts import Context
from qa_daemon.store import instance_rows, tables
from qa_daemon.store.database import Store
from qa_daemon.store.review import note_rows
from qa_daemon.store.review.note_rows import Span

#: Kinds of notes; the words stand in the store and are never changed.
ACCESSION: Final = "accession"
CLOCK: Final = "clock"
SERIES_UID: Final = "series_uid"
SET: Final = "series_set"

#: What a station did longer ago says little of how it is set up now.
HABIT_SPAN: Final = timedelta(days=90)
#: Order numbers come round after years.
ACCESSION_SPAN: Final = timedelta(days=365)
#: A UID is for ever; what is kept bounds the look back.
UID_SPAN: Final = timedelta(days=3660)
#: Of each kind; nobody reads more, and one is enough to fire.
FOUND_MAX: Final = 100
ARRIVALS_MAX: Final = 200


def notes_on(series: Series, received: datetime) -> tuple[Note, ...]:
    """Return what later series will look for."""
    study = tables.study_key(series.study_instance_uid)
    notes = [Note(SERIES_UID, (series.series_instance_uid,), study, received)]
    if patient := _patient(series):
        notes += [Note(ACCESSION, name, " ".join(patient), received) for name in _orders(series)]
    delay, station = delay_min(series, received), _station(series)
    if delay is not None and station is not None:
        notes.append(Note(CLOCK, station, str(delay), received))
    kind, label = study_kind(series), label_of(series)
    if kind is not None and label:
        notes.append(Note(SET, kind, label, received))
    return tuple(notes)


def recalled(store: Store, key: str, series: Series, context: Context) -> Context:
    """Return the context with what other series left, of those that came before this one."""
    now = context.received
    if now is None:
        return context
    habit = Span(besides=key, since=now - HABIT_SPAN, before=now, count_max=ARRIVALS_MAX)
    station, kind = _station(series), study_kind(series)
    clock = () if station is None else note_rows.notes_of(store, CLOCK, station, habit)
    return evolve(
        context,
        elsewhere=_elsewhere(store, key, series, now),
        delays=tuple(int(each.value) for each in clock),
        usual=None if kind is None else note_rows.set_of(store, SET, kind, habit),
    )


def _elsewhere(store: Store, key: str, series: Series, now: datetime) -> Elsewhere:
    span = Span(besides=key, since=now - UID_SPAN, before=now, count_max=FOUND_MAX)
    twice = note_rows.notes_of(store, SERIES_UID, (series.series_instance_uid,), span)
    studies = {each.study_instance_uid for each in twice} - {series.study_instance_uid}
    return Elsewhere(
        instance_rows.held_elsewhere(store, key, FOUND_MAX),
        tuple(sorted(studies)),
        _strangers(store, key, series, now),
    )


def _strangers(store: Store, key: str, series: Series, now: datetime) -> tuple[Stranger, ...]:
    patient = _patient(series)
    if patient is None:
        return ()
    span = Span(besides=key, since=now - ACCESSION_SPAN, before=now, count_max=FOUND_MAX)
    found: dict[str, Stranger] = {}
    for name in _orders(series):
        for each in note_rows.notes_of(store, ACCESSION, name, span):
            number, _, person = each.value.partition(" ")
            if number != patient[0]:
                is_same = person == patient[1]
                found[each.study_instance_uid] = Stranger(each.study_instance_uid, is_same)
    return tuple(found[uid] for uid in sorted(found))


def _orders(series: Series) -> tuple[tuple[str, ...], ...]:
    """Return number and issuer of the order that a series names; several are a group case."""
    keys = keys_of(series)
    return ((keys[0].accession_number, keys[0].issuer.namespace),) if len(keys) == 1 else ()


def _patient(series: Series) -> tuple[str, str] | None:
    """Return the keys of number and person; None where no number is said."""
    number = first_text(series.shared, "PatientID")
    if not number:
        return None
    name = " ".join(first_text(series.shared, "PatientName").upper().replace("^", " ").split())
    birth = first_text(series.shared, "PatientBirthDate")
    issuer = first_text(series.shared, "IssuerOfPatientID")
    person = tables.person_key(name, birth) if name and birth else ""
    return tables.patient_key(f"{number}^{issuer}" if issuer else number), person


def _station(series: Series) -> tuple[str, ...] | None:
    """Return modality and station; None where it names none."""
    practice = practice_of(series)
    return (practice.modality, practice.station) if practice.station else None
