"""Text that means harm to a careless reader: markup, formulas, control and hidden characters."""

import re
from typing import Final

#: Bytes in which nothing hostile can hide; everything else is looked at closely.
SAFE: Final = re.compile(rb"(?![=+@])[A-Za-z0-9 .,_^:;()\[\]*#&?!+=\\-]*[ \0]?")
#: Two dots are safe, a path that climbs needs a slash or a percent sign, which SAFE has not.
_HTML: Final = (
    r"</?(?:script|img|svg|iframe|object|embed|html|body|style|link|meta|form|input|video|audio"
    r"|base|marquee|a|b|i)\b|<!doctype|\bon[a-z]{3,20}\s{0,9}="
)
_TEMPLATE: Final = r"\{\{|\$\{|<%|%[snx]%[snx]|__(?:class|import|globals|init|builtins)__"
_SQL: Final = r"'\s{0,9}or\s{0,9}'|;\s{0,9}drop\s{1,9}table\b|\bunion\s{1,9}select\b"
_PATH: Final = r"\.\.(?:/|%)"
#: Invisible or reordering characters; joiners and marks that scripts need are left out.
_HIDDEN: Final = "[\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|[\u0300-\u036f]{9}"
_FORMULA: Final = r"\A(?:[=@][a-z]+[(|!]|\+\d+[+*]\d)"
_HOSTILE: Final = re.compile(
    f"{_HTML}|{_TEMPLATE}|{_SQL}|{_PATH}|{_HIDDEN}|{_FORMULA}", re.IGNORECASE
)
#: Format effectors are for texts of several lines (PS3.5 6.1.3); escapes are judged in decoding.
_CONTROLS: Final = re.compile("[\0-\x1f\x7f]")
_CONTROLS_IN_LINES: Final = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f]")


def is_hostile(text: str, *, is_whole: bool) -> bool:
    """Whether a decoded value without padding needs care wherever it is shown.

    `is_whole`: a VR of several lines (ST, LT, UT).
    """
    controls = _CONTROLS_IN_LINES if is_whole else _CONTROLS
    return bool(controls.search(text) or _HOSTILE.search(text))
