"""Hostile, broken and odd objects through `check`: an outcome for each, and never a crash."""

import csv
import json
import os
import re
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest

from qa_daemon.records.finding import Severity
from tests.conftest import data_folder
from tests.corpus.conftest import MIB, Check, Result

pytestmark = pytest.mark.shared

SECONDS_MAX = 5.0
#: An archive of 20,000 members is 20,000 objects, each with its verdict.
SECONDS_PER_OBJECT_MAX = 0.001
MEMORY_MAX = 1024 * MIB

#: Where `check` differs from the corpus, which was written before the contract, and why.
DIFFERENT = {
    "archives are opened (contract, section 2)": {
        "arc_zip_good": "taken", "arc_zip_dup_names": "taken", "arc_gz_good": "taken",
    },
    "blanks and NUL around a number are padding to the scan": {"geo_iop_nul": "taken"},
    "root may read what nobody else may": {
        "special_noread": "taken" if os.geteuid() == 0 else "rejected"
    },
    "a walk does not follow links to folders; what lies beside the link is taken": {
        "special_self": "taken",
    },
    "an empty folder: nothing to reject, status 2": {"special_dir": "nothing"},
}  # fmt: skip
EXCEPTIONS = {case: outcome for cases in DIFFERENT.values() for case, outcome in cases.items()}
#: Rules that ask a model, which says nothing true about small patterns.
OF_PIXELS = re.compile(r"REGION-|ORIENT-005|ORIENT-006|ORDER-002")
TRACE = re.compile(r"Traceback|internal error", re.IGNORECASE)


def files_of(case: dict[str, Any]) -> list[str]:
    return case["file"] if isinstance(case["file"], list) else [case["file"]]


def cases(corpus: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((corpus / "manifest.json").read_text())["cases"]
    return found


def of_content(result: Result) -> list[dict[str, Any]]:
    return [each for each in result.findings if not OF_PIXELS.match(each["rule"])]


def is_as_expected(case: dict[str, Any], result: Result) -> bool:
    """Whether a case came out as the corpus says, or as the table above says."""
    is_rejected = bool(result.document["rejected"])
    exception = EXCEPTIONS.get(case["id"])
    if exception is not None:
        return exception == ("rejected" if is_rejected and not result.document["series"] else
                             "taken" if result.document["series"] else "nothing")  # fmt: skip
    match case["check"]["outcome"]:
        case "reject":
            return is_rejected and result.status == 2 and not result.findings
        case "finding":
            return not is_rejected and bool(of_content(result))
        case _:
            above = [f for f in of_content(result) if f["severity"] != Severity.INFO.word]
            return not is_rejected and not above and bool(result.document["series"])


def is_slow(check: Check, first: Result, paths: list[Path]) -> bool:
    """Whether it takes long twice; the first time other work may have held it."""
    objects = len(first.document["rejected"]) + sum(
        s["instances"] for s in first.document["series"]
    )
    allowed = max(SECONDS_MAX, SECONDS_PER_OBJECT_MAX * objects)
    return bool(first.seconds > allowed and check(*paths).seconds > allowed)


def test_every_case_comes_out_as_expected_and_soon(check: Check, nasty: Path) -> None:
    different, slow, told = [], [], []
    for case in cases(nasty):
        paths = [nasty / file for file in files_of(case)]
        result = check(*paths)
        if not is_as_expected(case, result):
            different.append((case["id"], case["check"], result.status, result.reasons))
        if is_slow(check, result, paths):
            slow.append((case["id"], result.seconds))
        if result.faults or TRACE.search(json.dumps(result.document)):
            told.append(case["id"])
    assert (different, slow, told) == ([], [], [])


#: Runs a command and tells its status and the most memory that it or a child of it held, in KiB. A
#: process of its own, for what is measured begins with the memory of who starts it: ours is large.
MEASURED = (
    "import os, subprocess, sys; process = subprocess.Popen(sys.argv[2:]); "
    "_, status, usage = os.wait4(process.pid, 0); "
    "print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=open(sys.argv[1], 'w'))"
)


def test_the_whole_corpus_at_once_needs_little_memory_and_shows_no_traceback(
    nasty: Path, tmp_path: Path
) -> None:
    out, err, told = tmp_path / "out", tmp_path / "err", tmp_path / "told"
    command = [sys.executable, "-m", "qa_daemon", "check", "--json", str(nasty)]
    with out.open("wb") as to_out, err.open("wb") as to_err:
        subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-c", MEASURED, str(told), *command],
            check=True,
            stdout=to_out,
            stderr=to_err,
        )
    status, memory_kib = map(int, told.read_text().split())
    assert status == 1
    document = json.loads(out.read_text("utf-8"))
    assert sum(series["instances"] for series in document["series"]) > 100
    assert not TRACE.search(out.read_text("utf-8") + err.read_text("utf-8", "replace"))
    assert memory_kib * 1024 < MEMORY_MAX


# --- odd files that people really have -----------------------------------------------------------

#: What comes out otherwise than the lists say, and why.
UNLISTED = {
    "nothing names them, so nothing can be said of them: no SOP Class or Instance UID": {
        "UN_sequence.dcm": "reject", "empty_charset_LEI.dcm": "reject",
        "meta_missing_tsyntax.dcm": "reject", "no_meta_group_length.dcm": "reject",
        "fo-dicom__GH340.dcm": "reject", "fo-dicom__chrSQEncoding.dcm": "reject",
        "fo-dicom__chrSQEncoding1.dcm": "reject", "orthanc-tests__Issue195-bis.dcm": "reject",
    },
    "archives are opened (contract, section 2)": {"zipMR.gz": "accept"},
    "it has all its UIDs": {"fo-dicom__Issue1097_FailToOpenDeflatedFileWithSQ.dcm": "accept"},
    "the NUL and the path stand in Accession Number; the UIDs are good": {
        "dicom-fuzzing-corpus__TC0899_pathtraversal_null_byte_traverse.dcm": "accept with finding",
    },
}  # fmt: skip
UNLISTED_OUTCOMES = dict(pair for names in UNLISTED.values() for pair in names.items())


def package_files() -> dict[str, Path]:
    """Return what pydicom and pydicom-data bring along, by the names of the table."""
    return {
        str(file): Path(str(file.locate()))
        for package in ("pydicom", "pydicom-data")
        for file in files(package) or ()
        if "/data/" in str(file) and file.suffix not in (".py", ".pyc")
    }


def odd_files() -> list[tuple[str, Path, str]]:
    """Return name, path and what is expected of every odd file that is listed."""
    folder = data_folder()
    if folder is None:
        return []
    listed = []
    by_end = package_files()
    with (folder / "nasty" / "pip_odd.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            path = next(path for name, path in by_end.items() if name.endswith("/" + row["file"]))
            listed.append((path.name, path, row["expected outcome"]))
    with (folder / "nasty" / "real" / "real.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            path = folder / "nasty" / "real" / row["file"]
            listed.append((row["file"], path, row["expected_outcome"]))
    return listed


def is_as_listed(name: str, expected: str, result: Result) -> bool:
    """Whether one of the outcomes came out that the list allows, separated by slashes."""
    outcomes = UNLISTED_OUTCOMES.get(name, expected).split(" / ")
    if result.document["rejected"]:
        return any(outcome.startswith("reject") for outcome in outcomes)
    needs_finding = all(outcome.startswith("accept with finding") for outcome in outcomes)
    is_listed = any(outcome.startswith("accept") for outcome in outcomes)
    return is_listed and (bool(of_content(result)) or not needs_finding)


def test_listed_odd_files_come_out_as_listed(check: Check) -> None:
    different = [
        (
            name,
            expected,
            result.reasons,
            [(f["rule"], f["evidence"].get("kind")) for f in result.findings],
        )
        for name, path, expected in odd_files()
        if not is_as_listed(name, expected, result := check(path))
    ]
    assert different == []


def test_everything_that_the_packages_bring_ends_with_a_verdict(
    check: Check, shared_data: Path
) -> None:
    real = sorted((shared_data / "nasty" / "real").iterdir())
    paths = [path for path in (*package_files().values(), *real) if path.is_file()]
    wrong = []
    for path in paths:
        result = check(path)
        told = TRACE.search(json.dumps(result.document))
        if result.faults or told or is_slow(check, result, [path]):
            wrong.append((path.name, result.seconds, result.faults))
    assert len(paths) > 300
    assert wrong == []
