"""Defined terms, enumerated values and attribute types of PS3.3, as far as rules ask for them."""

from typing import Final

from attrs import frozen

#: Modality (C.7.3.1.1.1), terms in force.
MODALITIES: Final = frozenset(
    """
    ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC
    HD IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR MRPROTOCOL NM OAM OCT OP OPM OPT OPTBSV OPTENF
    OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD
    RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC
    """.split()  # noqa: SIM905  a table reads better as text
)
#: Modality, retired terms: found in archives, worth no alarm.
RETIRED_MODALITIES: Final = frozenset(
    ("AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA", "FS", "LP", "MA", "MS",
     "OPR", "ST", "VF")
)  # fmt: skip

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
CT: Final = f"{_ROOT}2"
ENHANCED_CT: Final = f"{_ROOT}2.1"
MR: Final = f"{_ROOT}4"
ENHANCED_MR: Final = f"{_ROOT}4.1"
PET: Final = f"{_ROOT}128"
CR: Final = f"{_ROOT}1"
DX_PRESENTATION: Final = f"{_ROOT}1.1"
DX_PROCESSING: Final = f"{_ROOT}1.1.1"
#: Classes of one frame whose Image Plane module (C.7.6.2) is mandatory.
IMAGE_PLANE_CLASSES: Final = frozenset((CT, MR, PET))
#: Classes whose functional groups (C.7.6.16) are mandatory: enhanced CT, MR, MR colour, PET, and
#: the legacy converted ones.
ENHANCED_CLASSES: Final = frozenset(
    f"{_ROOT}{tail}" for tail in ("2.1", "2.2", "4.1", "4.3", "4.4", "128.1", "130")
)


@frozen
class Required:
    """An attribute that must be there: type 1 with a value, type 2 at least empty (PS3.5 7.4)."""

    keyword: str
    type: int
    module: str
    section: str


def _module(module: str, section: str, ones: str, twos: str = "") -> tuple[Required, ...]:
    return tuple(
        Required(keyword, kind, module, section)
        for kind, keywords in ((1, ones), (2, twos))
        for keyword in keywords.split()
    )


#: Patient, study, series, equipment and SOP common modules, which every composite object has.
COMMON: Final = (
    *_module("Patient", "C.7.1.1", "", "PatientName PatientID PatientBirthDate PatientSex"),
    *_module(
        "General Study",
        "C.7.2.1",
        "StudyInstanceUID",
        "StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber",
    ),
    *_module("General Series", "C.7.3.1", "Modality SeriesInstanceUID", "SeriesNumber"),
    *_module("General Equipment", "C.7.5.1", "", "Manufacturer"),
    *_module("SOP Common", "C.12.1", "SOPClassUID SOPInstanceUID"),
)
_IMAGE_PIXEL: Final = _module(
    "Image Pixel",
    "C.7.6.3",
    "SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit"
    " PixelRepresentation",
)
_FRAME_OF_REFERENCE: Final = _module(
    "Frame of Reference", "C.7.4.1", "FrameOfReferenceUID", "PositionReferenceIndicator"
)
_IMAGE_PLANE: Final = _module(
    "Image Plane",
    "C.7.6.2",
    "PixelSpacing ImageOrientationPatient ImagePositionPatient",
    "SliceThickness",
)
_GENERAL_IMAGE: Final = _module("General Image", "C.7.6.1", "", "InstanceNumber")
_BY_CLASS: Final[dict[str, tuple[Required, ...]]] = {
    CT: (
        *_GENERAL_IMAGE, *_IMAGE_PIXEL, *_FRAME_OF_REFERENCE, *_IMAGE_PLANE,
        *_module("CT Image", "C.8.2.1", "ImageType RescaleIntercept RescaleSlope",
                 "KVP AcquisitionNumber"),
    ),
    MR: (
        *_GENERAL_IMAGE, *_IMAGE_PIXEL, *_FRAME_OF_REFERENCE, *_IMAGE_PLANE,
        *_module("MR Image", "C.8.3.1", "ImageType ScanningSequence SequenceVariant",
                 "ScanOptions MRAcquisitionType EchoTime EchoTrainLength"),
    ),
    PET: (*_GENERAL_IMAGE, *_IMAGE_PIXEL, *_FRAME_OF_REFERENCE, *_IMAGE_PLANE),
    ENHANCED_CT: (
        *_IMAGE_PIXEL, *_FRAME_OF_REFERENCE,
        *_module("Multi-frame Functional Groups", "C.7.6.16",
                 "PerFrameFunctionalGroupsSequence InstanceNumber ContentDate ContentTime"
                 " NumberOfFrames"),
        *_module("Enhanced CT Image", "C.8.15.2", "ImageType"),
    ),
    ENHANCED_MR: (
        *_IMAGE_PIXEL, *_FRAME_OF_REFERENCE,
        *_module("Multi-frame Functional Groups", "C.7.6.16",
                 "PerFrameFunctionalGroupsSequence InstanceNumber ContentDate ContentTime"
                 " NumberOfFrames"),
        *_module("Enhanced MR Image", "C.8.13.1", "ImageType"),
    ),
    CR: (*_GENERAL_IMAGE, *_IMAGE_PIXEL,
         *_module("CR Series", "C.8.1.1", "", "BodyPartExamined ViewPosition")),
    DX_PRESENTATION: (
        *_GENERAL_IMAGE, *_IMAGE_PIXEL,
        *_module("DX Series", "C.8.11.1", "PresentationIntentType"),
        *_module("DX Image", "C.8.11.3", "ImageType BurnedInAnnotation PresentationLUTShape"),
        *_module("DX Anatomy Imaged", "C.8.11.2", "ImageLaterality", "AnatomicRegionSequence"),
    ),
}  # fmt: skip
_BY_CLASS[DX_PROCESSING] = _BY_CLASS[DX_PRESENTATION]


def required(sop_class_uid: str) -> tuple[Required, ...]:
    """Return what an object of the class must have, without conditions (types 1 and 2)."""
    return COMMON + _BY_CLASS.get(sop_class_uid, ())


def is_modality(term: str) -> bool:
    """Whether the value is a defined term of Modality, retired ones included."""
    return term in MODALITIES or term in RETIRED_MODALITIES
