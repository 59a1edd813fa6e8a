"""Values against their VR, multiplicity and character set, on every level of the data set."""

from collections.abc import Sequence
from typing import Final

from attrs import define, field

from qa_daemon.dicom.checks.formats import GOOD, in_words, is_too_long, is_valid
from qa_daemon.dicom.checks.hostile import SAFE, is_hostile
from qa_daemon.dicom.encoding.dictionary import (
    BINARY_SIZES,
    is_private,
    name_of,
    received_vrs,
    values_max,
)
from qa_daemon.dicom.encoding.text import UNDECLARED, Charset, charset_of
from qa_daemon.dicom.encoding.tokens import PIXEL_TAGS, Token, cut
from qa_daemon.dicom.encoding.values import CHARSET_VRS, TEXT_VRS, WHOLE_VRS, resolved_vr
from qa_daemon.dicom.scan import Scan
from qa_daemon.limits import Limits

_CHARACTER_SET: Final = 0x00080005
#: Orientation, position, spacing, Patient Position, Laterality, window, rescale: rules judge their
#: values and say more than a format could.
_RULED: Final = frozenset(
    (
        0x00200037, 0x00200032, 0x00280030, 0x00185100, 0x00200060, 0x00281050, 0x00281051,
        0x00281052, 0x00281053,
    )
)  # fmt: skip
#: Counted and judged with the pixels (`checks.pixels`).
_PIXEL_GROUP: Final = frozenset(
    (0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101,
     0x00280102, 0x00280103)
)  # fmt: skip
#: VRs of free text: one read in place of another says the same.
_KIN: Final = frozenset(("CS", "SH", "LO", "ST", "LT", "UC", "UT"))
#: Looked at byte by byte only up to here; longer values take the slower way.
_PLAIN_BYTES_MAX: Final = 1 << 10
#: What decoding and judging a value costs beside its bytes, in bytes.
_TEXT_OVERHEAD_BYTES: Final = 256
_INVALID: Final = {"UI": "uid-invalid"}
#: VRs without a form of their own: a long value is first of all long.
_LENGTH_FIRST: Final = frozenset(("AE", "CS"))


def check_values(scanned: Scan, limits: Limits) -> None:
    """Note every value that is not written as PS3.5 asks."""
    check = _Check(scanned, limits)
    check.levels.append((scanned.data_set, UNDECLARED, ""))
    while check.levels:
        tokens, charset, prefix = check.levels.pop()
        check.level(tokens, charset, prefix)


@define
class _Check:
    scanned: Scan
    limits: Limits
    levels: list[tuple[list[Token], Charset, str]] = field(factory=list)
    read_bytes: int = 0

    def level(self, tokens: Sequence[Token], outer: Charset, prefix: str) -> None:
        """Check the elements of one level, put its sequences' items on the list."""
        charset = self._charset(tokens, outer, prefix)
        creators: set[int] | None = None
        for token in tokens:
            if is_private(token.tag):
                if creators is None:
                    creators = {other.tag for other in tokens if other.tag & 0xFF00 == 0}
                self._private(token, charset, creators, prefix)
            elif token.items is not None:
                self._sequence(token, charset, prefix)
            elif token.length and token.tag & 0xFFFF:
                self._element(token, charset, prefix)

    def _charset(self, tokens: Sequence[Token], outer: Charset, prefix: str) -> Charset:
        token = next((t for t in tokens if t.tag == _CHARACTER_SET and t.length), None)
        if token is None:
            return outer
        raw = cut(self.scanned.content, token.offset, min(token.length, _PLAIN_BYTES_MAX))
        terms = raw.decode("ascii", "replace").split("\\")
        charset = charset_of(tuple(term.strip(" \0") for term in terms))
        if not charset.is_known:
            message = "the character set is none of PS3.3 C.12.1.1.2"
            self.scanned.notes.add("charset-unknown", message, f"{prefix}SpecificCharacterSet")
        return charset

    def _sequence(self, token: Token, charset: Charset, prefix: str) -> None:
        name = name_of(token.tag)
        received = received_vrs(token.tag)
        if received and "SQ" not in received:
            self._note("vr-mismatch", "is a sequence, PS3.6 says otherwise", token, prefix)
        for number, item in enumerate(token.items or (), 1):
            if item:
                self.levels.append((item, charset, f"{prefix}{name}[{number}]."))

    def _private(self, token: Token, charset: Charset, creators: set[int], prefix: str) -> None:
        element = token.tag & 0xFFFF
        if 0x10 <= element <= 0xFF:
            raw = cut(self.scanned.content, token.offset, min(token.length, _PLAIN_BYTES_MAX))
            self._hostile(token, charset.decode(raw).text.strip(" \0"), "LO", prefix)
        elif element >= 0x1000 and (token.tag & 0xFFFF0000 | element >> 8) not in creators:
            message = "private elements without their creator"
            self.scanned.notes.add("private-no-creator", message)

    def _element(self, token: Token, charset: Charset, prefix: str) -> None:
        vr = token.vr
        received = received_vrs(token.tag)
        if vr == "UN":
            vr = resolved_vr(token, signed=False)
        elif received and vr not in received:
            kind = "vr-related" if vr in _KIN and received <= _KIN else "vr-mismatch"
            self._note(kind, f"has VR {vr}, PS3.6 says otherwise", token, prefix)
        if vr in TEXT_VRS:
            self._text(token, vr, charset, prefix)
        elif vr in BINARY_SIZES:
            self._binary(token, vr, prefix)
        elif token.length % 2 and token.tag not in PIXEL_TAGS:
            self._note("value-odd-length", "has an odd length", token, prefix)

    def _binary(self, token: Token, vr: str, prefix: str) -> None:
        if token.tag in PIXEL_TAGS:
            return
        count, left = divmod(token.length, BINARY_SIZES[vr])
        if left:
            self._note("value-invalid", f"is no whole number of {vr} values", token, prefix)
        elif token.tag not in _PIXEL_GROUP and not vr.startswith("O"):
            self._multiplicity(token, count, prefix)

    def _text(self, token: Token, vr: str, charset: Charset, prefix: str) -> None:
        raw = cut(self.scanned.content, token.offset, min(token.length, _TEXT_BYTES_MAX))
        if token.length % 2:
            self._note("value-odd-length", "has an odd length", token, prefix)
        if self._is_good(raw, vr):
            if b"\\" in raw:
                self._multiplicity(token, raw.count(b"\\") + 1, prefix)
            return
        if token.tag in _RULED or token.tag in _PIXEL_GROUP or token.tag == _CHARACTER_SET:
            return
        if self._is_spent(len(raw)):
            return
        text = self._decoded(token, raw, vr, charset, prefix)
        values = (text.rstrip(" \0"),) if vr in WHOLE_VRS else tuple(text.split("\\"))
        if vr not in WHOLE_VRS:
            self._multiplicity(token, len(values), prefix)
        for value in values[: self.limits.irregularities_max]:
            self._value(token, value.strip(" \0"), vr, prefix)

    def _is_spent(self, size: int) -> bool:
        """Count text that is decoded and searched; say once that the rest of it is not."""
        self.read_bytes += size + _TEXT_OVERHEAD_BYTES
        if self.read_bytes <= self.limits.text_bytes_max:
            return False
        message = f"more than {self.limits.text_bytes_max} bytes of unusual text; the rest unread"
        self.scanned.notes.add("text-large", message)
        return True

    @staticmethod
    def _is_good(raw: bytes, vr: str) -> bool:
        if len(raw) > _PLAIN_BYTES_MAX:
            return False
        pattern = GOOD.get(vr)
        if pattern is not None:
            return pattern.fullmatch(raw) is not None
        return vr in CHARSET_VRS and len(raw) <= 16 and SAFE.fullmatch(raw) is not None

    def _decoded(self, token: Token, raw: bytes, vr: str, charset: Charset, prefix: str) -> str:
        if vr not in CHARSET_VRS:
            return raw.decode("latin-1")
        decoded = charset.decode(raw)
        if decoded.kind is not None and len(raw) == token.length:
            messages = {
                "charset-undeclared": "holds characters of a set that is not declared",
                "charset-decode": "holds bytes that its character set does not have",
            }
            self._note(decoded.kind, messages[decoded.kind], token, prefix)
        return decoded.text

    def _value(self, token: Token, value: str, vr: str, prefix: str) -> None:
        valid = is_valid(value, vr)
        if is_too_long(value, vr) and (valid or vr in _LENGTH_FIRST):
            kind = "decimal-too-long" if vr == "DS" else "value-too-long"
            self._note(kind, f"is longer than {vr} allows", token, prefix)
        elif not valid:
            kind = _INVALID.get(vr, "value-invalid")
            self._note(kind, f"is not written as {in_words(vr)}", token, prefix)
        if vr in CHARSET_VRS:
            self._hostile(token, value, vr, prefix)

    def _hostile(self, token: Token, value: str, vr: str, prefix: str) -> None:
        if is_hostile(value, is_whole=vr in WHOLE_VRS):
            message = "holds markup, formulas, control or hidden characters"
            self._note("hostile-text", message, token, prefix)

    def _multiplicity(self, token: Token, count: int, prefix: str) -> None:
        most = values_max(token.tag)
        if most is not None and count > most and token.tag not in _RULED:
            self._note(
                "value-multiplicity",
                f"has more than {most} value{'s' if most > 1 else ''}",
                token,
                prefix,
            )

    def _note(self, kind: str, message: str, token: Token, prefix: str) -> None:
        path = prefix + name_of(token.tag)
        self.scanned.notes.add(kind, f"{path} {message}", path)


#: Longer text is judged by its beginning.
_TEXT_BYTES_MAX: Final = 1 << 17
