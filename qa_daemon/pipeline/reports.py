"""Report files: per judged series one for machines and one for people, always whole."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from qa_daemon.errors import RetryableError
from qa_daemon.report.as_json import suggestions_as_dicom_json
from qa_daemon.report.as_text import series_text
from qa_daemon.report.summary import SeriesReport

MODE: Final = 0o640
FOLDER_MODE: Final = 0o750
#: What intake takes for a UID: letters, too, which only makes a finding (`dicom.header`).
_COMPONENTS: Final = re.compile(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*")


def report_paths(folder: Path, study_uid: str, series_uid: str) -> tuple[Path, Path]:
    """Return where the JSON and the text of a series stand; no path escapes the folder.

    Raises
    ------
    AssertionError
        If a UID is one that intake never lets in.
    """
    assert all(map(_COMPONENTS.fullmatch, (study_uid, series_uid)))
    place = folder / study_uid
    return place / f"{series_uid}.json", place / f"{series_uid}.txt"


def write_report(folder: Path, report: SeriesReport, *, rules: str, version: str) -> None:
    """Write both files of a series; an older revision's are replaced.

    Raises
    ------
    RetryableError
        If the folder cannot be written.
    """
    series = report.series
    machine, person = report_paths(folder, series.study_instance_uid, series.series_instance_uid)
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        machine.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _replace(machine, suggestions_as_dicom_json(series, report.verdict))
        _replace(person, series_text(report, rules=rules, version=version))
    except OSError as error:
        raise RetryableError(
            f"reports.folder {folder}: cannot be written: {error.strerror}; free space or mend "
            "its permissions"
        ) from error


def remove_report(folder: Path, study_uid: str, series_uid: str) -> None:
    """Remove both files of a series, and the folder of its study if nothing else is in it."""
    machine, person = report_paths(folder, study_uid, series_uid)
    for path in (machine, person):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        machine.parent.rmdir()


def _replace(path: Path, text: str) -> None:
    with _beside(path) as draft:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(MODE)
        draft.replace(path)  # atomic: a reader sees the old report or the new one, whole


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
