"""What a judgement needs to know of the visit that a series is of."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from qa_daemon.orders.asked import keys_of, with_meanings
from qa_daemon.orders.evidence import FITS_FROM
from qa_daemon.orders.visit import each_once
from qa_daemon.records.element import first_text
from qa_daemon.records.order import Order
from qa_daemon.records.series import Series
from qa_daemon.store.database import Store
from qa_daemon.store.visits import order_rows


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

    def meant_by(self, meanings: Mapping[str, str]) -> "VisitOrders":
        """Return them with what the site says of their codes (`orders.codes`)."""
        if not meanings:
            return self
        return VisitOrders(tuple(with_meanings(order, meanings) for order in self.orders))


def orders_known(store: Store, series: Series) -> VisitOrders:
    """Return what was told of the orders of the series' visit."""
    first = series.instances[0].elements
    patient, day = first_text(first, "PatientID"), first_text(first, "StudyDate")
    if not patient or not day:
        return VisitOrders()
    issuer = first_text(first, "IssuerOfPatientID")
    return VisitOrders(each_once(order_rows.orders_of(store, patient, day, issuer)))


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
