"""What series said under names by which later ones find it: numbers, stations, kinds of study.

The rows lie beside the habits (`observations`), under the key of the name.
"""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, distinct, func, insert, select

from qa_daemon.records.issue import Note, UsualSet
from qa_daemon.store.database import Store
from qa_daemon.store.tables import note_key, observations, series

#: Labels of the series of one kind of study; a study has rarely more than 30.
LABELS_MAX = 200


@frozen
class Found:
    """A note that another series left."""

    value: str
    study_instance_uid: str


def add(connection: Connection, series_key: str, notes: Sequence[Note]) -> None:
    """Keep the notes of a series, whose earlier ones `habit_rows.replace` has removed."""
    rows = [
        {
            "series_key": series_key,
            "keyword": note.kind,
            "practice_key": note_key(note.kind, note.name),
            "value": note.value,
            "at": note.at,
        }
        for note in notes
    ]
    if rows:
        connection.execute(insert(observations), rows)


@frozen(kw_only=True)
class Span:
    """Which notes are looked at: those of other series than `besides`, from when to when."""

    besides: str
    since: datetime
    before: datetime
    count_max: int


def notes_of(store: Store, kind: str, name: tuple[str, ...], span: Span) -> tuple[Found, ...]:
    """Return the notes under a name, the latest first."""
    statement = (
        select(observations.c.value, series.c.study_instance_uid)
        .join(series, series.c.series_key == observations.c.series_key)
        .where(
            observations.c.practice_key == note_key(kind, name),
            observations.c.series_key != span.besides,
            observations.c.at >= span.since,
            observations.c.at < span.before,
        )
        .order_by(observations.c.at.desc(), observations.c.series_key)
        .limit(span.count_max)
    )
    with store.reading() as connection:
        return tuple(Found(*row) for row in connection.execute(statement))


def set_of(store: Store, kind: str, name: tuple[str, ...], span: Span) -> UsualSet:
    """Return how many other studies left notes under a name, and how many of them each value."""
    own = select(series.c.study_key).where(series.c.series_key == span.besides).scalar_subquery()
    studies = func.count(distinct(series.c.study_key))
    joined = observations.join(series, series.c.series_key == observations.c.series_key)
    here = (
        observations.c.practice_key == note_key(kind, name),
        series.c.study_key != own,
        observations.c.at >= span.since,
        observations.c.at < span.before,
    )
    labels = (
        select(observations.c.value, studies)
        .select_from(joined)
        .where(*here)
        .group_by(observations.c.value)
        .order_by(studies.desc(), observations.c.value)
        .limit(LABELS_MAX)
    )
    with store.reading() as connection:
        count = connection.scalar(select(studies).select_from(joined).where(*here)) or 0
        return UsualSet(count, {row[0]: row[1] for row in connection.execute(labels)})
