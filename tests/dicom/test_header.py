"""From bytes to an Instance."""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits
from qa_daemon.records.element import first_text, texts

LIMITS = Limits()


def packaged(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def test_a_real_ct_is_read_with_its_plane() -> None:
    instance = read_instance(packaged("CT_small.dcm"), LIMITS, source="here")
    assert instance.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert instance.source == "here"
    assert first_text(instance.elements, "Modality") == "CT"
    assert texts(instance.elements, "ImageType") == ("ORIGINAL", "PRIMARY", "AXIAL")
    (plane,) = instance.planes
    assert plane.orientation is not None
    assert plane.orientation.path == "ImageOrientationPatient"
    assert len(plane.orientation.values) == 6
    assert instance.elements["Rows"].values == (128,)


def test_the_same_object_in_three_encodings_says_the_same() -> None:
    little = read_instance(packaged("MR_small.dcm"), LIMITS)
    implicit = read_instance(packaged("MR_small_implicit.dcm"), LIMITS)
    big = read_instance(packaged("MR_small_bigendian.dcm"), LIMITS)
    assert little.elements == implicit.elements
    assert {kind.kind for kind in big.irregularities} == {"transfer-syntax-retired"}
    assert little.planes == implicit.planes == big.planes


def test_text_that_is_no_dicom_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        read_instance(b"<html></html>" * 20, LIMITS)
    assert refusal.value.reason == "not_dicom"
