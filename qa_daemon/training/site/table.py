"""`labels.csv`: which picture shows what, of whom. Read whole, and refused whole.

Columns, in any order: `file` (path within the folder), `patient` (any name that tells patients
apart; it is hashed and never written out), `labels` (of the target, joined by `|`), and if wanted
`frame` (from 1), `series`, `source` (a hospital, a scanner) and `decision`: how the label came to
be, `accepted` (a person agreed with the service), `rejected`, `audit` (seen blind), or nothing (by
hand).
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import frozen

from qa_daemon.errors import InputError

TABLE: Final = "labels.csv"
REQUIRED: Final = ("file", "patient", "labels")
OPTIONAL: Final = ("frame", "series", "source", "decision")
#: A hundred thousand rows are some 10 MB; more is not a table made by people.
TABLE_BYTES_MAX: Final = 64 << 20
#: Faults that are told at once; the rest are counted.
FAULTS_TOLD: Final = 20
#: Fewer patients give neither a model nor figures.
PATIENTS_MIN: Final = 20


# Number of Frames is an IS, and far fewer are real.
_FRAME: Final = re.compile("0*[1-9][0-9]{0,8}", re.ASCII)


class Decision(StrEnum):
    """How a label came to be."""

    BY_HAND = ""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AUDIT = "audit"


@frozen(kw_only=True)
class Row:
    """One labelled picture. `patient` is hashed."""

    file: str
    frame: int
    patient: str
    labels: tuple[str, ...]
    series: str
    source: str
    decision: Decision


def rows_of(folder: Path, labels: Sequence[str], patients_min: int = PATIENTS_MIN) -> list[Row]:
    """Read the table of a folder.

    Raises
    ------
    InputError
        If it is missing or malformed, names an unknown label or a file that is not there, or has
        too few patients. All faults are told at once, with the line of each.
    """
    records = _records(folder / TABLE)
    rows: list[Row] = []
    faults: list[str] = []
    for line, record in records:
        found = _row(folder, record, labels)
        if isinstance(found, Row):
            rows.append(found)
        else:
            faults.append(f"line {line}: {found}")
    refuse(faults)
    patients = len({row.patient for row in rows})
    if patients < patients_min:
        raise InputError(
            f"{TABLE}: {patients} patients; at least {patients_min} are needed, because patients "
            "that the model has not seen must tell how good it is"
        )
    return rows


def refuse(faults: Sequence[str]) -> None:
    """Raise one error that tells the faults, if there are any."""
    if not faults:
        return
    told = list(faults[:FAULTS_TOLD])
    if len(faults) > FAULTS_TOLD:
        told.append(f"and {len(faults) - FAULTS_TOLD} more")
    raise InputError(f"{TABLE}: cannot be used\n  " + "\n  ".join(told))


def _records(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    if not path.is_file():
        raise InputError(
            f"{path.name}: not found in the folder; write one with the columns "
            f"{', '.join(REQUIRED)} (README, Train on your own images)"
        )
    if path.stat().st_size > TABLE_BYTES_MAX:
        raise InputError(f"{path.name}: larger than {TABLE_BYTES_MAX} bytes; split the folder")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            columns = reader.fieldnames or []
            missing = [name for name in REQUIRED if name not in columns]
            if missing:
                raise InputError(f"{path.name}: has no column {', '.join(missing)}; add it")
            return list(_whole(reader))
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: is not UTF-8; save it as UTF-8") from error
    except csv.Error as error:
        raise InputError(f"{path.name}: is not a table of comma-separated values") from error


def _whole(reader: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str, str]]]:
    for record in reader:
        yield (
            reader.line_num,
            {name: (record.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)},
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _row(folder: Path, record: Mapping[str, str], known: Sequence[str]) -> Row | str:
    """Return the row, or what is wrong with it."""
    labels = tuple(part.strip() for part in record["labels"].split("|") if part.strip())
    strange = [label for label in labels if label not in known]
    path = PurePosixPath(record["file"])
    is_within = bool(record["file"]) and not path.is_absolute() and ".." not in path.parts
    frame, decision = record["frame"] or "1", record["decision"]
    checks = (
        (bool(record["patient"]), "no patient"),
        (not strange, f"unknown label {', '.join(strange)}; use {', '.join(known)}"),
        (is_within, "file must be a path within the folder"),
        (is_within and _is_file(folder / path), f"{path}: no such file"),
        (
            bool(_FRAME.fullmatch(frame)),
            "frame must be a whole number from 1 on",
        ),
        (
            decision in set(Decision),
            f"unknown decision {decision}; use accepted, rejected, audit, or nothing",
        ),
    )
    for is_right, fault in checks:
        if not is_right:
            return fault
    source = record["source"] or "own"
    return Row(
        file=str(path),
        frame=int(frame),
        patient=f"{source}|{hashlib.sha256(record['patient'].encode()).hexdigest()[:16]}",
        labels=labels,
        series=record["series"],
        source=source,
        decision=Decision(decision),
    )
