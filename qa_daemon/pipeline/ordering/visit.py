"""What a judgement needs to know of the visit that a series is of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from qa_daemon.orders.asked import keys_of
from qa_daemon.orders.evidence import FITS_FROM
from qa_daemon.records.element import first_text
from qa_daemon.records.order import Order, OrderSource
from qa_daemon.records.series import Series
from qa_daemon.store.database import Store
from qa_daemon.store.visits import order_rows
from qa_daemon.store.visits.order_rows import Told

#: The surest source first: of one order told by two, the first fills up from the second.
_SOURCES: Final = (
    OrderSource.WORKLIST,
    OrderSource.HL7,
    OrderSource.ARCHIVE,
    OrderSource.IMAGES,
)
#: Who says whether an order is in force.
_RULING: Final = frozenset({OrderSource.WORKLIST, OrderSource.HL7})


@frozen
class VisitOrders:
    """The orders of a visit, each once."""

    orders: tuple[Order, ...] = ()

    def facts_of(self, series: Series) -> Mapping[str, tuple[str, ...]] | None:
        """Return what `order.NAME` says for a series: of the orders that it names, else of all.

        None where no order is known.
        """
        if not self.orders:
            return None
        named = [
            order for order in self.orders
            if any(order.key.means(key) for key in keys_of(series))
        ]  # fmt: skip
        return order_facts(named or [each for each in self.orders if not each.is_cancelled])


def orders_known(store: Store, series: Series) -> VisitOrders:
    """Return what was told of the orders of the series' visit."""
    first = series.instances[0].elements
    patient, day = first_text(first, "PatientID"), first_text(first, "StudyDate")
    if not patient or not day:
        return VisitOrders()
    issuer = first_text(first, "IssuerOfPatientID")
    return VisitOrders(_once(order_rows.orders_of(store, patient, day, issuer)))


def _once(told: Iterable[Told]) -> tuple[Order, ...]:
    """Return each order once; of one source what is in force counts first, then what is newer."""
    said = sorted(told, key=lambda each: each.at, reverse=True)
    said.sort(key=lambda each: (_SOURCES.index(each.order.source), each.order.is_cancelled))
    groups: list[list[Told]] = []
    for each in said:
        group = next((g for g in groups if g[0].order.key.means(each.order.key)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return tuple(map(_joined, groups))


def _joined(group: Sequence[Told]) -> Order:
    """Fill up the first from the others; it is cancelled if that is the last word of all.

    A worklist stops speaking of an order that was taken back, so its word of before must not count
    against a message. An archive knows of studies, not whether an order is in force.
    """
    first, *others = (each.order for each in group)
    for other in others:
        first = first.filled_from(other)
    ruling = [each for each in group if each.order.source in _RULING]
    in_force = max((each.at for each in ruling if not each.order.is_cancelled), default=None)
    taken_back = max((each.at for each in ruling if _takes_all_back(each, ruling)), default=None)
    is_cancelled = taken_back is not None and (in_force is None or taken_back > in_force)
    return evolve(first, is_cancelled=is_cancelled)


def _takes_all_back(one: Told, group: Iterable[Told]) -> bool:
    """Whether an order was taken back, and no other procedure is left under its number."""
    own = one.order.requested_procedure_id
    left = (each.order.requested_procedure_id for each in group if not each.order.is_cancelled)
    return one.order.is_cancelled and all(not own or each in {"", own} for each in left)


def order_facts(orders: Sequence[Order]) -> Mapping[str, tuple[str, ...]]:
    """Return the facts `order.NAME` of the orders that images may belong to."""
    meant = [each for order in orders for each in order.regions if each.weight >= FITS_FROM]
    steps = [step for order in orders for step in order.steps]
    said = {
        "count": (str(len(orders)),),
        "accession": (order.key.accession_number for order in orders),
        "issuer": (order.key.issuer.namespace for order in orders),
        "modality": (step.modality for step in steps),
        "station": (step.station_ae for step in steps),
        "procedure": (order.description for order in orders),
        "code": (f"{code.value}^{code.scheme}" for order in orders for code in order.codes),
        "regions": (each.region for each in meant),
        "side": (each.side or "" for each in meant),
        "scheduled": (f"{step.date}{step.time}" for step in steps),
    }
    return {name: tuple(dict.fromkeys(filter(None, values))) for name, values in said.items()}
