"""Order messages of HL7 version 2 as values: ORM^O01, OMG^O19 and OMI^O23.

Read by bounded code of our own, as all bytes from outside: fifteen fields are wanted, of messages
that follow no schema in practice. The libraries that exist are untyped, and either rest since 2022
(hl7) or bring 8 MB of schemas (hl7apy). Fields are those of the IHE Radiology framework, RAD-4:
OBR-18, -19 and -20 or the IPC segment name accession, requested procedure and step, ZDS the study.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from attrs import evolve, frozen

from qa_daemon.errors import InputError
from qa_daemon.orders.asked import with_regions
from qa_daemon.records.order import Code, Issuer, Order, OrderKey, OrderSource, ScheduledStep

#: An order message has a few kilobytes; one with a document inside may have more.
MESSAGE_LENGTH_MAX: Final = 1 << 20
SEGMENTS_MAX: Final = 2_000
FIELD_LENGTH_MAX: Final = 4_096
#: Message types that carry imaging orders (HL7 2.5.1 chapter 4).
KINDS: Final = frozenset({"ORM", "OMG", "OMI"})
#: Order controls that take an order back (HL7 table 0119).
_TAKES_BACK: Final = frozenset({"CA", "OC", "DC", "CR", "OD", "DR"})
#: HL7 table 0211, as Python calls them.
_CHARSETS: Final = {
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
_ESCAPES: Final = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}
_BREAK: Final = re.compile("[\r\n]+")
_DATE: Final = re.compile(r"[0-9]{8}")


@frozen
class Delimiters:
    """What separates fields, components, repetitions and sub-components, and what escapes them."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    part: str = "&"


@frozen
class Segment:
    """One line: its name and its fields, field 1 first, as they stand."""

    name: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Return a field as it stands, "" if it is absent."""
        return self.fields[number - 1] if number <= len(self.fields) else ""


@frozen
class Message:
    """A message: its segments, MSH first, and how they are to be read."""

    segments: tuple[Segment, ...]
    delimiters: Delimiters

    @property
    def kind(self) -> str:
        """The message code: ORM, OMG ..."""
        return self.text(self.segments[0].field(9))

    @property
    def control_id(self) -> str:
        """What the answer refers to (MSH-10)."""
        return self.text(self.segments[0].field(10))

    def text(self, field: str, component: int = 1, part: int = 1) -> str:
        """Return one component of the first repetition of a field, unescaped."""
        marks = self.delimiters
        first = field.split(marks.repetition, 1)[0]
        for mark, number in ((marks.component, component), (marks.part, part)):
            pieces = first.split(mark)
            first = pieces[number - 1] if number <= len(pieces) else ""
        return self._unescaped(first).strip()

    def _unescaped(self, text: str) -> str:
        mark = self.delimiters.escape
        if mark not in text:
            return text
        pieces = text.split(mark)
        # Between two marks stands a code; a lone mark is a sign like any other.
        found = pieces[0]
        for place in range(1, len(pieces)):
            inside = place % 2 == 1 and place < len(pieces) - 1
            found += _ESCAPES.get(pieces[place], "") if inside else pieces[place]
        return found


def read_message(content: bytes) -> Message:
    """Return a message of its bytes, without the frame of MLLP.

    Raises
    ------
    InputError
        If it is none, or larger than any order.
    """
    if len(content) > MESSAGE_LENGTH_MAX:
        raise InputError("the message is larger than any order")
    if not content.startswith(b"MSH") or len(content) < 9:
        raise InputError("the message does not begin with MSH")
    lines = [line for line in _BREAK.split(_decoded(content)) if line]
    if len(lines) > SEGMENTS_MAX:
        raise InputError("the message has more segments than any order")
    marks = Delimiters(*lines[0][3:8])
    if len(set(lines[0][3:8])) < 5:
        raise InputError("MSH-1 and MSH-2 do not name five delimiters")
    return Message(tuple(_segment(line, marks) for line in lines), marks)


def _decoded(content: bytes) -> str:
    """Decode by MSH-18, else as UTF-8, else as Latin-1, which knows every byte."""
    head = content.split(b"\r", 1)[0].split(content[3:4])
    declared = head[17].split(b"~")[0].decode("ascii", "replace").strip() if len(head) > 17 else ""
    for name in (_CHARSETS.get(declared.upper(), "utf-8"), "utf-8"):
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _segment(line: str, marks: Delimiters) -> Segment:
    name, *fields = (each[:FIELD_LENGTH_MAX] for each in line.split(marks.field))
    if name == "MSH":
        fields.insert(0, marks.field)  # MSH-1 is the separator itself
    return Segment(name, tuple(fields))


def orders_told(message: Message) -> tuple[Order, ...]:
    """Return the orders of a message; `()` for a message of another kind.

    Raises
    ------
    InputError
        If an order names no patient, or has no number.
    """
    if message.kind not in KINDS:
        return ()
    found = [_order(message, group) for group in _groups(message.segments)]
    if any(not order.patient_id for order in found):
        raise InputError("PID-3 names no patient")
    if any(not order.key.accession_number for order in found):
        raise InputError("an order has no number in IPC-1, OBR-18, OBR-3, ORC-3, OBR-2 or ORC-2")
    return tuple(with_regions(order) for order in found)


def _groups(segments: Sequence[Segment]) -> Iterator[dict[str, Segment]]:
    """Yield the segments of each order by name, with those of the patient; ORC begins an order.

    ZDS and IPC stand behind the order that they belong to.
    """
    patient: dict[str, Segment] = {}
    order: dict[str, Segment] = {}
    for segment in segments:
        if segment.name == "ORC":
            if order:
                yield {**patient, **order}
            order = {"ORC": segment}
        elif order:
            order.setdefault(segment.name, segment)
        else:
            patient.setdefault(segment.name, segment)
    if order:
        yield {**patient, **order}


_NOTHING: Final = Segment("", ())


def _order(message: Message, group: dict[str, Segment]) -> Order:
    def text(name: str, number: int, component: int = 1, part: int = 1) -> str:
        return message.text(group.get(name, _NOTHING).field(number), component, part)

    places = (("IPC", 1), ("OBR", 18), ("OBR", 3), ("ORC", 3), ("OBR", 2), ("ORC", 2))
    name, number = next((place for place in places if text(*place)), places[0])
    order = Order(
        OrderKey(text(name, number), Issuer(*(text(name, number, each) for each in (2, 3, 4)))),
        OrderSource.HL7,
        patient_id=text("PID", 3),
        issuer_of_patient_id=text("PID", 3, 4),
        requested_procedure_id=text("IPC", 2) or text("OBR", 19),
        description=text("OBR", 4, 2) or text("OBR", 4),
        codes=_codes(text),
        study_instance_uid=text("IPC", 3) or text("ZDS", 1),
        steps=(_step(text),),
        admission_id=text("PV1", 19),
        referring_physician="^".join(text("PV1", 8, each) for each in (2, 3)).rstrip("^"),
        reason=text("OBR", 31, 2) or text("OBR", 31),
    )
    return evolve(order, is_cancelled=text("ORC", 1) in _TAKES_BACK)


class _Text(Protocol):
    """How a component of a segment is asked for."""

    def __call__(self, name: str, number: int, component: int = 1, part: int = 1) -> str:
        """Return it, "" if it is absent."""


def _codes(text: _Text) -> tuple[Code, ...]:
    found = [
        Code(text("OBR", field), text("OBR", field, 3), text("OBR", field, 2)) for field in (4, 44)
    ]
    return tuple(code for code in dict.fromkeys(found) if code.value and code.scheme)


def _step(text: _Text) -> ScheduledStep:
    starts = text("TQ1", 7) or text("ORC", 7, 4) or text("OBR", 36) or text("OBR", 27, 4)
    date = starts[:8] if _DATE.match(starts) else ""
    return ScheduledStep(
        id=text("IPC", 4) or text("OBR", 20),
        modality=text("IPC", 5) or text("OBR", 24),
        station_ae=text("IPC", 9),
        date=date,
        time=starts[8:14] if date else "",
    )


def answer(message: Message | None, code: str, said: str, now: str) -> bytes:
    """Return the acknowledgement of a message (HL7 2.5.1, 2.9.2).

    Parameters
    ----------
    code
        AA accepted and kept, AE try again, AR never send it again.
    said
        For a person, without a patient's value.
    now
        DTM without a zone, also the control id of the answer.
    """
    if message is None:
        return f"MSH|^~\\&|QADAEMON||||{now}||ACK|{now}|P|2.5.1\rMSA|{code}||{said}\r".encode()
    head = message.segments[0]
    raw = [head.field(number) for number in range(1, 13)]
    application, facility, version = raw[2], raw[3], raw[11] or "2.5.1"
    processing = raw[10] or "P"
    sender = ("QADAEMON", "", application, facility)
    fields = ["MSH", raw[1], *sender, now, "", "ACK", now, processing, version]
    mark = message.delimiters.field
    return f"{mark.join(fields)}\rMSA{mark}{code}{mark}{raw[9]}{mark}{said}\r".encode()
