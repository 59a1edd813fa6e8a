"""The corpus of odd and hostile objects, with the outcome expected of each."""

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from qa_daemon.dicom.dicomdir import referenced_files
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits

pytestmark = pytest.mark.shared

#: What rules over values say, or the decoder of the pixels.
SAID_ELSEWHERE = {
    "iop-missing", "iop-invalid", "iop-not-orthonormal", "ipp-implausible", "ipp-invalid",
    "patient-position-invalid", "pixel-spacing-invalid", "laterality-invalid",
    "patient-id-missing", "uid-reused", "window-invalid", "rescale-invalid", "pixels-undecodable",
}  # fmt: skip
#: Reason of the contract by kind.
REASONS = {
    "empty": "not_dicom", "not-dicom": "not_dicom", "truncated": "truncated",
    "transfer-syntax-unknown": "unsupported", "too-large": "limit",
}  # fmt: skip
ELSEWHERE = {"arc", "dir", "special"}
#: The bomb inflates 256 MiB before it is refused.
SECONDS_MAX = 5


@pytest.fixture(scope="module")
def corpus(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nasty")
    script = shared_data / "nasty" / "make_nasty.py"
    command = [sys.executable, str(script), str(folder)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  the data folder's own
    return folder


def cases(corpus: Path) -> list[tuple[dict[str, Any], bytes]]:
    manifest = json.loads((corpus / "manifest.json").read_text("utf-8"))
    return [
        (case, (corpus / name).read_bytes())
        for case in manifest["cases"]
        for name in ([case["file"]] if isinstance(case["file"], str) else case["file"])
    ]


def outcome(content: bytes) -> tuple[str, set[str], str]:
    """Return accept, finding or reject with the kinds, and the reason of a refusal."""
    try:
        instance = read_instance(content, Limits())
    except Refused as refusal:
        return "reject", {refusal.kind}, refusal.reason
    kinds = {irregularity.kind for irregularity in instance.irregularities}
    return "finding" if kinds else "accept", kinds, ""


def is_as_expected(wanted: dict[str, str], content: bytes) -> bool:
    got, kinds, reason = outcome(content)
    kind = wanted.get("kind", "")
    if wanted["outcome"] == "finding" and kind in SAID_ELSEWHERE:
        return got != "reject"
    if got != wanted["outcome"] or (kind and kind not in kinds):
        return False
    return got != "reject" or reason == REASONS.get(kind, "unreadable")


def test_every_case_comes_out_as_expected(corpus: Path) -> None:
    different = [
        (case["id"], case["check"], outcome(content))
        for case, content in cases(corpus)
        if case["group"] not in ELSEWHERE and not is_as_expected(case["check"], content)
    ]
    assert different == []


def test_no_case_takes_long(corpus: Path) -> None:
    slow = []
    for case, content in cases(corpus):
        start = perf_counter()
        outcome(content)
        if perf_counter() - start > SECONDS_MAX:
            slow.append(case["id"])
    assert slow == []


def test_archives_are_refused_as_no_dicom(corpus: Path) -> None:
    for case, content in cases(corpus):
        if case["group"] == "arc" and case["id"] != "arc_dicom_zip_polyglot":
            assert outcome(content)[2] == "not_dicom", case["id"]


def directory_kinds(content: bytes) -> set[str]:
    try:
        directory = referenced_files(content, Limits())
    except Refused:  # the image beside the good directory
        return set()
    return {irregularity.kind for irregularity in directory.irregularities}


def test_directories_name_what_is_wrong_with_them(corpus: Path) -> None:
    for case, content in cases(corpus):
        if case["group"] != "dir" or case["id"] in ("dir_not_a_dir", "dir_missing_files"):
            continue
        assert directory_kinds(content) == {case["check"].get("kind", "")} - {""}, case["id"]


def test_real_odd_files_end_quickly_and_without_a_traceback(shared_data: Path) -> None:
    for path in sorted((shared_data / "nasty" / "real").iterdir()):
        start = perf_counter()
        assert outcome(path.read_bytes())[0] in ("accept", "finding", "reject")
        assert perf_counter() - start < SECONDS_MAX


def test_real_series_are_read_and_never_alarm_about_structure(shared_data: Path) -> None:
    harmless = {
        "vr-related", "decimal-too-long", "value-too-long", "value-invalid", "sop-uid-mismatch",
        "uid-invalid", "value-multiplicity", "pixel-data-missing",
    }  # fmt: skip
    folders = [shared_data / name for name in ("dicom", "known_wrong", "dicom_cr")]
    seen = set()
    for path in sorted(path for folder in folders for path in folder.rglob("*.dcm")):
        got, kinds, _ = outcome(path.read_bytes())
        assert got != "reject", path
        seen |= kinds
    assert seen <= harmless
