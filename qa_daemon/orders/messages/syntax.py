"""The form of HL7 version 2: delimiters, segments, fields, escapes, character sets, batches."""

import re
from typing import Final

from attrs import frozen

from qa_daemon.errors import InputError

#: An order message has a few kilobytes; one with a document inside may have more.
MESSAGE_LENGTH_MAX: Final = 1 << 20
SEGMENTS_MAX: Final = 2_000
FIELD_LENGTH_MAX: Final = 4_096
#: Messages of one batch; RIS exports send a day's orders at a time.
BATCH_MAX: Final = 200
#: HL7 table 0211, as Python calls them; the last two are no terms of it, and sent all the same.
_CHARSETS: Final = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UTF-8": "utf-8",
    "WINDOWS-1252": "cp1252",
}
_ESCAPES: Final = {"E": "\\", ".br": " ", ".sp": " "}
_HEX: Final = re.compile(r"X([0-9A-Fa-f]{2}){1,64}")
_BATCH: Final = (b"FHS", b"BHS")
_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8, where software of Windows writes one
_BREAK: Final = re.compile("[\r\n]+")
_BEGINS: Final = re.compile(rb"(?:\A|(?<=[\r\n]))MSH")


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

    def repetitions(self, field: str) -> tuple[str, ...]:
        """Return the repetitions of a field, as they stand."""
        return tuple(field.split(self.delimiters.repetition))

    def text(self, field: str, component: int = 1, part: int = 1) -> str:
        """Return one component of the first repetition of a field, unescaped."""
        marks = self.delimiters
        first = self.repetitions(field)[0]
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
            opens, closes = place % 2 == 1, place < len(pieces) - 1
            if opens and closes:
                found += self._meant(pieces[place])
            else:
                found += mark + pieces[place] if opens else pieces[place]
        return found

    def _meant(self, code: str) -> str:
        """Return what an escape stands for; highlighting and private ones stand for nothing."""
        marks = self.delimiters
        own = {"F": marks.field, "S": marks.component, "T": marks.part, "R": marks.repetition}
        if _HEX.fullmatch(code):
            return bytes.fromhex(code[1:]).decode("latin-1").replace("\r", " ").replace("\n", " ")
        return own.get(code, _ESCAPES.get(code, ""))


def messages_of(content: bytes) -> tuple[bytes, ...]:
    """Return the messages of a frame: the one, or those of a batch (HL7 2.5.1, 2.10.3).

    Raises
    ------
    InputError
        If it is a batch of more messages than anybody sends at once.
    """
    content = content.removeprefix(_MARK).lstrip(b"\r\n")
    begins = [found.start() for found in _BEGINS.finditer(content)]
    if len(begins) > BATCH_MAX:
        raise InputError("the batch has more messages than is taken at once; send smaller ones")
    if not begins or (begins[0] > 0 and not is_batch(content)):
        return (content,)
    return tuple(content[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=True))


def is_batch(content: bytes) -> bool:
    """Whether a frame holds a batch, whose answer is one, too."""
    return content.removeprefix(_MARK).lstrip(b"\r\n").startswith(_BATCH)


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
    declared = head[17].decode("ascii", "replace") if len(head) > 17 else ""
    # Of several the last is the one that escape sequences switch to; it holds the first, too.
    named = [each.strip().upper() for each in declared.split("~") if each.strip()]
    for name in (_CHARSETS.get(named[-1] if named else "", "utf-8"), "utf-8"):
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
