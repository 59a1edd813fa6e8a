"""Change sets as files: STUDY/UID.csv, .txt and .json; the last says that all are there."""

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from qa_daemon.export.package import Answer, Package, Verdict
from qa_daemon.export.written.as_csv import change_set_as_csv
from qa_daemon.export.written.as_json import change_set_as_json
from qa_daemon.export.written.as_text import change_set_as_text

MODE: Final = 0o640
FOLDER_MODE: Final = 0o750
#: Of change sets about no single study.
NO_STUDY: Final = "visits"
#: What intake takes for a UID (`dicom.header`): no path escapes the folder.
_COMPONENTS: Final = re.compile(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*")


def place_of(folder: Path, package: Package) -> Path:
    """Return the path of the files without their endings; the same change set, the same path."""
    study = package.change_set.study_instance_uid or NO_STUDY
    uid = package.change_set.uid
    assert _COMPONENTS.fullmatch(study)
    assert _COMPONENTS.fullmatch(uid)
    return folder / study / uid


def write(folder: Path, package: Package) -> Answer:
    """Write the three files, each whole or not at all; a repetition writes the same again."""
    place = place_of(folder, package)
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        place.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        for ending, text in (
            ("csv", change_set_as_csv(package)),
            ("txt", change_set_as_text(package)),
            ("json", change_set_as_json(package)),
        ):
            _replace(place.with_name(f"{place.name}.{ending}"), text)
    except OSError as error:
        words = f"cannot be written: {error.strerror}; free space or mend its permissions"
        return Answer(verdict=Verdict.LATER, words=words)
    return Answer(verdict=Verdict.SENT, words=f"written as {place.parent.name}/{place.name}.json")


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(MODE)
        draft.replace(path)  # atomic: a reader sees the whole file or none
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
