"""The body part in descriptions, in tags, and in the picture."""

from typing import Final

from qa_daemon.dicom.coding.pictured import are_near, labels_of
from qa_daemon.dicom.regions import REGIONS, are_related, body_part, regions_of
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.checks.side.texts import OF_ORDER, OF_SERIES, parts_in, texts_in
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
)

# As for the part in the tags: a label that gets at least this much is not called absent.
_PRESENT_FROM: Final = 0.05


def _agree(one: str, other: str) -> bool:
    """Whether two terms may be said of one picture."""
    a, b = body_part(one), body_part(other)
    if a is None or b is None or a.code == b.code or are_related(one, other):
        return True
    if regions_of(one) & regions_of(other):
        return True
    ours, theirs = labels_of(a), labels_of(b)
    placed = (ours or regions_of(one)) and (theirs or regions_of(other))
    return not placed or any(are_near(x, y) for x in ours for y in theirs)


def _span(parts: frozenset[str]) -> frozenset[str]:
    """Return the regions from the highest to the lowest named: `pelvis to head` is a whole body."""
    at = [REGIONS.index(region) for part in parts for region in regions_of(part)]
    return frozenset(REGIONS[min(at) : max(at) + 1]) if len(parts) > 1 and at else frozenset()


@of_series
def part_agrees_with_words(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Body Part Examined has to do with the part that the descriptions name.

    Only what was chosen for the series is compared; a study may be of several parts.
    """
    term = facts.text("BodyPartExamined")
    texts = texts_in(facts.series.shared, OF_SERIES)
    parts = parts_in(texts)
    if body_part(term) is None or not parts:
        return NotApplicable()
    if any(_agree(term, part) for part in parts) or regions_of(term) & _span(parts):
        return PASSED
    named = " and ".join(sorted(parts))
    return (
        Hit(
            f"Body Part Examined says {term}, the descriptions of the series {named}.",
            evidence=dict(texts),
            proposed=_proposed(term, parts, facts),
        ),
    )


def _proposed(term: str, parts: frozenset[str], facts: SeriesFacts) -> dict[str, tuple[str, ...]]:
    """Return the part described; nothing where the pixels side with the tag."""
    seen = decided(facts.inference.of("body_region"), "")
    if isinstance(seen, Prediction) and regions_of(term) & set(seen.labels or ()):
        return {}
    return {"BodyPartExamined": tuple(parts)} if len(parts) == 1 else {}


@of_series
def radiograph_agrees_with_words(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a radiograph shows a part that the order or the descriptions name."""
    parts = parts_in(texts_in(facts.series.shared, (*OF_SERIES, *OF_ORDER)))
    known = [part for term in parts if (part := body_part(term)) is not None]
    named = frozenset[str]().union(*(labels_of(part) for part in known))
    if not named or not all(map(labels_of, known)):
        return NotApplicable()
    seen = decided(facts.inference.of("body_part"), "")
    if not isinstance(seen, Prediction) or not seen.labels:
        return NotEvaluated("body_part: nothing accepted")
    shown = {name for name, p in seen.probabilities.items() if p >= _PRESENT_FROM}
    if any(are_near(a, b) for a in named for b in shown | set(seen.labels)):
        return PASSED
    return (
        Hit(
            f"The descriptions say {' and '.join(sorted(parts))}; the picture shows "
            f"{' and '.join(seen.labels)}. The images may belong to another order.",
        ),
    )
