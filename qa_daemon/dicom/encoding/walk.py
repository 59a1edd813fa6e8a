"""The bounded walk over a data set: by offsets, without recursion, every length checked.

No value is copied. What can be mended is mended and noted; what cannot is refused.
"""

from struct import unpack_from
from typing import Final

from attrs import define, field

from qa_daemon.dicom.encoding.dictionary import name_of, vr_of
from qa_daemon.dicom.encoding.elements_at import (
    Header,
    header_at,
    is_plausible,
    odd_vr_header,
)
from qa_daemon.dicom.encoding.levels import Elements, Fragments, Sequence, take_plain
from qa_daemon.dicom.encoding.tokens import (
    EXPLICIT,
    IMPLICIT,
    ITEM,
    ITEM_END,
    PIXEL_DATA,
    PIXEL_TAGS,
    SEQUENCE_END,
    UNDEFINED,
    Content,
    Encoding,
    Notes,
    Refused,
    Token,
)
from qa_daemon.limits import Limits

#: Groups that no data set may hold, and what it is called if one does (PS3.5 7.8, PS3.10 7.1).
_BANNED_GROUPS: Final = {
    0x0000: "group-0000-in-dataset",
    0x0002: "group-0002-in-dataset",
    0x0001: "group-invalid",
    0x0003: "group-invalid",
    0x0005: "group-invalid",
    0x0007: "group-invalid",
    0xFFFF: "group-invalid",
}
_DAMAGED: Final = "sequence-damaged"


@define
class Walk:
    """One walk; `data_set()` does it, `pixel_data` is the outermost Pixel Data met."""

    content: Content
    at: int
    end: int
    encoding: Encoding
    limits: Limits
    notes: Notes
    pixel_data: Token | None = None
    _stack: list[Elements | Sequence] = field(factory=list)
    _count: int = 0
    _items: int = 0
    _odd: int = 0

    def data_set(self) -> list[Token]:
        """Return the tokens of the outermost level.

        Raises
        ------
        Refused
            If the bytes end too soon, make no sense, or pass a limit.
        """
        root = Elements(self.end, self.encoding, is_bounded=False)
        self._stack.append(root)
        while self._stack:
            level = self._stack[-1]
            if isinstance(level, Sequence):
                self._next_item(level)
            else:
                self._next_elements(level)
        return root.tokens

    # --- elements --------------------------------------------------------------------------------

    def _next_elements(self, level: Elements) -> None:
        many = len(level.tokens)
        self.at = take_plain(self.content, self.at, level, self.limits.elements_max)
        self._count += len(level.tokens) - many
        if self._count > self.limits.elements_max:
            raise Refused("limit", "too-large", f"more than {self.limits.elements_max} elements")
        if self.at < level.end:
            self._one_element(level)
        elif level.is_bounded or len(self._stack) == 1:
            self._stack.pop()
        else:
            self._ends_early("an item is not ended")

    def _one_element(self, level: Elements) -> None:
        """Take whatever stands here, special or broken."""
        header = header_at(self.content, self.at, level.end, level.encoding)
        if header is None:
            self._cut_in_header(level)
        elif len(self._stack) == 1 and self._is_trailing(level, header):
            self._note("trailing-bytes", "bytes after the data set that are no elements", None)
            self.at = level.end
        elif header.tag >> 16 == 0xFFFE:
            self._delimiter(level, header)
        elif header.vr == "":
            self._odd_vr(level, header)
        else:
            self._element(level, header)

    def _element(self, level: Elements, header: Header) -> None:
        if header.length == UNDEFINED:
            self._undefined(level, header)
        elif header.stop > level.end:
            self._overrun(level, header)
        elif header.vr == "SQ":
            self._open(level, header, level.encoding, header.stop)
        elif header.vr == "UN" and self._hides_sequence(header):
            self._open(level, header, self._encoding_in_un(header), header.stop)
        else:
            self._keep(level, Token(header.tag, header.vr, header.offset, header.length))
            self.at = header.stop

    def _keep(self, level: Elements, token: Token) -> None:
        self._count += 1
        tag = token.tag
        banned = _BANNED_GROUPS.get(tag >> 16)
        if banned:
            self._odd_one()
            self._note(banned, "a group that no data set may hold; left out", None)
            return
        if tag <= level.last and self._is_repeated(level, tag):
            return
        level.tokens.append(token)
        level.last = max(level.last, tag)
        if level.seen is not None:
            level.seen.add(tag)
        if tag in PIXEL_TAGS and len(self._stack) == 1:
            self._note_pixel_data(token)

    def _note_pixel_data(self, token: Token) -> None:
        if self.pixel_data is not None:
            self._note("pixel-attributes", "more than one kind of Pixel Data", None)
        if self.pixel_data is None or token.tag == PIXEL_DATA:
            self.pixel_data = token

    def _is_repeated(self, level: Elements, tag: int) -> bool:
        self._odd_one()
        if level.seen is None:
            level.seen = {token.tag for token in level.tokens}
        if tag in level.seen:
            self._note("duplicate-element", "stands twice; the first counts", tag)
            return True
        if not level.is_disordered:
            level.is_disordered = True
            self._note("element-order", "elements are not in ascending order", tag)
        return False

    def _odd_one(self) -> None:
        self._odd += 1
        if self._odd > self.limits.odd_elements_max:
            message = f"more than {self.limits.odd_elements_max} misplaced elements"
            raise Refused("limit", "too-large", message)

    # --- what is special -------------------------------------------------------------------------

    def _undefined(self, level: Elements, header: Header) -> None:
        starts_item = self._tag_at(header.offset, level.encoding) in (ITEM, SEQUENCE_END)
        if header.tag in PIXEL_TAGS or (header.vr in ("OB", "OW") and starts_item):
            self._fragments(level, header)
        elif header.vr == "UN":
            # PS3.5 6.2.2: a sequence in implicit VR little endian
            self._open(level, header, IMPLICIT, None)
        elif header.vr == "SQ" or starts_item:
            self._open(level, header, level.encoding, None)
        else:
            message = f"{name_of(header.tag)} has an undefined length and is no sequence"
            raise Refused("unreadable", _DAMAGED, message)

    def _hides_sequence(self, header: Header) -> bool:
        return (
            vr_of(header.tag) == "SQ"
            and header.length >= 8
            and self._tag_at(header.offset, EXPLICIT) == ITEM
        )

    def _encoding_in_un(self, header: Header) -> Encoding:
        inner = header.offset + 8
        if is_plausible(self.content, inner, header.stop, EXPLICIT):
            return EXPLICIT
        return IMPLICIT

    def _tag_at(self, at: int, encoding: Encoding) -> int:
        if at + 4 > self.end:
            return 0
        group, element = unpack_from(encoding.order + "HH", self.content, at)
        return int(group << 16 | element)

    def _open(self, level: Elements, header: Header, encoding: Encoding, stop: int | None) -> None:
        """Enter a sequence, bounded by `stop` or by its delimiter."""
        depth = (len(self._stack) + 1) // 2
        if depth > self.limits.nesting_max:
            message = f"sequences nested more than {self.limits.nesting_max} deep"
            raise Refused("unreadable", "nesting-too-deep", message)
        if depth > self.limits.nesting_usual_max:
            self._note("nesting-deep", "sequences are nested unusually deep", None)
        end = level.end if stop is None else stop
        sequence = Sequence(header.tag, end, encoding, is_bounded=stop is not None)
        self._keep(level, Token(header.tag, "SQ", header.offset, 0, sequence.items))
        self.at = header.offset
        self._stack.append(sequence)

    def _odd_vr(self, level: Elements, header: Header) -> None:
        better = odd_vr_header(self.content, header, level.end, level.encoding)
        if better is not None:
            self._note("vr-unknown", "the value representation is none of PS3.5 6.2", header.tag)
            self._element(level, better)
        elif self._bound() is not None:
            self._give_up_bounded("an element makes no sense")
        else:
            message = f"element at byte {self.at} has no value representation"
            raise Refused("unreadable", "vr-unknown", message)

    def _delimiter(self, level: Elements, header: Header) -> None:
        is_open_item = not level.is_bounded and len(self._stack) > 1
        if is_open_item and header.tag == ITEM_END:
            self._stack.pop()
            self.at = self._behind_delimiter(header, level)
        elif is_open_item and header.tag in (ITEM, SEQUENCE_END):
            self._note(_DAMAGED, "an item is not ended before the next delimiter", None)
            self._stack.pop()
        elif header.tag in (ITEM_END, SEQUENCE_END):
            self._odd_one()
            self._note(_DAMAGED, "a delimiter where none belongs", None)
            self.at += 8
        elif self._bound() is not None:
            self._give_up_bounded("an item where an element belongs")
        else:
            raise Refused("unreadable", _DAMAGED, f"an item outside a sequence at byte {self.at}")

    def _behind_delimiter(self, header: Header, level: Elements | Sequence) -> int:
        """Return where to go on; the length of a delimiter is 0 (PS3.5 7.5.2), some lie."""
        if header.length == 0:
            return header.offset
        self._note(_DAMAGED, "a delimiter has a length", None)
        here = is_plausible(self.content, header.offset, level.end, level.encoding)
        if here or header.stop > level.end:
            return header.offset
        return header.stop

    # --- sequences -------------------------------------------------------------------------------

    def _next_item(self, sequence: Sequence) -> None:
        if self.at >= sequence.end and sequence.is_bounded:
            self._stack.pop()
            return
        header = header_at(self.content, self.at, sequence.end, sequence.encoding)
        if header is None:
            self._ends_early("a sequence is not ended")
        elif header.tag == ITEM:
            self._open_item(sequence, header)
        elif header.tag == SEQUENCE_END:
            self._end_sequence(sequence, header)
        elif sequence.is_bounded:
            self._give_up_bounded("something else stands where an item belongs")
        elif sequence.items:
            self._note(_DAMAGED, "a sequence is not ended", None)
            self._stack.pop()
        elif self._bound() is not None:
            self._give_up_bounded("a sequence holds no item")
        else:
            message = f"{name_of(sequence.tag)} holds something that is no item"
            raise Refused("unreadable", _DAMAGED, message)

    def _open_item(self, sequence: Sequence, header: Header) -> None:
        self._items += 1
        if self._items > self.limits.items_max:
            raise Refused("limit", "too-large", f"more than {self.limits.items_max} items")
        if len(sequence.items) == self.limits.items_usual_max:
            self._note("sequence-large", "a sequence has unusually many items", None)
        if header.length == UNDEFINED:
            item = Elements(sequence.end, sequence.encoding, is_bounded=False)
        else:
            end = self._item_end(sequence, header)
            item = Elements(end, sequence.encoding, is_bounded=True)
        sequence.items.append(item.tokens)
        self._stack.append(item)
        self.at = header.offset

    def _item_end(self, sequence: Sequence, header: Header) -> int:
        """Return where the item ends; of two ends the one counts that is followed by sense."""
        stop = header.stop
        if stop <= sequence.end:
            return stop
        if stop > self.end:
            message = f"an item of {name_of(sequence.tag)} is longer than the object"
            if header.length > self.end:
                raise Refused("unreadable", _DAMAGED, message)
            if not sequence.is_bounded:
                raise Refused("truncated", "truncated", message)
        self._note(_DAMAGED, "an item is longer than its sequence", None)
        outer = self._stack[-2]
        encoding = outer.encoding
        if (
            sequence.is_bounded
            and stop <= outer.end
            and is_plausible(self.content, stop, outer.end, encoding)
            and not is_plausible(self.content, sequence.end, outer.end, encoding)
        ):
            sequence.end = stop
        return sequence.end

    def _end_sequence(self, sequence: Sequence, header: Header) -> None:
        if sequence.is_bounded:
            self._note(_DAMAGED, "a delimiter inside a sequence of defined length", None)
            self.at = header.offset
        else:
            outer = self._stack[-2]
            self._stack.pop()
            self.at = self._behind_delimiter(header, outer)

    # --- encapsulated pixel data -----------------------------------------------------------------

    def _fragments(self, level: Elements, header: Header) -> None:
        run = Fragments(self.content, header.offset, level.end, level.encoding)
        while run.take():
            if len(run.found) > self.limits.items_max:
                raise Refused("limit", "too-large", f"more than {self.limits.items_max} fragments")
        for kind, message in run.oddities.items():
            self._note(kind, message, PIXEL_DATA)
        self.at = run.at
        length = run.at - header.offset
        self._keep(level, Token(header.tag, header.vr, header.offset, length, None, run.found))

    # --- where the bytes end too soon ------------------------------------------------------------

    def _is_trailing(self, level: Elements, header: Header) -> bool:
        """Whether what follows on the outermost level is no element any more."""
        if header.tag == 0 and header.length == 0:
            return self.pixel_data is not None or self._is_blank(self.at)
        if self.pixel_data is None:
            return False
        if header.tag >> 16 == 0xFFFF:
            return header.vr == "" or header.stop > level.end
        return not is_plausible(self.content, self.at, level.end, level.encoding)

    def _is_blank(self, at: int) -> bool:
        """Whether only zeros are left; said once, because it ends the walk either way."""
        step = 1 << 16
        for start in range(at, self.end, step):
            if bytes(self.content[start : min(start + step, self.end)]).strip(b"\0"):
                message = f"nothing but zeros where an element belongs, at byte {at}"
                raise Refused("unreadable", "element-damaged", message)
        return True

    def _cut_in_header(self, level: Elements) -> None:
        if len(self._stack) > 1:
            self._ends_early("an item ends inside an element")
        elif self.pixel_data is not None:
            self._note("trailing-bytes", "bytes after the data set that are no elements", None)
            self.at = level.end
        elif self._tag_at(self.at, level.encoding) in PIXEL_TAGS:
            self._pixel_data_cut(level, Header(PIXEL_DATA, "OW", level.end, 0))
        else:
            raise Refused("truncated", "truncated", "the object ends inside an element")

    def _overrun(self, level: Elements, header: Header) -> None:
        """Answer a value that is longer than the bytes at hand."""
        if len(self._stack) == 1 and header.tag in PIXEL_TAGS:
            self._pixel_data_cut(level, header)
        elif self._bound() is not None:
            self._give_up_bounded("an element is longer than its item")
        elif header.vr == "SQ" and header.length > self.end:
            message = f"{name_of(header.tag)} is longer than the object"
            raise Refused("unreadable", _DAMAGED, message)
        else:
            message = f"the object ends inside {name_of(header.tag)}"
            raise Refused("truncated", "truncated", message)

    def _pixel_data_cut(self, level: Elements, header: Header) -> None:
        self._note("pixel-data-truncated", "the object ends inside Pixel Data", PIXEL_DATA)
        left = level.end - header.offset
        self._keep(level, Token(header.tag, header.vr, header.offset, left))
        self.at = level.end

    def _ends_early(self, what: str) -> None:
        if self._bound() is None:
            raise Refused("truncated", "truncated", f"the object ends too soon: {what}")
        self._give_up_bounded(what)

    def _bound(self) -> int | None:
        """Return the place in the stack of the innermost level with a length of its own."""
        for place in range(len(self._stack) - 1, 0, -1):
            if self._stack[place].is_bounded:
                return place
        return None

    def _give_up_bounded(self, what: str) -> None:
        """Leave the innermost level whose end is known; what stood in it stays as far as read."""
        place = self._bound()
        assert place is not None
        self._odd_one()
        self._note(_DAMAGED, what, None)
        self.at = self._stack[place].end
        del self._stack[place:]

    def _note(self, kind: str, message: str, tag: int | None) -> None:
        parts = [
            f"{name_of(level.tag)}[{len(level.items)}]"
            for level in self._stack
            if isinstance(level, Sequence)
        ]
        if tag is not None:
            parts.append(name_of(tag))
        self.notes.add(kind, message, ".".join(parts) or None)
