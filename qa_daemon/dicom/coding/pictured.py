"""Body parts as radiographs show them: the labels of `body_part` that a term of Annex L means."""

from typing import Final

from qa_daemon.dicom.regions import BodyPart, body_parts

#: Labels of target `body_part` (contract, section 2).
LABELS: Final = frozenset(
    """
    ABDOMEN ANKLE CSPINE CHEST CLAVICLE ELBOW FOOT FINGER FOREARM HAND HIP KNEE LOWERLEG LSPINE
    PELVIS SHOULDER SKULL SINUS DENTAL THIGH TSPINE WRIST UPPERARM
    """.split()  # noqa: SIM905  a table reads better as text
)
_ARM: Final = "CLAVICLE SHOULDER UPPERARM ELBOW FOREARM WRIST HAND FINGER"
_LEG: Final = "HIP THIGH KNEE LOWERLEG ANKLE FOOT"
_FACE: Final = "SKULL SINUS DENTAL"
#: Terms that the labels do not have, by what is in view when they are imaged.
_SHOWN: Final = {
    term: frozenset(labels.split())
    for term, labels in {
        "EXTREMITY": f"{_ARM} {_LEG}", "UPPERLIMB": _ARM, "LOWERLIMB": _LEG, "HEAD": _FACE,
        "FACE": _FACE, "JAW": _FACE, "MANDIBLE": _FACE, "MAXILLA": _FACE, "TMJ": _FACE,
        "ZYGOMA": _FACE, "ORBIT": _FACE, "EYE": _FACE, "EAR": "SKULL", "MASTOID": "SKULL",
        "SELLA": "SKULL", "BRAIN": "SKULL", "NECK": "CSPINE SKULL CHEST", "LARYNX": "CSPINE",
        "SPINE": "CSPINE TSPINE LSPINE", "SSPINE": "LSPINE PELVIS", "COCCYX": "PELVIS LSPINE",
        "SIJOINT": "PELVIS LSPINE HIP", "RIB": "CHEST ABDOMEN SHOULDER", "STERNUM": "CHEST",
        "LUNG": "CHEST", "HEART": "CHEST", "SCJOINT": "CHEST CLAVICLE",
        "ACJOINT": "SHOULDER CLAVICLE", "SCAPULA": "SHOULDER CHEST",
        "HUMERUS": "UPPERARM SHOULDER ELBOW", "FEMUR": "THIGH HIP KNEE",
        "RADIUS": "FOREARM WRIST ELBOW", "ULNA": "FOREARM WRIST ELBOW", "PATELLA": "KNEE",
        "TIBIA": "LOWERLEG KNEE ANKLE", "FIBULA": "LOWERLEG KNEE ANKLE", "CALF": "LOWERLEG",
        "CALCANEUS": "FOOT ANKLE", "TOE": "FOOT", "THUMB": "FINGER HAND", "BACK": "TSPINE LSPINE",
        "TRUNK": "CHEST ABDOMEN PELVIS", "THORAX": "CHEST", "BLADDER": "PELVIS ABDOMEN",
        "KIDNEY": "ABDOMEN", "COLON": "ABDOMEN PELVIS", "STOMACH": "ABDOMEN CHEST",
        "ESOPHAGUS": "CHEST CSPINE ABDOMEN", "HEADNECK": f"{_FACE} CSPINE",
    }.items()
}  # fmt: skip
#: Neighbours of which either may be named when a picture shows the joint or border between them.
_BESIDE: Final = frozenset(
    frozenset(pair.split("-"))
    for pair in (
        "FINGER-HAND", "HAND-WRIST", "WRIST-FOREARM", "FOREARM-ELBOW", "ELBOW-UPPERARM",
        "UPPERARM-SHOULDER", "SHOULDER-CLAVICLE", "CLAVICLE-CHEST", "FOOT-ANKLE", "ANKLE-LOWERLEG",
        "LOWERLEG-KNEE", "KNEE-THIGH", "THIGH-HIP", "HIP-PELVIS", "PELVIS-LSPINE", "LSPINE-ABDOMEN",
        "ABDOMEN-PELVIS", "LSPINE-TSPINE", "TSPINE-CHEST", "TSPINE-CSPINE", "CSPINE-SKULL",
        "SKULL-SINUS", "SKULL-DENTAL", "SINUS-DENTAL",
    )
)  # fmt: skip


def labels_of(part: BodyPart) -> frozenset[str]:
    """Return the labels that a picture of this part may show; empty where none is known."""
    if part.term in _SHOWN:
        return _SHOWN[part.term]
    if part.term in LABELS:
        return frozenset({part.term})
    if part.covers and part.covers != (part.term,):
        known = body_parts()
        parts = (known[term] for term in part.covers if term in known)
        return frozenset[str]().union(*(labels_of(each) for each in parts if each != part))
    return frozenset({part.parent} & LABELS)


def are_near(a: str, b: str) -> bool:
    """Whether two labels are the same, or neighbours that one picture shows."""
    return a == b or frozenset((a, b)) in _BESIDE
