"""Body part terms of PS3.16 Annex L, their codes, and the CT/MR regions that they touch."""

import csv
from functools import cache
from importlib.resources import files
from typing import Final

from attrs import frozen

#: The labels of `body_region`.
REGIONS: Final = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")
_TRUNK: Final = ("CHEST", "ABDOMEN", "PELVIS")
#: Terms whose picture shows other regions than the table's parent: organs that cross a border,
#: spines, joints at the trunk. A rule fires only on disjoint sets, so borders are drawn widely.
_WIDER: Final[dict[str, tuple[str, ...]]] = {
    "CSPINE": ("NECK",), "TSPINE": ("CHEST",), "LSPINE": ("ABDOMEN", "PELVIS"),
    "SSPINE": ("PELVIS",), "COCCYX": ("PELVIS",), "SPINE": ("NECK", *_TRUNK),
    "SPINALCORD": ("NECK", *_TRUNK), "ANTSPINALA": ("NECK", *_TRUNK),
    "BACK": _TRUNK, "TRUNK": _TRUNK, "LOWERTRUNK": ("ABDOMEN", "PELVIS"),
    "UPPERTRUNK": ("CHEST", "ABDOMEN"), "WHOLEBODY": REGIONS,
    "JAW": ("HEAD", "NECK"), "MANDIBLE": ("HEAD", "NECK"), "MOUTH": ("HEAD", "NECK"),
    "TONGUE": ("HEAD", "NECK"), "PAROTID": ("HEAD", "NECK"), "SUBMANDIBULAR": ("HEAD", "NECK"),
    "NASOPHARYNX": ("HEAD", "NECK"), "PHARYNX": ("HEAD", "NECK"), "BASILARA": ("HEAD", "NECK"),
    "CAROTID": ("HEAD", "NECK"), "CCA": ("NECK", "CHEST"), "ICA": ("HEAD", "NECK"),
    "ECA": ("HEAD", "NECK"), "BULB": ("NECK",), "VERTEBRALA": ("HEAD", "NECK"),
    "SUPRACLAVICULAR": ("NECK", "CHEST"), "THYROID": ("NECK", "CHEST"),
    "PARATHYROID": ("NECK", "CHEST"), "LARYNX": ("NECK",), "TRACHEA": ("NECK", "CHEST"),
    "ESOPHAGUS": ("NECK", "CHEST"), "ENDOESOPHAGEAL": ("NECK", "CHEST"),
    "RIB": ("CHEST", "ABDOMEN"), "COLON": ("ABDOMEN", "PELVIS"),
    "LARGEINTESTINE": ("ABDOMEN", "PELVIS"), "SMALLINTESTINE": ("ABDOMEN", "PELVIS"),
    "ILEUM": ("ABDOMEN", "PELVIS"), "APPENDIX": ("ABDOMEN", "PELVIS"),
    "ASCENDINGCOLON": ("ABDOMEN", "PELVIS"), "DESCENDINGCOLON": ("ABDOMEN", "PELVIS"),
    "SIGMOID": ("ABDOMEN", "PELVIS"), "URETER": ("ABDOMEN", "PELVIS"),
    "ENDOURETERIC": ("ABDOMEN", "PELVIS"), "INFVENACAVA": ("CHEST", "ABDOMEN", "PELVIS"),
    "RETROPERITONEUM": ("ABDOMEN", "PELVIS"), "LUMBAR": ("ABDOMEN", "PELVIS"),
    "LUMBARA": ("ABDOMEN", "PELVIS"), "UMBILICAL": ("ABDOMEN", "PELVIS"),
    "FLANK": ("ABDOMEN", "PELVIS"), "HYPOGASTRIC": ("ABDOMEN", "PELVIS"),
    "SUPRAPUBIC": ("ABDOMEN", "PELVIS"), "LLQ": ("ABDOMEN", "PELVIS"),
    "RLQ": ("ABDOMEN", "PELVIS"), "COMILIACA": ("ABDOMEN", "PELVIS"),
    "COMILIACV": ("ABDOMEN", "PELVIS"), "INGUINAL": ("PELVIS", "LOWERLIMB"),
    "HIP": ("PELVIS", "LOWERLIMB"), "FEMUR": ("PELVIS", "LOWERLIMB"),
    "LOWERLIMB": ("PELVIS", "LOWERLIMB"), "CFA": ("PELVIS", "LOWERLIMB"),
    "CFV": ("PELVIS", "LOWERLIMB"), "FEMORALA": ("PELVIS", "LOWERLIMB"),
    "GLUTEAL": ("PELVIS", "LOWERLIMB"), "BUTTOCK": ("PELVIS", "LOWERLIMB"),
}  # fmt: skip
#: Other spellings, without blanks and signs: plurals, old terms, words seen on scanners.
_SPELLINGS: Final = {
    "ABD": "ABDOMEN", "ABDO": "ABDOMEN", "ABDOMINAL": "ABDOMEN", "BAUCH": "ABDOMEN",
    "ABDPEL": "ABDOMENPELVIS", "ABDPELV": "ABDOMENPELVIS", "ABDPELVIS": "ABDOMENPELVIS",
    "ABDOMENANDPELVIS": "ABDOMENPELVIS", "ARM": "UPPERARM", "LEG": "LOWERLIMB",
    "LOWEREXTREMITY": "LOWERLIMB", "UPPEREXTREMITY": "UPPERLIMB", "BRAINS": "BRAIN",
    "CAP": "CHESTABDPELVIS", "CHESTABDOMENPELVIS": "CHESTABDPELVIS", "TAP": "CHESTABDPELVIS",
    "THORAXABDOMENPELVIS": "CHESTABDPELVIS", "CHESTABD": "CHESTABDOMEN",
    "THORAXABDOMEN": "CHESTABDOMEN", "THORACICABDOMEN": "CHESTABDOMEN",
    "CERVICAL": "CSPINE", "CERVICALSPINE": "CSPINE", "HWS": "CSPINE",
    "THORACICSPINE": "TSPINE", "DORSALSPINE": "TSPINE", "BWS": "TSPINE",
    "LUMBARSPINE": "LSPINE", "LWS": "LSPINE", "LWK": "LSPINE", "LUMBOSACRALSPINE": "LSSPINE",
    "SACRUM": "SSPINE", "SACRALSPINE": "SSPINE", "WHOLESPINE": "SPINE",
    "CARDIAC": "HEART", "COR": "HEART", "CORONARY": "CORONARYARTERY", "LUNGS": "LUNG",
    "PULMONARY": "LUNG", "MAMMA": "BREAST", "BREASTS": "BREAST", "KIDNEYS": "KIDNEY",
    "RENAL": "KIDNEY", "HEPATIC": "LIVER", "CRANIUM": "SKULL", "KOPF": "HEAD",
    "SCHAEDEL": "SKULL", "NEURO": "HEAD", "HEADANDNECK": "HEADNECK", "HALS": "NECK",
    "SINUS": "HEAD", "SINUSES": "HEAD", "ORBITS": "ORBIT", "TEMPORALBONE": "HEAD", "IACS": "IAC",
    "PELVIC": "PELVIS", "BECKEN": "PELVIS", "HIPS": "HIP", "HUEFTE": "HIP", "KNEES": "KNEE",
    "KNIE": "KNEE", "ANKLES": "ANKLE", "FEET": "FOOT", "FUSS": "FOOT", "TIBFIB": "TIBIAFIBULA",
    "HANDS": "HAND", "WRISTS": "WRIST", "ELBOWS": "ELBOW", "SHOULDERS": "SHOULDER",
    "CLAVICLES": "CLAVICLE", "BODY": "WHOLEBODY", "WHOLE": "WHOLEBODY", "SKULLBASE": "SKULL",
}  # fmt: skip
#: SNOMED codes of older editions (PS3.16 Annex L) and their terms today.
_OLD_CODES: Final = {"43799004": "CHEST", "40983000": "UPPERARM", "30021000": "LOWERLEG"}


@frozen
class BodyPart:
    """One row of Table L-1.

    Attributes
    ----------
    covers
        Atomic terms of a combined one, else the term itself.
    paired
        Whether the part has a side (Table L-5); None where that was not looked up.
    """

    term: str
    code: str
    meaning: str
    covers: tuple[str, ...]
    parent: str
    paired: bool | None


@cache
def body_parts() -> dict[str, BodyPart]:
    """Return all terms of the table, by term."""
    text = files("qa_daemon.dicom").joinpath("body_parts.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["body_part_examined"]: BodyPart(
            term=row["body_part_examined"],
            code=row["code"],
            meaning=row["meaning"],
            covers=_covers(row["covers"], row["body_part_examined"]),
            parent=row["region_parent"],
            paired={"Y": True, "N": False}.get(row["paired"]),
        )
        for row in rows
        if row["body_part_examined"]
    }


def _covers(column: str, term: str) -> tuple[str, ...]:
    if column == "*":
        return REGIONS
    return tuple(column.split("+")) if column else (term,)


def body_part(text: str) -> BodyPart | None:
    """Return the body part that a received value means, whatever its spelling; else None."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    parts = body_parts()
    return parts.get(plain) or parts.get(_SPELLINGS.get(plain, ""))


def is_defined_term(term: str) -> bool:
    """Whether the value is written exactly as a term of Table L-1."""
    return term in body_parts()


def code_of(term: str) -> str:
    """Return the SNOMED CT code of a term in whatever spelling, `""` if unknown."""
    part = body_part(term)
    return "" if part is None else part.code


def regions_of(term: str) -> frozenset[str]:
    """Return the CT/MR regions that a body part shows; empty for unknown ones and upper limbs."""
    part = body_part(term)
    return frozenset() if part is None else _regions(part)


@cache
def body_part_of_code(code: str) -> BodyPart | None:
    """Return the body part of a SNOMED CT code, older editions included; of several the first."""
    old = _OLD_CODES.get(code)
    parts = body_parts().values()
    return next((part for part in parts if part.code == code or part.term == old), None)


def regions_of_code(code: str) -> frozenset[str]:
    """Return the CT/MR regions of a SNOMED CT code, older editions included."""
    old = _OLD_CODES.get(code)
    parts = [part for part in body_parts().values() if part.code == code or part.term == old]
    return frozenset().union(*(_regions(part) for part in parts))


def _regions(part: BodyPart) -> frozenset[str]:
    wider = _WIDER.get(part.term)
    if wider is not None:
        return frozenset(wider)
    if part.covers != (part.term,):
        known = body_parts()
        return frozenset().union(*(_regions(known[term]) for term in part.covers))
    return frozenset({part.term, part.parent}.intersection(REGIONS))


@cache
def is_part(one: str, other: str) -> bool:
    """Whether a term is the other, or lies within it, by the table's parents and combined terms."""
    a, b = body_part(one), body_part(other)
    if a is None or b is None:
        return False
    if b.term in {a.term, "WHOLEBODY"}:
        return True
    if a.covers != (a.term,):
        return all(is_part(each, b.term) for each in a.covers)
    if b.covers != (b.term,):
        return any(is_part(a.term, each) for each in b.covers)
    return a.parent != a.term and body_part(a.parent) is not None and is_part(a.parent, b.term)


def are_related(one: str, other: str) -> bool:
    """Whether two terms share something: one is part of the other, or both cover a third."""
    return any(is_part(a, b) or is_part(b, a) for a in _covered(one) for b in _covered(other))


def _covered(term: str) -> tuple[str, ...]:
    part = body_part(term)
    return () if part is None else (part.term, *part.covers)
