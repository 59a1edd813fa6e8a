"""One labelled picture as a DICOM object that says nothing of whom it shows.

Made anew rather than cleaned: only what is named here is in it (PS3.15 Annex E, Basic Application
Confidentiality Profile: everything not needed is removed). Pictures that may show text are left
out before (`may_show_text`); overlays and private elements are never taken over.
"""

from typing import Final
from uuid import uuid4

from attrs import frozen
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from qa_daemon.geometry.decimals import decimal_text
from qa_daemon.pixels.reduced import Reduced
from qa_daemon.records.element import first_text, texts
from qa_daemon.records.instance import Instance

METHOD: Final = "qa-daemon: written anew, reduced, without identifiers"
#: PS3.16 CID 7050.
BASIC_PROFILE: Final = ("113100", "DCM", "Basic Application Confidentiality Profile")
#: Scanners write these without text in the pixels; others have to say so themselves.
_RECONSTRUCTED: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image Storage
        "1.2.840.10008.5.1.4.1.1.4",  # MR Image Storage
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR Image Storage
    }
)


@frozen
class Shown:
    """What is written of a frame beside its pixels."""

    modality: str
    spacing: tuple[float, float]


def may_show_text(instance: Instance) -> bool:
    """Whether names may be burnt into the picture, as far as its own elements tell.

    `NO` in Burned In Annotation counts; without it, only original slices of a scanner do.
    """
    said = first_text(instance.elements, "BurnedInAnnotation").upper()
    features = first_text(instance.elements, "RecognizableVisualFeatures").upper()
    if features == "YES" or said not in {"", "NO"}:
        return True
    if said == "NO":
        return False
    kinds = {kind.upper() for kind in texts(instance.elements, "ImageType")}
    is_original = "ORIGINAL" in kinds and not kinds & {"DERIVED", "SECONDARY"}
    return not (instance.sop_class_uid in _RECONSTRUCTED and is_original)


def anonymous(picture: Reduced, shown: Shown) -> Dataset:
    """Return the object; its UIDs are drawn at random and lead back to nothing."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = _uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = Dataset()
    made.file_meta = meta
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = _uid(), _uid()
    made.Modality = shown.modality
    made.ConversionType = "WSD"
    made.ImageType = ["DERIVED", "SECONDARY"]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"):
        setattr(made, keyword, "")
    for keyword in ("StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        setattr(made, keyword, "")
    made.SeriesNumber = made.InstanceNumber = None
    _deidentified(made)
    _pixels(made, picture, shown)
    return made


def _deidentified(made: Dataset) -> None:
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = METHOD
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = BASIC_PROFILE
    made.DeidentificationMethodCodeSequence = [code]
    made.LongitudinalTemporalInformationModified = "REMOVED"
    made.BurnedInAnnotation = "NO"


def _pixels(made: Dataset, picture: Reduced, shown: Shown) -> None:
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows, made.Columns = picture.values.shape
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.RescaleSlope = decimal_text(picture.slope)
    made.RescaleIntercept = decimal_text(picture.intercept)
    made.RescaleType = "HU" if shown.modality == "CT" else "US"
    if shown.spacing != (1.0, 1.0):
        made.PixelSpacing = [decimal_text(each * picture.factor) for each in shown.spacing]
    made.PixelData = picture.values.astype("<u2").tobytes()
    made["PixelData"].VR = "OW"


def _uid() -> UID:
    return UID(f"2.25.{uuid4().int}")
