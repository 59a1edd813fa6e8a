"""What the service received, as its worker would see it: a series, its study, its visit."""

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from qa_daemon.cli.opened import named_series
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds.beside import surroundings
from qa_daemon.grounds.visit import VisitOrders, orders_known
from qa_daemon.pipeline.steps import (
    NOTHING,
    Bench,
    VisitSeen,
    instances_read,
    visit_seen,
)
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport
from qa_daemon.rules.facts import Context
from qa_daemon.series.assemble import assemble
from qa_daemon.store import result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow

#: Series of one study that are explained at once; nobody reads more.
SERIES_MAX: Final = 100
#: A key is hexadecimal; a UID has a dot after its first component.
_KEY: Final = re.compile(r"[0-9a-f]{4,24}")
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)+")


@frozen
class Subject:
    """A series as the worker would see it, with what was predicted when it came.

    Attributes
    ----------
    is_judged
        False while the service has not come to it.
    """

    row: SeriesRow
    series: Series
    siblings: tuple[Series, ...]
    context: Context
    inference: Inference
    known: VisitOrders
    is_judged: bool

    def of_visit(self, bench: Bench) -> VisitSeen | None:
        """Return what its visit is judged by; None where there is nothing to compare."""
        own = SeriesReport(self.series, self.inference, NOTHING)
        seen = visit_seen(bench, self.row.series_key, own, self.known)
        if seen is None or (len(seen.reports) == 1 and not self.known.orders):
            return None
        return seen


def subject_of(bench: Bench, row: SeriesRow) -> Subject | None:
    """Return a series of the store with all that it is judged beside; None if it cannot be read."""
    result = result_rows.result_of(bench.store, row.series_key, row.revision)
    instances = instances_read(bench, row.series_key, row.revision)
    if not instances:
        return None
    series = assemble(instances, row.revision)
    known = orders_known(bench.store, series).meant_by(bench.engine.codes)
    siblings, context = surroundings(bench.sources, row.series_key, series, known)
    inference = None if result is None else result.inference
    return Subject(
        row,
        series,
        siblings,
        context,
        inference or Inference(),
        known,
        result is not None and result.judged_at is not None and inference is not None,
    )


def names_received(text: str) -> bool:
    """Whether a word of the command line can be a key or a UID of something received."""
    return _KEY.fullmatch(text) is not None or _UID.fullmatch(text) is not None


def rows_named(store: Store, name: str) -> Iterator[SeriesRow]:
    """Yield what a key, a Series Instance UID or a Study Instance UID names.

    Raises
    ------
    ConfigurationError
        If nothing of that name was received.
    """
    if _UID.fullmatch(name) is None:
        yield named_series(store, name)
        return
    for wanted in (
        SeriesFilter(series_instance_uid=name),
        SeriesFilter(study_instance_uid=name),
    ):
        rows = series_rows.series_list(store, wanted, SERIES_MAX)
        if rows:
            yield from reversed(rows)  # in the order of arrival
            return
    raise ConfigurationError(
        f"{name}: no series and no study of this UID was received; see: qa-daemon series list"
    )
