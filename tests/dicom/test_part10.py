"""File meta around a data set, read back by other libraries."""

from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import dcmread

from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.part10 import MetaIdentity, data_set_offset, file_meta
from qa_daemon.limits import Limits

if TYPE_CHECKING:
    from tests.dicom.conftest import Writer
else:
    Writer = object

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def test_another_library_reads_what_is_written(writer: Writer) -> None:
    identity = MetaIdentity(CT, "1.2.3", EXPLICIT, "WRITER", "SENDER", "QADAEMON")
    dataset = dcmread(BytesIO(file_meta(identity) + writer.ct()))
    meta = dataset.file_meta
    assert meta.MediaStorageSOPClassUID == CT
    assert meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert meta.TransferSyntaxUID == EXPLICIT
    assert meta.SourceApplicationEntityTitle == "WRITER"
    assert meta.SendingApplicationEntityTitle == "SENDER"
    assert meta.ReceivingApplicationEntityTitle == "QADAEMON"
    assert dataset.Modality == "CT"


def test_what_is_written_raises_no_irregularity(writer: Writer) -> None:
    head = file_meta(MetaIdentity(CT, "1.2.3", EXPLICIT, sending_ae="SENDER"))
    assert read_instance(head + writer.ct(), Limits()).irregularities == ()
    assert data_set_offset(head + writer.ct()) == len(head)


def test_a_bare_data_set_begins_at_its_first_byte(writer: Writer) -> None:
    assert data_set_offset(writer.ct()) == 0
    assert data_set_offset(b" " + writer.ct()) == 1


def test_the_digest_is_that_of_the_data_set_whatever_the_head(writer: Writer) -> None:
    one = file_meta(MetaIdentity(CT, "1.2.3", EXPLICIT, sending_ae="A"))
    two = file_meta(MetaIdentity(CT, "1.2.3", EXPLICIT, sending_ae="SOMEBODY ELSE"))
    read = [read_instance(head + writer.ct(), Limits()).digest for head in (one, two)]
    assert read[0] == read[1]
    assert len(read[0]) == 64
