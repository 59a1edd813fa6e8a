"""Attributes of type 1 and 2 by SOP class and module (PS3.3 Annex A and C, edition 2026b)."""

import csv
from functools import cache
from importlib.resources import files
from typing import Final

from attrs import frozen

#: Modules of every composite object (PS3.3 A.1.3); all that is known of a private class.
_COMMON: Final = ("patient", "general-study", "general-series", "general-equipment", "sop-common")
_CAPITALS: Final = frozenset(
    {"cr", "ct", "mr", "pet", "dx", "xa", "xrf", "us", "rt", "sop", "voi", "vl"}
)


@frozen
class Required:
    """An attribute that must be there: type 1 with a value, type 2 at least empty (PS3.5 7.4).

    Attributes
    ----------
    module
        Its name in PS3.3 Annex C; where several modules have the attribute, the strictest of them.
    """

    keyword: str
    type: int
    module: str


def required(sop_class_uid: str) -> tuple[Required, ...]:
    """Return what an object of the class must have at top level, by its mandatory modules."""
    return _required_in(_modules_by_class().get(sop_class_uid, _COMMON))


@cache
def _required_in(modules: tuple[str, ...]) -> tuple[Required, ...]:
    found: dict[str, Required] = {}
    for kind in (1, 2):
        for module in modules:
            for keyword in _attributes().get(module, ((), ()))[kind - 1]:
                found.setdefault(keyword, Required(keyword, kind, title_of(module)))
    return tuple(found.values())


def title_of(module: str) -> str:
    """Return the name of a module as people write it."""
    words = module.split("-")
    return " ".join(w.upper() if w in _CAPITALS else w.capitalize() for w in words)


@cache
def _attributes() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {
        row["module"]: (tuple(row["type_1"].split()), tuple(row["type_2"].split()))
        for row in _rows("modules.csv")
    }


@cache
def _modules_by_class() -> dict[str, tuple[str, ...]]:
    return {
        uid: tuple(row["mandatory_modules"].split())
        for row in _rows("iods.csv")
        for uid in row["sop_classes"].split()
    }


def _rows(name: str) -> list[dict[str, str]]:
    text = files("qa_daemon.dicom.iods").joinpath(name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
