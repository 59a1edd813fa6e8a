"""Which end of the grey values is white (PS3.3 C.7.6.3.1.2, C.8.11.3.1.2)."""

from typing import Final

from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
)

_GREY: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
_SHAPES: Final = {"INVERSE": "MONOCHROME1", "IDENTITY": "MONOCHROME2"}
_INVERTED: Final = "inverted"


@of_series
def picture_not_inverted(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a picture shown as its tags say is no negative: bone white, air black."""
    if facts.text("PhotometricInterpretation") not in _GREY:
        return NotApplicable()
    seen = decided(facts.inference.of("image_quality"), "")
    if not isinstance(seen, Prediction):
        return NotEvaluated(f"image_quality: {seen}")
    probability = seen.probabilities.get(_INVERTED)
    if _INVERTED not in (seen.labels or ()):
        return PASSED
    return (
        Hit(
            evidence={"PhotometricInterpretation": facts.text("PhotometricInterpretation")},
            confidence=probability,
        ),
    )


@of_series
def presentation_fits_photometric(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Presentation LUT Shape says the same as Photometric Interpretation."""
    photometric, shape = (
        facts.text(each) for each in ("PhotometricInterpretation", "PresentationLUTShape")
    )
    if photometric not in _GREY or shape not in _SHAPES:
        return NotApplicable()
    if _SHAPES[shape] == photometric:
        return PASSED
    return (Hit(f"Photometric Interpretation is {photometric}, Presentation LUT Shape {shape}."),)
