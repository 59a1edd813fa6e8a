"""What a value of each VR looks like (PS3.5 6.2), and how long it may be."""

import re
from typing import Final

#: Most bytes or characters of one value; PN counts per component group.
LENGTHS_MAX: Final = {
    "AE": 16, "AS": 4, "CS": 16, "DA": 8, "DS": 16, "DT": 26, "IS": 12, "LO": 64, "LT": 10240,
    "PN": 64, "SH": 16, "ST": 1024, "TM": 14, "UI": 64,
}  # fmt: skip
_GROUPS_MAX: Final = 3  # alphabetic, ideographic, phonetic
_IS_MIN, _IS_MAX = -(1 << 31), (1 << 31) - 1
_FORMATS: Final = {
    "AE": re.compile(r"[ -\[\]-~]+"),
    "AS": re.compile(r"\d{3}[DWMY]", re.ASCII),
    "CS": re.compile(r"[A-Z0-9_ ]+"),
    "DA": re.compile(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", re.ASCII),
    "DT": re.compile(
        r"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)"
        r"(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?",
        re.ASCII,
    ),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?", re.ASCII),
    "IS": re.compile(r"[+-]?\d{1,11}", re.ASCII),
    "DS": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "UI": re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*", re.ASCII),
}
#: How a value of each VR should look, in words for people.
_IN_WORDS: Final = {
    "AE": "an application title (AE, ASCII without backslash)",
    "AS": "an age (AS, as in 045Y)",
    "CS": "a code (CS, capitals, digits, space and underscore only)",
    "DA": "a date (DA, as in 20240131)",
    "DS": "a decimal number (DS)",
    "DT": "a date and time (DT, as in 20240131134501)",
    "IS": "a whole number (IS)",
    "TM": "a time (TM, as in 134501)",
    "UI": "a UID (digits and dots, no part with a leading zero)",
}
#: Bytes of a whole element that are right beyond doubt, up to 1 KiB: the path of speed.
GOOD: Final = {
    "AS": re.compile(rb"\d{3}[DWMY]"),
    "CS": re.compile(rb"[A-Z0-9_ ]{0,16}(\\[A-Z0-9_ ]{0,16})*"),
    "DA": re.compile(rb"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d)"),
    "DS": re.compile(rb"[+-]?\d{1,5}(\.\d{1,9})?(\\[+-]?\d{1,5}(\.\d{1,9})?)* ?"),
    "IS": re.compile(rb"[+-]?\d{1,9}(\\[+-]?\d{1,9})* ?"),
    "TM": re.compile(rb"([01]\d|2[0-3])[0-5]\d[0-5]\d(\.\d{1,6})?[ ]?"),
    "UI": re.compile(rb"(?=.{1,64}\Z)[1-9]\d*(\.(0|[1-9]\d*))*\0?", re.DOTALL),
}


def is_valid(value: str, vr: str) -> bool:
    """Whether one value without padding is written as its VR asks; length apart."""
    pattern = _FORMATS.get(vr)
    if pattern is None or value == "":
        return True
    if not pattern.fullmatch(value):
        return False
    if vr == "IS":
        return _IS_MIN <= int(value) <= _IS_MAX
    return vr != "DS" or abs(float(value)) != float("inf")


def in_words(vr: str) -> str:
    """Return what a value of the VR should look like, for a message."""
    return _IN_WORDS.get(vr, vr)


def is_too_long(value: str, vr: str) -> bool:
    """Whether one value without padding has more characters than its VR allows."""
    limit = LENGTHS_MAX.get(vr)
    if limit is None or len(value) <= limit:
        return False
    if vr != "PN":
        return True
    groups = value.split("=")
    return len(groups) > _GROUPS_MAX or any(len(group) > limit for group in groups)
