"""What a sentence about a finding needs: which rule, in which variant, with which named parts."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from qa_daemon.records.assignment import Assignment
from qa_daemon.records.finding import Change, Finding, JsonValue

#: Elements whose value may stand in a sentence: codes and numbers that name no patient.
TELLABLE: Final = frozenset(
    {
        "BodyPartExamined", "ImageLaterality", "Laterality", "Modality", "PatientPosition",
        "PatientSex", "SliceThickness", "SpecificCharacterSet", "ViewPosition",
    }
)  # fmt: skip
#: Names that checks give to evidence, and the element meant.
_ALIASES: Final = {"View Position": "ViewPosition", "Image Laterality": "ImageLaterality"}
#: A value longer than this breaks the line of the list.
VALUE_LENGTH_MAX: Final = 24
#: What evidence says where there is no value.
_NOTHING: Final = frozenset({"(absent)", "(empty)", ""})
#: Targets whose labels say what the pictures show.
_SHOWN_BY: Final = ("body_region", "body_part")
_SIDES: Final = frozenset({"L", "R", "B", "U"})
_SIDE_ELEMENTS: Final = frozenset({"Laterality", "ImageLaterality"})
#: The orientation class between tag and picture: turn + 4 x mirror (contract, section 2).
_TURNS: Final = ("", "quarter", "half", "quarter")
_OPPOSITE: Final = {"A": "P", "P": "A", "L": "R", "R": "L", "H": "F", "F": "H"}


@frozen
class Wording:
    """What is said of one finding, in no language yet.

    Attributes
    ----------
    variant
        Words that tell cases of one rule apart: mirror, quarter, half, swap, split.
    parts
        Named parts as stored. `shown` and names that end in `part` hold terms of body parts,
        separated by commas; names that begin with `side` hold L, R, B or U.
    count
        Of the images concerned; 0 where all are.
    """

    rule: str
    variant: str = ""
    parts: Mapping[str, str] = field(factory=dict)
    count: int = 0


def wording_of(finding: Finding) -> Wording:
    """Return what is to be said of a finding; nothing in it names a patient."""
    change = _first_change(finding)
    parts = {
        "found": _found(finding, change),
        "expected": _expected(change),
        "shown": _shown(finding.evidence) or _moved(finding.assignment),
        "seen": _label(finding.evidence.get("view", "")),
        "ordered": finding.evidence.get("order.modality", ""),
        "ordered_part": finding.evidence.get("order.regions", "").replace("\\", ","),
        "habit_usual": finding.evidence.get("usual", ""),
        "habit_now": finding.evidence.get("now", ""),
        **_sides(finding, change),
    }
    if change is not None and change.attribute == "BodyPartExamined":
        parts["expected_part"] = parts["expected"]
    return Wording(
        rule=finding.rule,
        variant=_variant(finding, change),
        parts={name: text for name, text in parts.items() if 0 < len(text) <= _longest(name)},
        count=len(finding.sop_instance_uids),
    )


def _longest(name: str) -> int:
    return 4 * VALUE_LENGTH_MAX if name == "shown" else VALUE_LENGTH_MAX


def _first_change(finding: Finding) -> Change | None:
    if finding.suggestion is None:
        return None
    return next(iter(finding.suggestion.changes), None)


def _text(values: tuple[JsonValue, ...] | None) -> str:
    return "\\".join(str(value) for value in values or ())


def _element(name: str) -> str:
    keyword = name.removeprefix("tag.")
    return _ALIASES.get(keyword, keyword)


def _found(finding: Finding, change: Change | None) -> str:
    """Return the value that stands in the tag; "" where it is absent or might name a patient."""
    for name, text in finding.evidence.items():
        if _element(name) in TELLABLE and text not in _NOTHING:
            return text
    if change is not None and change.attribute in TELLABLE:
        return _text(change.current)
    return ""


def _expected(change: Change | None) -> str:
    is_tellable = change is not None and change.attribute in TELLABLE
    return _text(change.proposed) if change is not None and is_tellable else ""


def _label(text: str) -> str:
    """Return the label of evidence such as `KNEE 0.990` or `KNEE: -3.9 for the order named`."""
    said = re.match(r"[A-Z]+", text)
    return "" if said is None else said[0]


def _shown(evidence: Mapping[str, str]) -> str:
    for name in _SHOWN_BY:
        labels = [_label(each) for each in evidence.get(name, "").split(", ")]
        if any(labels):
            return ",".join(filter(None, labels))
    return _label(evidence.get("pixels", ""))


def _moved(told: Assignment | None) -> str:
    """Return what the series show that belong to other orders, each part once."""
    moving = {move.series_instance_uid for move in told.moves} if told else set()
    series = told.series if told else ()
    shown = (_label(each.shows) for each in series if each.series_instance_uid in moving)
    return ",".join(dict.fromkeys(filter(None, shown)))


def _sides(finding: Finding, change: Change | None) -> dict[str, str]:
    found = next(
        (
            text
            for name, text in finding.evidence.items()
            if _element(name) in _SIDE_ELEMENTS and text in _SIDES
        ),
        "",
    )
    expected = finding.evidence.get("order.side", "")
    if change is not None and change.attribute in _SIDE_ELEMENTS:
        found = found or _text(change.current)
        expected = expected or _text(change.proposed)
    return {
        "side_found": found if found in _SIDES else "",
        "side_expected": expected if expected in _SIDES else "",
    }


def _variant(finding: Finding, change: Change | None) -> str:
    between = finding.evidence.get("turn between them", "")
    if between[:1].isdigit():
        return _turned(int(between[0]))
    if change is not None and change.attribute == "PatientOrientation" and change.current:
        return _of_letters(_text(change.current), _text(change.proposed))
    turn = finding.evidence.get("radiograph_orientation turn", "")
    if turn[:1] in {"0", "1", "2", "3"}:
        return _TURNS[int(turn[0])] or "mirror"
    proposal = finding.evidence.get("proposal", "")
    return proposal if proposal in {"swap", "split"} else ""


def _turned(orientation: int) -> str:
    mirror = "mirror" if orientation >= 4 else ""
    return " ".join(filter(None, (mirror, _TURNS[orientation % 4])))


def _of_letters(current: str, proposed: str) -> str:
    """Tell a mirror, half a turn and a quarter apart by the first letters of two directions."""
    old, new = ([part[:1] for part in text.split("\\")] for text in (current, proposed))
    if len(old) != 2 or len(new) != 2:
        return ""
    opposite = [_OPPOSITE.get(before) == after for before, after in zip(old, new, strict=True)]
    same = [before == after for before, after in zip(old, new, strict=True)]
    if all(opposite):
        return "half"
    if any(opposite) and any(same):
        return "mirror"
    return "" if all(same) else "quarter"
