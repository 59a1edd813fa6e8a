"""Elements in the DICOM JSON model, against another library's."""

import math
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.json_model import json_data_set, json_values, located_values, tag_and_vr
from qa_daemon.limits import Limits
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Located


def test_keywords_have_tags_and_representations() -> None:
    assert tag_and_vr("ImageOrientationPatient") == ("00200037", "DS")
    assert tag_and_vr("PatientName") == ("00100010", "PN")
    with pytest.raises(KeyError):
        tag_and_vr("NoSuchKeyword")


def test_absent_empty_and_gaps_are_three_things() -> None:
    assert json_values(None) is None
    assert json_values(Element("LO")) == ()
    assert json_values(Element("DS", ("1", "", "0"))) == ("1", None, "0")
    assert located_values(None) is None
    assert located_values(Located("PixelSpacing", "DS", ("0.5", "0.50"))) == ("0.5", "0.50")


def test_names_come_in_groups_and_numbers_without_nan() -> None:
    assert json_values(Element("PN", ("A^B==C",))) == ({"Alphabetic": "A^B", "Phonetic": "C"},)
    assert json_values(Element("FD", (1.5, math.nan))) == (1.5, None)


def test_another_library_writes_the_same_for_a_real_object() -> None:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    ours = json_data_set(read_instance(Path(path).read_bytes(), Limits()).elements)
    theirs = dcmread(path).to_json_dict()
    assert list(ours) == sorted(ours)
    for tag, element in ours.items():
        assert isinstance(element, dict)
        # DS and IS are text as received here and numbers there; items hold chosen elements only
        if element["vr"] not in ("DS", "IS", "SQ"):
            assert element == theirs[tag]
