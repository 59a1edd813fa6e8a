"""Media directories."""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from qa_daemon.dicom.dicomdir import Directory, referenced_files
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits

LIMITS = Limits()


def directory(name: str) -> Directory:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return referenced_files(Path(path).read_bytes(), LIMITS)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("DICOMDIR", set()),
        ("DICOMDIR-implicit", set()),
        ("DICOMDIR-reordered", set()),
        ("DICOMDIR-bigEnd", {"transfer-syntax-retired"}),
        ("DICOMDIR-nopatient", {"dicomdir-incomplete"}),
        ("DICOMDIR-nooffset", {"dicomdir-offset", "sequence-damaged"}),
    ],
)
def test_every_form_of_a_directory_names_the_same_files(name: str, kinds: set[str]) -> None:
    found = directory(name)
    assert len(found.files) == 31
    assert ("77654033", "CR1", "6154") in found.files
    assert {irregularity.kind for irregularity in found.irregularities} == kinds


def test_a_directory_without_records_names_nothing() -> None:
    assert directory("DICOMDIR-empty.dcm") == Directory(())


def test_an_image_is_no_directory_and_a_directory_no_image() -> None:
    image, media = get_testdata_file("CT_small.dcm"), get_testdata_file("DICOMDIR")
    assert isinstance(image, str)
    assert isinstance(media, str)
    with pytest.raises(Refused, match="no DICOMDIR"):
        referenced_files(Path(image).read_bytes(), LIMITS)
    with pytest.raises(Refused) as refusal:
        read_instance(Path(media).read_bytes(), LIMITS)
    assert refusal.value.kind == "not-a-storage-class"
