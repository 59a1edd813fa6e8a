"""Imaging orders of order messages: ORM^O01, OMG^O19 and OMI^O23.

Fields are those of the IHE Radiology framework, RAD-4: OBR-18, -19 and -20 or the IPC segment name
accession, requested procedure and step, ZDS the study. Other segments, Z ones above all, are passed
over.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve, field, frozen

from qa_daemon.errors import InputError
from qa_daemon.orders.asked import with_regions
from qa_daemon.orders.messages.syntax import Message, Segment
from qa_daemon.records.order import Code, Issuer, Order, OrderKey, OrderSource, ScheduledStep

#: Message types that carry imaging orders (HL7 2.5.1 chapter 4).
KINDS: Final = frozenset({"ORM", "OMG", "OMI"})
#: Order controls that take an order back, or put another in its place (HL7 table 0119).
_TAKES_BACK: Final = frozenset({"CA", "OC", "DC", "CR", "OD", "DR", "RP", "RQ", "RU"})
#: Statuses that say the same (HL7 table 0038), where the control only says that a status changed.
_STATUS_CHANGED: Final = frozenset({"SC", "SS", "SR"})
_TAKEN_BACK: Final = frozenset({"CA", "DC", "RP"})
#: Results of before that come along with a new order (HL7 table 0119); no order themselves.
_OF_BEFORE: Final = "PR"
#: Types of numbers that name a patient within a hospital (HL7 table 0203).
_OF_PATIENT: Final = ("MR", "PI", "")
_DATE: Final = re.compile(r"[0-9]{8}")
_NOTHING: Final = Segment("", ())
#: What each order of a message has of its own, however often it comes.
_OWN: Final = frozenset({"OBR", "IPC", "ZDS"})


def orders_told(message: Message) -> tuple[Order, ...]:
    """Return the orders of a message; `()` for a message of another kind.

    Raises
    ------
    InputError
        If an order names no patient, or has no number.
    """
    if message.kind not in KINDS:
        return ()
    groups = (each for group in _groups(message.segments) for each in group.parts())
    found = [_order(_Reader(message, group)) for group in groups]
    if any(not order.patient_id for order in found):
        raise InputError("PID-3 names no patient")
    if any(not order.key.accession_number for order in found):
        raise InputError("an order has no number in IPC-1, OBR-18, OBR-3, ORC-3, OBR-2 or ORC-2")
    return tuple(with_regions(order) for order in _joined(found))


@frozen
class _Group:
    """The segments of one order: those of the patient, its own, and its IPC segments."""

    segments: Mapping[str, Segment]
    steps: list[Segment] = field(factory=list)

    def parts(self) -> Iterator[Mapping[str, Segment]]:
        """Yield the segments by name, once for each step."""
        if self.segments.get("ORC", _NOTHING).field(1) == _OF_BEFORE:
            return
        for step in self.steps or (None,):
            yield self.segments if step is None else {**self.segments, "IPC": step}


def _groups(segments: Sequence[Segment]) -> Iterator[_Group]:
    """Yield the segments of each order; ORC begins one, and so does an OBR more than it has.

    ZDS and IPC stand behind the order that they belong to. Some senders leave ORC out.
    """
    patient: dict[str, Segment] = {}
    order: dict[str, Segment] = {}
    steps: list[Segment] = []
    for segment in segments:
        begins = segment.name == "ORC" or (segment.name == "OBR" and "OBR" in order)
        if begins and order:
            yield _Group({**patient, **order}, steps)
            kept = {} if segment.name == "ORC" else order
            order = {name: each for name, each in kept.items() if name not in _OWN}
            steps = []
        if segment.name == "IPC":
            steps.append(segment)
        elif order or segment.name in {"ORC", "OBR"}:
            order.setdefault(segment.name, segment)
        else:
            patient.setdefault(segment.name, segment)
    if order:
        yield _Group({**patient, **order}, steps)


def _joined(orders: Sequence[Order]) -> list[Order]:
    """Make one order of the steps of one requested procedure."""
    found: dict[tuple[OrderKey, str], Order] = {}
    for order in orders:
        name = (order.key, order.requested_procedure_id)
        known = found.get(name)
        found[name] = order if known is None else known.with_steps(order.steps)
    return list(found.values())


@frozen
class _Reader:
    """Reads components of the segments of one order."""

    message: Message
    group: Mapping[str, Segment]

    def __call__(self, name: str, number: int, component: int = 1, part: int = 1) -> str:
        """Return a component, "" if it is absent."""
        return self.message.text(self.group.get(name, _NOTHING).field(number), component, part)

    def patient(self) -> tuple[str, str]:
        """Return the patient's number and its issuer: of several the one of the hospital."""
        message, segment = self.message, self.group.get("PID", _NOTHING)
        numbers = [each for each in message.repetitions(segment.field(3)) if message.text(each)]
        for kind in _OF_PATIENT:
            for each in numbers:
                if message.text(each, 5) == kind:
                    return message.text(each), message.text(each, 4)
        first = (numbers or [segment.field(2)])[0]  # PID-2 before HL7 2.3.1
        return message.text(first), message.text(first, 4)


def _order(text: _Reader) -> Order:
    places = (("IPC", 1), ("OBR", 18), ("OBR", 3), ("ORC", 3), ("OBR", 2), ("ORC", 2))
    name, number = next((place for place in places if text(*place)), places[0])
    patient, issuer = text.patient()
    order = Order(
        OrderKey(text(name, number), Issuer(*(text(name, number, each) for each in (2, 3, 4)))),
        OrderSource.HL7,
        patient_id=patient,
        issuer_of_patient_id=issuer,
        requested_procedure_id=text("IPC", 2) or text("OBR", 19),
        description=text("OBR", 4, 2) or text("OBR", 4),
        codes=_codes(text),
        study_instance_uid=text("IPC", 3) or text("ZDS", 1),
        steps=(_step(text),),
        admission_id=text("PV1", 19),
        referring_physician="^".join(text("PV1", 8, each) for each in (2, 3)).rstrip("^"),
        reason=text("OBR", 31, 2) or text("OBR", 31),
    )
    return evolve(order, is_cancelled=_is_taken_back(text))


def _is_taken_back(text: _Reader) -> bool:
    control, status = text("ORC", 1), text("ORC", 5)
    return control in _TAKES_BACK or (control in _STATUS_CHANGED and status in _TAKEN_BACK)


def _codes(text: _Reader) -> tuple[Code, ...]:
    found = [
        Code(text("OBR", place), text("OBR", place, 3), text("OBR", place, 2)) for place in (4, 44)
    ]
    return tuple(code for code in dict.fromkeys(found) if code.value and code.scheme)


def _step(text: _Reader) -> ScheduledStep:
    starts = text("TQ1", 7) or text("ORC", 7, 4) or text("OBR", 36) or text("OBR", 27, 4)
    date = starts[:8] if _DATE.match(starts) else ""
    return ScheduledStep(
        id=text("IPC", 4) or text("OBR", 20),
        modality=text("IPC", 5) or text("OBR", 24),
        station_ae=text("IPC", 9),
        date=date,
        time=starts[8:14] if date else "",
    )
