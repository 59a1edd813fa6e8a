"""Body regions compared as sets, sides that contradict each other, and defined terms."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from qa_daemon.dicom import terms
from qa_daemon.dicom.regions import are_related, body_part, is_defined_term, is_part, regions_of
from qa_daemon.records.prediction import TARGETS, Prediction
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts, decided
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.operators.table import (
    Answered,
    Asked,
    Takes,
    fact_schema,
    is_fact,
    is_list,
    one_of,
    word,
)
from qa_daemon.rules.schema import Operand

# A region of the tag that the model gives at least this much is not called absent: neighbours at
# the rim of the field (liver dome under LUNG) get 0.06 to 0.5, wrong regions 0.02 and less.
REGION_PRESENT_FROM: Final = 0.05

#: Targets whose labels are body parts.
_REGION_TARGETS: Final = ("body_region", "body_part")


def _is_region(operand: Operand) -> bool:
    if isinstance(operand, Mapping) and set(operand) == {"prediction"}:
        return True
    return isinstance(operand, str) or is_list(operand) or is_fact(operand)


REGION: Final = Takes(
    "{prediction: TARGET}, {fact: NAME}, or terms of PS3.16 Annex L",
    _is_region,
    {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {
                "type": "object",
                "properties": {"prediction": {"enum": sorted(TARGETS)}},
                "required": ["prediction"],
                "additionalProperties": False,
            },
            fact_schema(),
        ]
    },
)

Terms = tuple[str, ...]


def _known(values: Iterable[str], fact: str) -> Terms | NotEvaluated:
    """Return the terms that the values mean, whatever their spelling."""
    found = [part.term for value in values if value and (part := body_part(value)) is not None]
    return tuple(found) or NotEvaluated(f"{fact} names no body part that is known")


def _theirs(asked: Asked) -> Terms | NotEvaluated:
    """Return the terms that the operand stands for."""
    match asked.test.operand:
        case str(term):
            return _known((term,), term)
        case tuple(listed):
            return _known(map(str, listed), "the list")
        case {"prediction": target}:
            said = asked.look.values(f"prediction.{target}")
            name = str(target)
        case _:
            said, name = asked.other(), str(asked.test.fact)
    if isinstance(said, NotEvaluated):
        return said
    return _known(said or (), name)


def _compared(asked: Asked, holds: Callable[[Terms, Terms], bool]) -> Answered:
    theirs = _theirs(asked)
    if isinstance(theirs, NotEvaluated):
        return theirs
    ours = _known(asked.filled, asked.test.fact)
    return ours if isinstance(ours, NotEvaluated) else holds(ours, theirs)


@word(
    "overlaps_region",
    REGION,
    "whether the body parts share something; neighbours in a picture count as shared",
    "overlaps_region: {prediction: body_region}",
)
def overlaps_region(asked: Asked) -> Answered:
    """Whether the body part named has to do with the other (PS3.16 Annex L)."""
    if asked.test.operand == {"prediction": "body_region"}:
        return _overlaps_seen(asked)
    return _compared(
        asked, lambda ours, theirs: any(are_related(a, b) for a in ours for b in theirs)
    )


def _overlaps_seen(asked: Asked) -> Answered:
    """Whether the body part named shares a region with what the pixels show."""
    seen = _seen(asked.look)
    if not isinstance(seen, Prediction):
        return NotEvaluated(str(seen))
    named = frozenset[str]().union(*(regions_of(term) for term in asked.values or ()))
    if not named:
        return NotEvaluated("the body part is no term with a known region")
    # A series is called after what much of it shows: the rim of a region is not enough.
    shares = seen.widespread or seen.probabilities
    return any(shares.get(name, 0.0) >= REGION_PRESENT_FROM for name in named)


def _seen(look: Look) -> object:
    assert isinstance(look.facts, SeriesFacts)
    return decided(look.facts.inference.of("body_region"), "")


@word(
    "contains_region",
    REGION,
    "whether the body part named contains all of the other",
    "contains_region: {fact: text.regions}",
)
def contains_region(asked: Asked) -> Answered:
    """Whether each of the other parts lies in one of ours."""
    return _compared(
        asked, lambda ours, theirs: all(any(is_part(b, a) for a in ours) for b in theirs)
    )


@word(
    "part_of",
    REGION,
    "whether the body part named is the other one or a part of it",
    "part_of: [LOWERLIMB, UPPERLIMB]",
)
def part_of(asked: Asked) -> Answered:
    """Whether each of our parts lies in one of the others."""
    return _compared(
        asked, lambda ours, theirs: all(any(is_part(a, b) for b in theirs) for a in ours)
    )


# --- sides ---------------------------------------------------------------------------------------

CONSISTENT: Final = Takes("{fact: NAME}", is_fact, fact_schema())


@word(
    "consistent_with",
    CONSISTENT,
    "whether two facts of sides do not exclude each other; B is consistent with all",
    "consistent_with: {fact: side.code}",
)
def consistent_with(asked: Asked) -> Answered:
    """Whether no side is named that the other denies; R and L as values of both are no denial."""
    other = asked.other()
    if isinstance(other, NotEvaluated):
        return other
    ours = _sides(asked.filled)
    theirs = _sides(other or ())
    if not ours or not theirs:
        return NotEvaluated("one of the two names no side")
    return ours <= theirs or theirs <= ours


def _sides(values: Collection[str]) -> frozenset[str]:
    named = {value.upper()[:1] for value in values} & set("LRB")
    return frozenset("LR") if "B" in named else frozenset(named)


# --- defined terms -------------------------------------------------------------------------------

#: Tables of `is_term_of`, each with where the standard lists them.
TABLES: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "modality": ("PS3.3 C.7.3.1.1.1, retired terms included", terms.is_modality),
    "body_part": ("PS3.16 Annex L", is_defined_term),
    "known_body_part": (
        "PS3.16 Annex L, in whatever spelling",
        lambda text: body_part(text) is not None,
    ),
    **{
        name: (section, frozenset(listed.split()).__contains__)
        for name, section, listed in (
            ("laterality", "PS3.3 C.7.3.1", "R L"),
            ("image_laterality", "PS3.3 C.7.6.1.1.1", "R L U B"),
            ("patient_sex", "PS3.3 C.7.1.1", "M F O"),
            (
                "patient_position",
                "PS3.3 C.7.3.1.1.2",
                "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFDR AFDL PFDR PFDL SITTING",
            ),
            ("view_position", "PS3.3 C.8.1.1.1, C.8.11.5", "AP PA LL RL RLD LLD RLO LLO"),
            ("conversion_type", "PS3.3 C.8.6.1", "DV DI DF WSD SD SI DRW SYN"),
            ("presentation_intent", "PS3.3 C.8.11.1", "FOR_PRESENTATION FOR_PROCESSING"),
            ("yes_no", "PS3.3, many", "YES NO"),
            (
                "photometric_interpretation",
                "PS3.3 C.7.6.3.1.2",
                """MONOCHROME1 MONOCHROME2 PALETTE_COLOR RGB HSV ARGB CMYK YBR_FULL YBR_FULL_422
                YBR_PARTIAL_422 YBR_PARTIAL_420 YBR_ICT YBR_RCT XYB""",
            ),
        )
    },
}


@word(
    "is_term_of",
    one_of(TABLES, "a table of terms"),
    "whether every value is a defined term or enumerated value of this table",
    "is_term_of: patient_position",
)
def is_term_of(asked: Asked) -> Answered:
    """Whether all values are terms of a table; no where there is none."""
    _, is_term = TABLES[str(asked.test.operand)]
    return bool(asked.filled) and all(is_term(value) for value in asked.filled)
