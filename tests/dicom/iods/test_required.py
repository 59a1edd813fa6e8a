"""Types 1 and 2 by SOP class, and where the tables come from."""

import pytest

from qa_daemon.dicom import terms
from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.dicom.iods.required import required
from qa_daemon.dicom.json_model import tag_and_vr
from tests.dicom import iod_tables

_DX = "1.2.840.10008.5.1.4.1.1.1.1"
_CR = "1.2.840.10008.5.1.4.1.1.1"
_MAMMOGRAPHY = "1.2.840.10008.5.1.4.1.1.1.2"


def keywords(sop_class_uid: str, kind: int) -> set[str]:
    return {each.keyword for each in required(sop_class_uid) if each.type == kind}


def test_the_tables_are_what_the_script_derives() -> None:
    for name, text in iod_tables.derived().items():
        assert (iod_tables.TABLES / name).read_text("utf-8") == text


def test_a_private_class_must_have_what_every_object_must() -> None:
    assert keywords("1.2.3", 1) == {
        "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SOPClassUID", "SOPInstanceUID",
    }  # fmt: skip
    assert {"PatientName", "PatientID", "AccessionNumber", "Manufacturer"} < keywords("1.2.3", 2)


@pytest.mark.parametrize(
    ("sop_class_uid", "keyword", "kind", "module"),
    [
        (terms.CT, "ImageOrientationPatient", 1, "Image Plane"),
        (terms.CT, "RescaleSlope", 1, "CT Image"),
        (terms.CT, "KVP", 2, "CT Image"),
        (terms.MR, "FrameOfReferenceUID", 1, "Frame Of Reference"),
        (terms.MR, "EchoTime", 2, "MR Image"),
        (_CR, "ViewPosition", 2, "CR Series"),
        (_DX, "ImageLaterality", 1, "DX Anatomy Imaged"),
        (_DX, "AnatomicRegionSequence", 2, "DX Anatomy Imaged"),
        (_DX, "PresentationIntentType", 1, "DX Series"),
        (_MAMMOGRAPHY, "ViewCodeSequence", 1, "Mammography Image"),
    ],
)
def test_classes_of_radiology_need_what_their_modules_say(
    sop_class_uid: str, keyword: str, kind: int, module: str
) -> None:
    found = {each.keyword: each for each in required(sop_class_uid)}
    assert (found[keyword].type, found[keyword].module) == (kind, module)


def test_what_one_module_demands_and_another_would_like_is_demanded() -> None:
    for sop_class_uid in (terms.CT, terms.MR, _DX, _MAMMOGRAPHY):
        assert not keywords(sop_class_uid, 1) & keywords(sop_class_uid, 2)


def test_what_classes_of_radiology_need_is_read_but_for_bulk() -> None:
    for sop_class_uid in (terms.CT, terms.MR, terms.PET, terms.ENHANCED_CT, _CR, _DX, _MAMMOGRAPHY):
        for each in required(sop_class_uid):
            assert each.keyword in KEYWORDS
            assert tag_and_vr(each.keyword)
