"""Known-good: above info nothing but what a radiographer would agree with, each with its reason.

Over every public series, every valid case of the hostile corpus, and whatever test files the
packages bring. A finding that no line of the table allows fails, and so does a line that allows
nothing any more.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.metadata import files
from pathlib import Path
from typing import Final

import pytest

from qa_daemon.records.finding import Severity
from tests.corpus.conftest import Check, Result

pytestmark = pytest.mark.shared

#: Reason -> rule -> places (patterns of fnmatch).
ALLOWED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "the tag names another part than the picture shows; looked at, and so": {
        "REGION-001": (
            "dicom/ct_pelvis_abdomen_acrin001",
            "known_wrong/bodypart_lung_is_kidney_level_lctsc",
            "known_wrong/bodypart_lung_is_pelvis_tcga_50_8460",
            "known_wrong/bodypart_neck_is_abdomen_orthanc",
        ),
        "REGION-003": ("known_wrong/bodypart_chest_is_pelvis_tcga_17_z034",),
    },
    "a head CT under the description and the protocol of a prostate MR": {
        "ORDER-001": ("known_wrong/study_says_prostate_mr_is_head_ct",),
        "REGION-014": ("known_wrong/study_says_prostate_mr_is_head_ct",),
    },
    "its position lies a whole field beside the middle, as its orientation has it": {
        "GEOM-002": ("known_wrong/ipp_contradicts_iop_rembrandt_hf0990",),
    },
    "one of four slices lies in another plane": {
        "GEOM-004": ("known_wrong/series_mixes_planes_midrc_000906",),
    },
    "every slice has a frame of reference of its own; the publisher made them so": {
        "GEOM-011": ("dicom/ct_chest_ffs_lidc0001",),
    },
    "the publisher of the folder, or of the sample, left most slices out": {
        "COMPLETE-004": ("dicom/pet_wholebody_qin_hn",),
        "GEOM-006": ("pip/pydicom/DICOMDIR*",),
    },
    "Photometric Interpretation was changed on purpose; the chest is shown as a negative": {
        "PIXEL-007": ("dicom_cr/txv_fake_monochrome1_chest_pa.dcm",),
    },
    "a rescale and a look-up table at once": {
        "PIXEL-015": ("dicom_cr/fodicom_CR_ModalitySequenceLUT.dcm",),
    },
    "the lateral neck has the letters of a frontal one": {
        "VIEW-009": ("pip/pydicom/6154", "pip/pydicom/DICOMDIR*"),
    },
    "the UID ends in a word, or has parts with a leading zero": {
        "UID-001": (
            "dicom_cr/fodicom_CR_ModalitySequenceLUT.dcm",
            "pip/pydicom/rtdose*.dcm",
            "pip/pydicom/badVR.dcm",
        ),
    },
    "File Meta Information names another object than the data set": {
        "UID-002": (
            "dicom_cr/fodicom_CR_ModalitySequenceLUT.dcm",
            "pip/pydicom/rtdose*.dcm",
            "pip/pydicom/rtplan.dcm",
            "pip/pydicom/badVR.dcm",
            "pip/pydicom/chrJapMulti*.dcm",
            "pip/pynetdicom/RTImageStorage.dcm",
        ),
    },
    "the pixels, or what describes them, were taken out or cut to make the file small": {
        "PIXEL-002": ("dicom_cr/*", "pip/pydicom/*", "pip/pydicom-data/*"),
        "PIXEL-003": ("pip/pydicom/*", "pip/pydicom-data/*"),
    },
    "the maker of the sample left out what viewers need": {
        "MODALITY-001": ("pip/pydicom/*",),
        "ORIENT-001": ("pip/pydicom-data/*",),
        "PIXEL-006": ("pip/pydicom/*",),
    },
    "dates of the series lie years before that of the study, which was written later": {
        "TIME-002": ("pip/pydicom/*", "pip/pydicom-data/*", "pip/pynetdicom/*"),
    },
    "written otherwise than the transfer syntax says, or the meta group names nothing": {
        "INTAKE-001": ("pip/pydicom/SC_rgb_jpeg.dcm", "pip/pynetdicom/CTImageStorage_bad_meta.dcm"),
    },
    "a directory that was damaged on purpose": {
        "INTAKE-003": ("pip/pydicom/DICOMDIR-no*",),
        "CONF-006": ("pip/pydicom/DICOMDIR-nooffset",),
    },
    "private elements whose creator is not named": {"CONF-006": ("pip/pydicom/waveform_ecg.dcm",)},
}


def places(shared_data: Path, nasty: Path) -> Iterator[tuple[str, list[Path]]]:
    """Return everything that is good as far as is known: its name, and its files."""
    for top in ("dicom", "known_wrong"):
        for folder in sorted((shared_data / top).iterdir()):
            if folder.is_dir():
                yield f"{top}/{folder.name}", [folder]
    for path in sorted((shared_data / "dicom_cr").glob("*.dcm")):
        yield f"dicom_cr/{path.name}", [path]
    for case in json.loads((nasty / "manifest.json").read_text())["cases"]:
        if case["check"]["outcome"] not in {"reject", "finding"}:
            listed = case["file"] if isinstance(case["file"], list) else [case["file"]]
            yield f"nasty/{case['id']}", [nasty / file for file in listed]
    yield from of_packages()


def of_packages() -> Iterator[tuple[str, list[Path]]]:
    for package in ("pydicom", "pydicom-data", "pynetdicom"):
        for file in sorted(files(package) or (), key=str):
            path = Path(str(file.locate()))
            is_sample = "/data/" in str(file) or "dicom_files" in str(file)
            if is_sample and path.suffix not in (".py", ".pyc") and path.is_file():
                yield f"pip/{package}/{path.name}", [path]


def above_info(result: Result) -> set[str]:
    found = result.findings
    return {each["rule"] for each in found if each["severity"] != Severity.INFO.word}


def test_what_is_known_good_raises_nothing_that_is_not_so(
    check: Check, shared_data: Path, nasty: Path
) -> None:
    lines = {
        (rule, pattern)
        for rules in ALLOWED.values()
        for rule, patterns in rules.items()
        for pattern in patterns
    }
    used: set[tuple[str, str]] = set()
    raised: list[tuple[str, str]] = []
    looked_at = 0
    for name, paths in places(shared_data, nasty):
        looked_at += 1
        for rule in above_info(check(*paths)):
            allowing = {line for line in lines if line[0] == rule and fnmatchcase(name, line[1])}
            used |= allowing
            if not allowing:
                raised.append((name, rule))
    assert looked_at > 350
    assert not raised, "\n".join(map(str, raised))
    assert not lines - used, "\n".join(map(str, sorted(lines - used)))
