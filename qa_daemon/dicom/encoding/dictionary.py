"""Tags, keywords, value representations and multiplicities of PS3.6, and UIDs of its annex A.

The tables are pydicom's. They are read without the package around them, which imports decoders and
downloads: 0.3 s of the start of every process, which has to be quick.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Final, TypeAlias

#: VR, VM, name, "Retired" or "", keyword.
Entry: TypeAlias = tuple[str, str, str, str, str]
#: Name, type, further information, "Retired" or "", keyword.
UidEntry: TypeAlias = tuple[str, str, str, str, str]


def _table(name: str) -> ModuleType:
    """Return a module of tables of the package pydicom, which is itself not imported."""
    package = find_spec("pydicom")
    places = package.submodule_search_locations if package else None
    found = PathFinder.find_spec(name, places)
    if found is None or found.loader is None:
        raise ImportError(f"pydicom has no {name}; install the release that qa-daemon names")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


_PUBLIC: Final = _table("_dicom_dict")
_ENTRIES: Final[Mapping[int, Entry]] = _PUBLIC.DicomDictionary
_PRIVATE: Final[Mapping[str, Mapping[str, tuple[str, str, str, str]]]] = _table(
    "_private_dict"
).private_dictionaries
#: PS3.6 annex A, by UID.
UIDS: Final[Mapping[str, UidEntry]] = _table("_uid_dict").UID_dictionary
#: Entries of which one stands for many groups or elements: pattern, its fixed bits, their mask.
_REPEATERS: Final = tuple(
    (
        entry,
        int(pattern.replace("x", "0"), 16),
        int("".join("0" if digit == "x" else "F" for digit in pattern), 16),
    )
    for pattern, entry in _PUBLIC.RepeatersDictionary.items()
)
_TAGS: Final = {entry[4]: tag for tag, entry in _ENTRIES.items()}

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

_KEYWORDS: Final = {tag: keyword for keyword, tag in _TAGS.items()}
#: First VR where PS3.6 names several.
_FIRST: Final = {
    "US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "US",
}  # fmt: skip


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def received_vrs(tag: int) -> frozenset[str]:
    """Return the VRs that PS3.6 allows for a public tag; empty for unknown and private ones."""
    entry = _entry(tag)
    return frozenset(entry[0].split(" or ")) if entry else frozenset()


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def vr_of(tag: int) -> str:
    """Return the VR for a tag that came without one: by dictionary, else UN (PS3.5 6.2.2)."""
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    entry = _entry(tag)
    if entry is None:
        return "UN"
    return _FIRST.get(entry[0], entry[0] if len(entry[0]) == 2 else "UN")


def private_vr(tag: int, creator: str) -> str:
    """Return the VR that a vendor's list gives a private element; LO where none does."""
    listed, group, element = _PRIVATE.get(creator, {}), f"{tag >> 16:04X}", f"{tag & 0xFFFF:04X}"
    # The block that a creator reserves is free (PS3.5 7.8.1), and some use many groups.
    for key in (
        f"{group}{element}",
        f"{group}xx{element[2:]}",
        f"{group[:2]}xxxx{element[2:]}",
    ):
        if key in listed:
            vr = listed[key][0]
            return _FIRST.get(vr, vr if len(vr) == 2 else "LO")
    return "LO"


@lru_cache(maxsize=1 << 14)  # hostile objects name millions of tags
def values_max(tag: int) -> int | None:
    """Return how many values PS3.6 allows at most, None for no bound or an unknown tag."""
    entry = _entry(tag)
    most = entry[1].rpartition("-")[2] if entry else ""
    return int(most) if most.isdigit() else None


def tag_of(keyword: str) -> int | None:
    """Return the tag of a keyword of PS3.6, None if there is none."""
    return _TAGS.get(keyword)


def keywords() -> tuple[str, ...]:
    """Return all keywords of PS3.6."""
    return tuple(_TAGS)


def keyword_of(tag: int) -> str | None:
    """Return the keyword of a tag of PS3.6, None if there is none."""
    return _KEYWORDS.get(tag)


def name_of(tag: int) -> str:
    """Return the keyword of a tag, else its eight hex digits."""
    return _KEYWORDS.get(tag) or f"{tag:08X}"


def is_private(tag: int) -> bool:
    """Whether the group is odd (PS3.5 7.8)."""
    return bool(tag >> 16 & 1)


def _entry(tag: int) -> Entry | None:
    """Return what PS3.6 says of a public tag, groups that repeat included; None if nothing."""
    found = _ENTRIES.get(tag)
    if found is not None or is_private(tag):
        return found
    for entry, fixed, mask in _REPEATERS:
        if (tag ^ fixed) & mask == 0:
            return entry  # type: ignore[no-any-return]  # a table of pydicom's
    return None
