"""Everything that the review page shows of one finding, read from the store once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from qa_daemon.queue.reviewing import evidence
from qa_daemon.queue.reviewing.body import Figure, figure
from qa_daemon.queue.reviewing.reading import Pair, pairs, tagged_class
from qa_daemon.queue.reviewing.tag_table import Row, table
from qa_daemon.queue.reviewing.visit import Visit, orders_named, visit_of
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Level, Suggestion, Topic
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.order import Order
from qa_daemon.records.preview import Previews
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.result_rows import FindingRow
from qa_daemon.store.review import context_rows
from qa_daemon.store.review.context_rows import Neighbours, Recurring

#: Telling slices shown as thumbnails below the pair.
TELLING_MAX: Final = 5
#: Answers in the strip of earlier ones.
HISTORY_MAX: Final = 40
SIBLINGS_MAX: Final = 20
#: The rule that knows phantoms and test patients by their names.
TEST_PATIENT: Final = "IDENTITY-009"
_ORDER_BESIDE: Final = frozenset({Topic.BODY_PART, Topic.LATERALITY, Topic.VIEW, Topic.ORDER})
RADIOGRAPHS: Final = frozenset({"CR", "DX", "RG"})


@frozen(kw_only=True)
class Sibling:
    """Another series of the study, and what was found in it."""

    name: str
    modality: str
    finding_id: int | None
    has_same: bool
    is_clean: bool


@frozen(kw_only=True)
class Review:
    """One finding with all that stands beside it.

    Attributes
    ----------
    revision_now
        Of its series; another than the finding's means that what is shown is old.
    series
        None where none can be read any more.
    start
        Which of `pairs` is shown first.
    tagged
        The class that the tags promise.
    is_test
        Whether the pictures are of a phantom, a test patient or quality control.
    """

    row: FindingRow
    revision_now: int
    series_key: str
    series: Series | None
    suggestion: Suggestion | None
    previews: Previews
    pairs: tuple[Pair, ...]
    start: int
    telling: tuple[int, ...]
    figures: tuple[Figure, ...]
    tagged: int
    rows: tuple[Row, ...]
    sight: evidence.Sight | None
    weights: tuple[evidence.Weight, ...]
    recurring: Recurring
    siblings: tuple[Sibling, ...]
    orders: tuple[Order, ...]
    visit: Visit | None
    neighbours: Neighbours
    is_test: bool

    @property
    def instance(self) -> Instance | None:
        """The instance by which patient and study are told."""
        return self.series.instances[0] if self.series is not None else None

    @property
    def is_hung_anew(self) -> bool:
        """Whether the suggestion changes how a picture hangs or what its letters say."""
        return any(
            each.suggested is not None and each.suggested != each.tagged for each in self.pairs
        )

    @property
    def is_old(self) -> bool:
        """Whether a newer revision of its series has come."""
        return bool(self.row.series_key) and self.revision_now != self.row.revision


def review_of(
    store: Store,
    finding_id: int,
    now: datetime,
    *,
    rank: int = 0,
    suggestion: Suggestion | None = None,
) -> Review | None:
    """Return the review of a finding; None if there is no such finding.

    Parameters
    ----------
    rank
        Of the suggestion to be shown, 0 the likeliest.
    suggestion
        Shown instead, of a class that a person chose.
    """
    row = result_rows.finding_row(store, finding_id)
    if row is None:
        return None
    key, revision = _held_by(store, row)
    held = series_rows.series_row(store, key) if key else None
    series = _series(store, key, revision)
    result = result_rows.result_of(store, key, revision) if key else None
    inference = (None if result is None else result.inference) or Inference()
    offered = (row.finding.suggestion, *row.finding.alternatives)
    meant = suggestion or offered[min(max(rank, 0), len(offered) - 1)]
    previews = (preview_rows.previews_of(store, key) if key else None) or Previews()
    hung = pairs(previews.pictures, () if series is None else series.instances, meant)
    telling = tuple(at for at, each in enumerate(hung) if each.picture.tells)
    start = _start(row, hung, telling)
    tagged = tagged_class(hung[start]) if hung else 0
    return Review(
        row=row,
        revision_now=row.revision if held is None else held.revision,
        series_key=key,
        series=series,
        suggestion=meant,
        previews=previews,
        pairs=hung,
        start=start,
        telling=evidence.telling(telling, TELLING_MAX),
        figures=() if series is None else _figures(series, inference, hung),
        tagged=tagged,
        rows=table(meant),
        sight=evidence.sight(row.finding, inference, tagged),
        weights=evidence.weights(row.finding, inference),
        recurring=context_rows.recurring(store, finding_id, HISTORY_MAX),
        siblings=_siblings(store, row, key),
        orders=_orders(store, row, series),
        visit=_visit(store, row, key, series),
        neighbours=context_rows.neighbours(store, finding_id, now),
        is_test=series is not None and _is_test(store, row, key, series),
    )


def _held_by(store: Store, row: FindingRow) -> tuple[str, int]:
    """Return the series whose pictures are shown: its own, or the first that it speaks of."""
    if row.series_key:
        return row.series_key, row.revision
    for uid in row.finding.sop_instance_uids[:1]:
        found = context_rows.holder_of(store, uid)
        if found is not None:
            return found
    wanted = series_rows.SeriesFilter(study_instance_uid=row.study_instance_uid or "-")
    rows = series_rows.series_list(store, wanted, 1)
    return (rows[0].series_key, rows[0].revision) if rows else ("", 0)


def _series(store: Store, key: str, revision: int) -> Series | None:
    instances = instance_rows.instances_of(store, key, revision) if key else ()
    return assemble(instances, revision) if instances else None


def _start(row: FindingRow, hung: Sequence[Pair], telling: Sequence[int]) -> int:
    """Return the picture to begin with: one that the finding names, else amid those that voted."""
    named = set(row.finding.sop_instance_uids)
    spoken_of = [at for at, each in enumerate(hung) if each.picture.sop_instance_uid in named]
    if spoken_of and len(spoken_of) < len(hung):
        return spoken_of[0]
    if telling:
        return telling[len(telling) // 2]
    return len(hung) // 2 if hung else 0


def _figures(series: Series, inference: Inference, hung: Sequence[Pair]) -> tuple[Figure, ...]:
    heights = [each.place.mm for each in hung if each.place is not None and each.place.axis == "z"]
    low, high = (min(heights), max(heights)) if heights else (0.0, 0.0)

    def height(each: Pair) -> float:
        if each.place is None or each.place.axis != "z" or high == low:
            return 0.5
        return (each.place.mm - low) / (high - low)

    return tuple(figure(series, inference, height(each)) for each in hung)


def _siblings(store: Store, row: FindingRow, key: str) -> tuple[Sibling, ...]:
    if not key:
        return ()
    found = []
    for other in series_rows.siblings(store, key, SIBLINGS_MAX):
        verdict = result_rows.finding_list(
            store, result_rows.FindingFilter(series_key=other.series_key), SIBLINGS_MAX
        )
        same = next((each.id for each in verdict if each.finding.rule == row.finding.rule), None)
        instances = instance_rows.instances_of(store, other.series_key, other.revision)
        name = first_text(instances[0].elements, "SeriesDescription") if instances else ""
        found.append(
            Sibling(
                name=name,
                modality=other.modality,
                finding_id=same or (verdict[0].id if verdict else None),
                has_same=same is not None,
                is_clean=other.state.value == "clean",
            )
        )
    return tuple(found)


def _orders(store: Store, row: FindingRow, series: Series | None) -> tuple[Order, ...]:
    if series is None:
        return ()
    is_beside = series.modality in RADIOGRAPHS or row.finding.topic in _ORDER_BESIDE
    return orders_named(store, series) if is_beside else ()


def _visit(store: Store, row: FindingRow, key: str, series: Series | None) -> Visit | None:
    is_of_visit = row.finding.level is Level.VISIT or row.finding.topic is Topic.ORDER
    return visit_of(store, key, series) if is_of_visit and series is not None else None


def _is_test(store: Store, row: FindingRow, key: str, series: Series) -> bool:
    control = ("QualityControlImage", "QualityControlSubject")
    if any(first_text(series.shared, keyword) == "YES" for keyword in control):
        return True
    wanted = result_rows.FindingFilter(series_key=key, rule=TEST_PATIENT)
    return row.finding.rule == TEST_PATIENT or bool(result_rows.finding_list(store, wanted, 1))
