"""What the rules of a site name besides is read too, private elements by their creator."""

from io import BytesIO

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from qa_daemon.dicom.elements import BASIC, KEYWORDS, vocabulary
from qa_daemon.dicom.header import read_elements, read_instance
from qa_daemon.limits import Limits

SLICES = "private.GEMS_IDEN_01.0009xx27"
OURS = "private.OUR OWN, 1.0011xx01"
REASON = "VisitComments"


def written(transfer_syntax: UID) -> bytes:
    data_set = Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.SOPInstanceUID, data_set.StudyInstanceUID = "1.2.3.4", "1.2"
    data_set.SeriesInstanceUID = "1.2.3"
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.private_block(0x0009, "SOMEBODY", create=True).add_new(0x27, "SL", 5)
    data_set.private_block(0x0009, "GEMS_IDEN_01", create=True).add_new(0x27, "SL", 7)
    data_set.private_block(0x0011, "OUR OWN, 1", create=True).add_new(0x01, "LO", "Käse")
    data_set.VisitComments = "none"
    data_set.add_new(0x60000010, "US", 9)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = transfer_syntax
    file = BytesIO()
    data_set.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize("transfer_syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_rules_name_besides_is_read_too(transfer_syntax: UID) -> None:
    assert REASON not in KEYWORDS
    content, more = written(transfer_syntax), vocabulary([SLICES, OURS, REASON, "60000010"])
    basic = read_instance(content, Limits())
    assert {SLICES, OURS, REASON, "60000010"}.isdisjoint(basic.elements)
    read = read_instance(content, Limits(), vocabulary=more)
    assert read.elements[SLICES].values == (7,)
    assert read.elements[OURS].values == ("Käse",)
    assert read.elements[REASON].values == ("none",)
    assert read.elements["60000010"].values == (9,)
    assert read_elements(content, Limits(), more) == read.elements


def test_a_vocabulary_is_known_by_its_digest() -> None:
    assert vocabulary() == BASIC == vocabulary(["Modality"])
    assert len({vocabulary(names).digest for names in ([], [SLICES], [OURS], [REASON])}) == 4
    content = written(ExplicitVRLittleEndian)
    assert read_instance(content, Limits()).vocabulary == BASIC.digest
