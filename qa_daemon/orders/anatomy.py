"""How much of one part a picture of another shows."""

from functools import cache
from typing import Final

from qa_daemon.dicom.regions import REGIONS, body_parts, regions_of

#: Parts that one exposure shows together, whichever of them was asked for.
_TOGETHER: Final = (
    {"KNEE", "PATELLA"}, {"FOOT", "CALCANEUS", "TOE", "SESAMOID"}, {"FINGER", "THUMB"},
    {"FOREARM", "RADIUS", "ULNA"}, {"LOWERLEG", "TIBIA", "FIBULA", "CALF"}, {"THIGH", "FEMUR"},
    {"UPPERARM", "HUMERUS"}, {"SHOULDER", "SCAPULA", "ACJOINT"},
    {"CHEST", "LUNG", "HEART", "MEDIASTINUM", "RIB", "STERNUM", "CORONARYARTERY"},
    {"JAW", "MANDIBLE", "MAXILLA", "DENTAL", "TMJ"}, {"SKULL", "HEAD", "FACE", "BRAIN", "SINUS",
                                                     "ORBIT", "NOSE"},
    {"PELVIS", "SIJOINT"}, {"SSPINE", "COCCYX"}, {"FINGER", "HAND"}, {"THUMB", "HAND"},
)  # fmt: skip
TOGETHER: Final = 0.95
#: Neighbours: how often a picture of the one would pass for one of the other. Read off the labels
#: of radiographs that show two parts, rounded; nobody measured orders.
_NEAR: Final = {
    ("HAND", "WRIST"): 0.35, ("FINGER", "WRIST"): 0.1, ("WRIST", "FOREARM"): 0.3,
    ("FOREARM", "ELBOW"): 0.3, ("ELBOW", "UPPERARM"): 0.3, ("UPPERARM", "SHOULDER"): 0.3,
    ("SHOULDER", "CLAVICLE"): 0.5, ("CHEST", "CLAVICLE"): 0.3, ("CHEST", "SHOULDER"): 0.1,
    ("HIP", "PELVIS"): 0.6, ("HIP", "THIGH"): 0.4, ("PELVIS", "THIGH"): 0.2,
    ("THIGH", "KNEE"): 0.3, ("KNEE", "LOWERLEG"): 0.3, ("LOWERLEG", "ANKLE"): 0.3,
    ("ANKLE", "FOOT"): 0.35, ("ABDOMEN", "PELVIS"): 0.3, ("ABDOMEN", "CHEST"): 0.15,
    ("LSPINE", "TSPINE"): 0.5, ("LSPINE", "SSPINE"): 0.6, ("SSPINE", "PELVIS"): 0.5,
    ("LSPINE", "ABDOMEN"): 0.2, ("LSPINE", "PELVIS"): 0.2, ("CSPINE", "NECK"): 0.6,
    ("CSPINE", "TSPINE"): 0.3, ("CSPINE", "SKULL"): 0.15, ("SKULL", "JAW"): 0.5,
    ("TSPINE", "CHEST"): 0.2, ("COCCYX", "PELVIS"): 0.4,
}  # fmt: skip
_WITHIN: Final = 0.9
_SPINES: Final = frozenset({"CSPINE", "TSPINE", "LSPINE", "SSPINE", "COCCYX", "SPINALCORD"})
#: Parts without a term (PS3.16 Annex L) that models name.
_PARENTS: Final = {"SINUS": "HEAD", "DENTAL": "HEAD"}


@cache
def overlap(one: str, other: str) -> float:
    """Return 1 for the same part, 0 for parts that have nothing to do with each other."""
    if one == other:
        return 1.0
    if any({one, other} <= together for together in _TOGETHER):
        return TOGETHER
    if _holds(one, other) or _holds(other, one):
        return _WITHIN
    first, second = _group(one), _group(other)
    if first == second:
        return TOGETHER
    return _NEAR.get((first, second), _NEAR.get((second, first), 0.0))


def _group(term: str) -> str:
    """Return the part that stands for a group in the table of neighbours."""
    for together in _TOGETHER:
        if term in together:
            return next(each for each in _HEADS if each in together)
    return term


_HEADS: Final = ("KNEE", "FOOT", "HAND", "FOREARM", "LOWERLEG", "THIGH", "UPPERARM", "SHOULDER",
                 "CHEST", "JAW", "SKULL", "PELVIS", "SSPINE", "FINGER")  # fmt: skip


def _holds(whole: str, part: str) -> bool:
    if whole in {"WHOLEBODY", "EXTREMITY"}:
        limb = _parent(part) in {"LOWERLIMB", "UPPERLIMB"} or part in {"LOWERLIMB", "UPPERLIMB"}
        return whole == "WHOLEBODY" or limb
    return (whole == "SPINE" and part in _SPINES) or _parent(part) == whole


def _parent(term: str) -> str:
    part = body_parts().get(term)
    return _PARENTS.get(term, "") if part is None else part.parent


def in_regions(term: str) -> frozenset[str]:
    """Return the labels of `body_region` that show a part; empty for arms."""
    return regions_of(term) or (frozenset({term}) & frozenset(REGIONS))
