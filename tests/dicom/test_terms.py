"""Tables of the standard."""

import pytest

from qa_daemon.dicom import terms
from qa_daemon.dicom.elements import CHOSEN
from qa_daemon.dicom.json_model import tag_and_vr


@pytest.mark.parametrize("term", ["CT", "MR", "PT", "OT", "DX", "OPR"])
def test_terms_in_force_and_retired_ones_are_modalities(term: str) -> None:
    assert terms.is_modality(term)


@pytest.mark.parametrize("term", ["", "ct", "MRI", "CAT"])
def test_other_words_are_no_modalities(term: str) -> None:
    assert not terms.is_modality(term)


def test_every_object_needs_its_identity_and_a_ct_its_plane() -> None:
    other = {needed.keyword for needed in terms.required("1.2.3") if needed.type == 1}
    assert {"StudyInstanceUID", "SeriesInstanceUID", "Modality", "SOPInstanceUID"} == other - {
        "SOPClassUID"
    }
    ct = {needed.keyword: needed for needed in terms.required(terms.CT)}
    assert ct["ImageOrientationPatient"].section == "C.7.6.2"
    assert ct["KVP"].type == 2


def test_every_required_attribute_is_read() -> None:
    read = set(CHOSEN.values())
    for sop_class in (
        terms.CT,
        terms.MR,
        terms.PET,
        terms.ENHANCED_CT,
        terms.CR,
        terms.DX_PROCESSING,
    ):
        for needed in terms.required(sop_class):
            assert needed.keyword in read
            assert tag_and_vr(needed.keyword)
