"""What a series is judged beside: its study, its orders, how it came, what its station does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from attrs import evolve, frozen

from qa_daemon.errors import InputError
from qa_daemon.grounds.recalled import HABIT_SPAN, recalled
from qa_daemon.grounds.visit import VisitOrders
from qa_daemon.habits.fingerprint import practice_of
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import Context
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.review import habit_rows

# Other series of the study that are read as witnesses; a study has rarely more than 20.
SIBLINGS_MAX: Final = 50


@frozen
class Sources:
    """Where series are read from.

    Attributes
    ----------
    instances_of
        Gives the instances of a series, by its key, at a revision.
    """

    store: Store
    instances_of: Callable[[str, int], tuple[Instance, ...]]


def surroundings(
    sources: Sources, key: str, series: Series, known: VisitOrders
) -> tuple[tuple[Series, ...], Context]:
    """Return what a series is judged beside: the others of its study, its orders, how it came."""
    rows = series_rows.siblings(sources.store, key, SIBLINGS_MAX)
    found = ((row, _witnesses(sources, row.series_key, row.revision)) for row in rows)
    siblings = tuple(assemble(instances, row.revision) for row, instances in found if instances)
    since = datetime.now(UTC) - HABIT_SPAN
    habits = habit_rows.habits_of(sources.store, practice_of(series), since, besides=key)
    context = Context(order=known.facts_of(series), habits=tuple(habits))
    own = series_rows.series_row(sources.store, key)
    if own is None:
        return siblings, context
    came = own.last_received_at.astimezone()
    context = evolve(context, received=came, calling_ae=own.calling_ae)
    return siblings, recalled(sources.store, key, series, context)


def _witnesses(sources: Sources, key: str, revision: int) -> tuple[Instance, ...]:
    """Return the instances of a series that only bears witness, as they were read once.

    A record that another series has lost must not keep this one from being judged.
    """
    try:
        return sources.instances_of(key, revision)
    except InputError:
        return instance_rows.instances_of(sources.store, key, revision)
