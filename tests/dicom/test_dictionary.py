"""The tables of PS3.6 say what pydicom says of them, and cost no import of pydicom."""

import subprocess
import sys

import pydicom.datadict
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary

from qa_daemon.dicom.encoding.dictionary import (
    private_vr,
    received_vrs,
    tag_of,
    values_max,
    vr_of,
)

#: Groups that repeat, and an element that does.
REPEATING = (0x60023000, 0x50100005, 0x00203105, 0x7F020010)


@pytest.mark.parametrize("tag", REPEATING)
def test_a_group_that_repeats_is_known_by_its_pattern(tag: int) -> None:
    assert received_vrs(tag) == frozenset(pydicom.datadict.dictionary_VR(tag).split(" or "))


@given(tag=st.sampled_from(sorted(DicomDictionary)))
def test_a_public_tag_has_the_entry_of_ps3_6(tag: int) -> None:
    vrs, most = pydicom.datadict.dictionary_VR(tag), pydicom.datadict.dictionary_VM(tag)
    assert received_vrs(tag) == frozenset(vrs.split(" or "))
    assert str(values_max(tag) or most.rpartition("-")[2]) == most.rpartition("-")[2]
    assert tag_of(pydicom.datadict.keyword_for_tag(tag)) in (None, tag)


@given(tag=st.integers(0, 2**32 - 1))
def test_a_tag_that_ps3_6_lacks_is_unknown(tag: int) -> None:
    assert bool(received_vrs(tag)) == pydicom.datadict.dictionary_has_tag(tag)


@pytest.mark.parametrize(
    ("tag", "creator", "vr"),
    [
        (0x00091024, "GEMS_ACQU_01", "DS"),
        (0x00091124, "GEMS_ACQU_01", "DS"),  # another block
        (0x00091024, "nobody", "LO"),
        (0x0009FFFE, "GEMS_ACQU_01", "LO"),
    ],
)
def test_a_private_element_is_looked_up_by_its_creator(tag: int, creator: str, vr: str) -> None:
    assert private_vr(tag, creator) == vr


def test_a_tag_of_no_table_is_of_unknown_representation() -> None:
    assert vr_of(0x00080003) == "UN"


def test_the_inference_child_starts_without_importing_pydicom() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import qa_daemon.predict.child, sys; print('pydicom' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "False"
