"""Term and code of the part (PS3.16 Annex L, PS3.3 10.5), against each other and the picture."""

from typing import Final

from qa_daemon.dicom.coding.concepts import codes
from qa_daemon.dicom.coding.pictured import are_near, labels_of
from qa_daemon.dicom.regions import BodyPart, body_part, regions_of
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.registry import Options, of_series, words
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
    uids,
)

# A label that the model gives at least this much is not called absent (as for CT and MR regions).
_PRESENT_FROM: Final = 0.05
#: What a whole torso shows; an organ named for it is a place of disease, and no body part.
_TORSO: Final = frozenset({"CHEST", "ABDOMEN", "PELVIS"})


def part_of_code(facts: SeriesFacts) -> BodyPart | None:
    """Return the part that Anatomic Region Sequence names, None where it names none or several."""
    element = facts.series.shared.get("AnatomicRegionSequence")
    if element is None:
        return None
    found = codes({"AnatomicRegionSequence": element}, "AnatomicRegionSequence")
    parts = {part for each in found if (part := each.body_part) is not None}
    return parts.pop() if len(parts) == 1 else None


def part_of_term(facts: SeriesFacts) -> BodyPart | None:
    """Return the part that Body Part Examined names, whatever its spelling."""
    return body_part(facts.text("BodyPartExamined"))


@of_series
def part_agrees_with_radiograph(facts: SeriesFacts, options: Options) -> Answer:
    """Check that a radiograph shows the part that is named, or a neighbour of it.

    Options: `by: term` (Body Part Examined) or `by: code` (Anatomic Region Sequence).
    """
    part = part_of_code(facts) if options.get("by") == "code" else part_of_term(facts)
    named = frozenset[str]() if part is None else labels_of(part)
    if part is None or not named:
        return NotEvaluated("no part is named that a model knows")
    seen = decided(facts.inference.of("body_part"), "")
    if not isinstance(seen, Prediction) or not seen.labels:
        return NotEvaluated("body_part: nothing accepted")
    shown = {name for name, p in seen.probabilities.items() if p >= _PRESENT_FROM}
    if any(are_near(a, b) for a in named for b in shown | set(seen.labels)):
        return PASSED
    what = "The anatomic region code" if options.get("by") == "code" else "Body Part Examined"
    return (Hit(f"{what} says {part.term}; the picture shows {' and '.join(seen.labels)}."),)


@of_series
def term_agrees_with_code(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Body Part Examined and Anatomic Region Sequence name parts that overlap."""
    term, code = part_of_term(facts), part_of_code(facts)
    if term is None or code is None:
        return NotApplicable()
    if _overlap(term, code):
        return PASSED
    return (
        Hit(
            f"Body Part Examined says {term.term}, the anatomic region code {code.term} "
            f"({code.meaning}).",
        ),
    )


def _overlap(a: BodyPart, b: BodyPart) -> bool:
    """Whether one part is the other, lies in it, or shares a region with it."""
    if a.code == b.code or a.term == b.parent or b.term == a.parent:
        return True
    if not _is_placed(a) or not _is_placed(b) or set(a.covers) & set(b.covers):
        return True
    if regions_of(a.term) & regions_of(b.term):
        return True
    return any(are_near(x, y) for x in labels_of(a) for y in labels_of(b))


def _is_placed(part: BodyPart) -> bool:
    """Whether anything is known of where the part lies; vessels and skin lie everywhere."""
    return bool(regions_of(part.term) or labels_of(part))


@of_series
def codes_complete(facts: SeriesFacts, options: Options) -> Answer:
    """Check that every item of the code sequences has value, scheme and meaning (PS3.3 8.8)."""
    lacking: dict[str, list[Instance]] = {}
    applies = False
    for keyword in words(options, "keywords"):
        looked_at = facts.telling(keyword)
        is_alike = looked_at != facts.series.instances
        for each in looked_at:
            for code in codes(each.elements, keyword):
                applies = True
                if not (code.value and code.scheme and code.meaning):
                    holders = facts.series.instances if is_alike else (each,)
                    lacking.setdefault(code.path, []).extend(holders)
    if not applies:
        return NotApplicable()
    if not lacking:
        return PASSED
    concerned = {each.sop_instance_uid: each for group in lacking.values() for each in group}
    message = f"A code without value, scheme or meaning: {', '.join(sorted(lacking))}."
    return (Hit(message, uids(concerned.values(), facts.series.instances)),)


@of_series
def organ_not_for_torso(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no organ stands for chest, abdomen and pelvis together."""
    part = part_of_term(facts)
    seen = decided(facts.inference.of("body_region"), "")
    if part is None:
        return NotApplicable()
    if not isinstance(seen, Prediction):
        return NotEvaluated(f"body_region: {seen}")
    named = regions_of(part.term)
    if not named or not set(seen.labels or ()) >= _TORSO:
        return PASSED
    # None of it is a contradiction, which REGION-001 tells.
    if len(named & _TORSO) != 1 or part.term in _TORSO:
        return PASSED
    return (Hit(f"Body Part Examined says {part.term}; the pixels show the whole torso."),)
