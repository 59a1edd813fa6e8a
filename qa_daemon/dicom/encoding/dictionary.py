"""Tags, keywords, value representations and multiplicities of PS3.6."""

from functools import lru_cache
from typing import Final

from pydicom.datadict import (
    dictionary_VM,
    dictionary_VR,
    keyword_dict,
    private_dictionary_VR,
)

#: VRs whose explicit length has 16 bits (PS3.5 7.1.2).
SHORT_VRS: Final = frozenset(
    (
        "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL",
        "SS", "ST", "TM", "UI", "UL", "US",
    )
)  # fmt: skip
#: VRs with two reserved bytes and 32 bits of length.
LONG_VRS: Final = frozenset(
    ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
)
#: Bytes of one binary value.
BINARY_SIZES: Final = {
    "AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
    "OW": 2, "OF": 4, "OD": 8, "OL": 4, "OV": 8,
}  # fmt: skip

_KEYWORDS: Final = {tag: keyword for keyword, tag in keyword_dict.items()}
#: First VR where PS3.6 names several.
_FIRST: Final = {
    "US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "US",
}  # fmt: skip


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def received_vrs(tag: int) -> frozenset[str]:
    """Return the VRs that PS3.6 allows for a public tag; empty for unknown and private ones."""
    try:
        return frozenset(dictionary_VR(tag).split(" or "))
    except KeyError:
        return frozenset()


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def vr_of(tag: int) -> str:
    """Return the VR for a tag that came without one: by dictionary, else UN (PS3.5 6.2.2)."""
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return _FIRST.get(vr, vr if len(vr) == 2 else "UN")


def private_vr(tag: int, creator: str) -> str:
    """Return the VR that a vendor's list gives a private element; LO where none does."""
    try:
        vr = private_dictionary_VR(tag, creator)
    except KeyError:
        return "LO"
    return _FIRST.get(vr, vr if len(vr) == 2 else "LO")


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def values_max(tag: int) -> int | None:
    """Return how many values PS3.6 allows at most, None for no bound or an unknown tag."""
    try:
        most = dictionary_VM(tag).rpartition("-")[2]
    except KeyError:
        return None
    return int(most) if most.isdigit() else None


def tag_of(keyword: str) -> int | None:
    """Return the tag of a keyword of PS3.6, None if there is none."""
    return keyword_dict.get(keyword)


def keywords() -> tuple[str, ...]:
    """Return all keywords of PS3.6."""
    return tuple(keyword_dict)


def name_of(tag: int) -> str:
    """Return the keyword of a tag, else its eight hex digits."""
    return _KEYWORDS.get(tag) or f"{tag:08X}"


def is_private(tag: int) -> bool:
    """Whether the group is odd (PS3.5 7.8)."""
    return bool(tag >> 16 & 1)
