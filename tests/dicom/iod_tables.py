"""Derive the tables of `qa_daemon/dicom/iods` from the module maps in the library highdicom.

`python tests/dicom/iod_tables.py` writes both files anew; install `qa-daemon[tables]` first. The
maps are found as files: importing the library would need its codecs.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import files as files_of
from pathlib import Path
from typing import Any, Final

#: Release of the library from whose maps (PS3.3 2026b) the committed tables were derived.
VERSION: Final = "0.28.2"
TABLES: Final = Path(__file__).resolve().parents[2] / "qa_daemon" / "dicom" / "iods"

# The maps flatten the content tree of reports, so that what an item of the tree must have appears
# as what the document must have (PS3.3 C.17.3).
_FLATTENED: Final = frozenset({"sr-document-content"})
_UNCONDITIONAL: Final = ("1", "2")


def derived() -> Mapping[str, str]:
    """Return file name -> text of both tables."""
    modules, iods, classes = (
        _read(f"{name}_map.json") for name in ("module_attribute", "iod_module", "sop_class_iod")
    )
    uids = defaultdict(list)
    for uid, iod in classes.items():
        uids[iod].append(uid)
    mandatory = {
        iod: [entry["key"] for entry in iods[iod] if entry["usage"] == "M"] for iod in sorted(uids)
    }
    # The map of modules lacks a few that are too new.
    used = sorted({name for names in mandatory.values() for name in names} & set(modules))
    required = {
        name: {kind: _keywords(modules[name], kind) for kind in _UNCONDITIONAL}
        for name in used
        if name not in _FLATTENED
    }
    demanding = {name for name, kinds in required.items() if any(kinds.values())}
    return {
        "modules.csv": _table(
            ("module", "type_1", "type_2"),
            (
                (name, *(" ".join(required[name][kind]) for kind in _UNCONDITIONAL))
                for name in sorted(demanding)
            ),
        ),
        "iods.csv": _table(
            ("iod", "sop_classes", "mandatory_modules"),
            (
                (iod, " ".join(sorted(uids[iod])), " ".join(n for n in names if n in demanding))
                for iod, names in mandatory.items()
            ),
        ),
    }


def _read(name: str) -> dict[str, Any]:
    path = next(file for file in files_of("highdicom") or () if file.name == name)
    found: dict[str, Any] = json.loads(Path(str(path.locate())).read_text("utf-8"))
    return found


def _keywords(attributes: Iterable[Mapping[str, Any]], kind: str) -> list[str]:
    """Return the attributes of the top level, in the order of the module."""
    found = (each["keyword"] for each in attributes if each["type"] == kind and not each["path"])
    return list(dict.fromkeys(found))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    for file_name, content in derived().items():
        (TABLES / file_name).write_text(content, encoding="utf-8")
