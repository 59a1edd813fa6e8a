"""Defined terms and SOP classes of PS3.3 and PS3.4, as far as rules ask for them."""

from typing import Final

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


#: Modality by SOP class, for classes that leave little choice (PS3.3 A and C.7.3.1.1.1). Secondary
#: captures, documents and waveforms carry the modality of what they show, and stand in no row.
MODALITIES_OF_CLASS: Final = {
    f"{_ROOT}{tail}": frozenset(words.split())
    for tails, words in (
        ("2 2.1 2.2", "CT"),
        ("4 4.1 4.2 4.3 4.4", "MR"),
        ("128 128.1 130", "PT"),
        ("20", "NM"),
        ("3.1 6.1 6.2", "US IVUS"),
        ("1", "CR DX RG MG PX IO"),
        ("1.1 1.1.1", "DX CR RG PX IO MG"),
        ("1.2 1.2.1", "MG"),
        ("1.3 1.3.1", "IO"),
        ("12.1 12.1.1", "XA"),
        ("12.2 12.2.1", "RF XA"),
        ("13.1.3", "MG"),
        ("481.1", "RTIMAGE"),
        ("481.2", "RTDOSE"),
        ("481.3", "RTSTRUCT"),
        ("481.5", "RTPLAN"),
        ("66.4", "SEG"),
        ("11.1 11.2 11.3", "PR"),
        ("88.59", "KO"),
        ("88.11 88.22 88.33 88.34 88.67", "SR"),
    )
    for tail in tails.split()
}


def is_modality(term: str) -> bool:
    """Whether the value is a defined term of Modality, retired ones included."""
    return term in MODALITIES or term in RETIRED_MODALITIES
