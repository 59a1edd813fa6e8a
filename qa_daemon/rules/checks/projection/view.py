"""View Position and View Code Sequence (PS3.3 C.8.1.1, C.8.11.5), words, and the picture."""

import re
from collections.abc import Mapping
from typing import Final

from qa_daemon.dicom.coding.concepts import codes
from qa_daemon.records.element import Elements, first_text
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
)

#: Groups that the picture tells, by the terms of View Position and what is seen instead of them.
#: Decubitus views (LLD, RLD) say how the patient lies, not from where the beam comes.
_TERMS: Final = {
    "AP": "AP", "PA": "PA", "LL": "LATERAL", "RL": "LATERAL", "LAT": "LATERAL",
    "LATERAL": "LATERAL", "LATERO": "LATERAL", "RLO": "OBLIQUE", "LLO": "OBLIQUE",
    "OBL": "OBLIQUE", "OBLIQUE": "OBLIQUE", "AXIAL": "AXIAL",
}  # fmt: skip
#: Words of descriptions in seven languages.
_LATERAL: Final = (
    "lat lateral latéral laterale laterales seitlich seitl perfil profil profilo zijdelings dwars"
    " ll rl"
)
_OBLIQUE: Final = "obl oblique oblicua oblíqua obliquo schräg schraeg schuin"
_AXIAL: Final = "axial axiale tangential skyline sunrise"
_WORDS: Final = {
    "ap": "AP", "a.p": "AP", "pa": "PA", "p.a": "PA", "dv": "AP",
    **dict.fromkeys(_LATERAL.split(), "LATERAL"),
    **dict.fromkeys(_OBLIQUE.split(), "OBLIQUE"),
    **dict.fromkeys(_AXIAL.split(), "AXIAL"),
}  # fmt: skip
_WORD: Final = re.compile(r"[^\W_]+(?:\.[^\W_](?![^\W_]))?")
_DESCRIBED: Final = ("SeriesDescription", "ProtocolName", "PerformedProcedureStepDescription")
FRONTAL: Final = frozenset({"AP", "PA"})


def views_stated(elements: Elements) -> Mapping[str, str]:
    """Return place -> AP, PA, LATERAL, OBLIQUE or AXIAL, for the coded places of an object."""
    stated = {"View Position": _TERMS.get(first_text(elements, "ViewPosition").upper(), "")}
    for code in codes(elements, "ViewCodeSequence"):
        stated["View Code Sequence"] = code.view
    return {place: view for place, view in stated.items() if view}


def views_described(facts: SeriesFacts) -> frozenset[str]:
    """Return the views that the descriptions of the series name."""
    texts = " ".join(facts.text(keyword) for keyword in _DESCRIBED).lower()
    return frozenset(_WORDS[word] for word in _WORD.findall(texts) if word in _WORDS)


def all_stated(facts: SeriesFacts) -> Mapping[str, str]:
    """Return what the images of a series state in one voice; a place that differs is left out."""
    if not {"ViewPosition", "ViewCodeSequence"} & facts.series.conflicting:
        return views_stated(facts.series.instances[0].elements)
    each = [set(views_stated(one.elements).items()) for one in facts.series.instances]
    return dict(set.intersection(*each))


def views_seen(facts: SeriesFacts) -> frozenset[str]:
    """Return the view that the picture shows, or else those that the tags state."""
    seen = decided(facts.inference.of("view"), "")
    if isinstance(seen, Prediction) and seen.label is not None:
        return frozenset({seen.label})
    return frozenset(all_stated(facts).values())


@of_series
def stated_views_agree(facts: SeriesFacts, _: Options) -> Answer:
    """Check that View Position and View Code Sequence say one view."""
    stated = all_stated(facts)
    if len(stated) < 2:
        return NotApplicable()
    if len(set(stated.values())) == 1:
        return PASSED
    named = ", ".join(f"{place} says {view}" for place, view in stated.items())
    return (Hit(f"{named}.", evidence=stated),)


@of_series
def view_agrees_with_words(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the descriptions of a series name the view that its tags state."""
    stated, described = set(all_stated(facts).values()), views_described(facts)
    if len(stated) != 1 or len(described) != 1:
        return NotApplicable()
    if stated == described:
        return PASSED
    evidence = {keyword: text for keyword in _DESCRIBED if (text := facts.text(keyword))}
    return (
        Hit(
            f"The tags say {stated.pop()}, the descriptions {set(described).pop()}.",
            evidence={**all_stated(facts), **evidence},
        ),
    )


@of_series
def view_agrees_with_pixels(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the picture shows the view that the tags state.

    Options: `kind: plane` compares frontal with lateral, `kind: beam` AP with PA.
    """
    stated = set(all_stated(facts).values())
    if len(stated) != 1:
        return NotApplicable()
    seen = decided(facts.inference.of("view"), "")
    if not isinstance(seen, Prediction) or seen.label is None:
        return NotEvaluated(f"view: {seen}")
    by_tag = stated.pop()
    compared = FRONTAL if options.get("kind") == "beam" else FRONTAL | {"LATERAL"}
    if by_tag not in compared or seen.label not in compared:
        return NotApplicable()
    same_plane = (by_tag in FRONTAL) == (seen.label in FRONTAL)
    if by_tag == seen.label or (options.get("kind") != "beam" and same_plane):
        return PASSED
    return (
        Hit(f"The tags say {by_tag}; the picture shows {seen.label}.", evidence=all_stated(facts)),
    )


@of_series
def view_stated(facts: SeriesFacts, options: Options) -> Answer:
    """Check that View Position or View Code Sequence is filled, whatever it says."""
    keywords = words(options, "keywords")
    bare = [
        each
        for each in facts.series.instances
        if not any(
            (element := each.elements.get(keyword)) is not None and element.is_filled
            for keyword in keywords
        )
    ]
    if not bare:
        return PASSED
    everywhere = len(bare) == len(facts.series.instances)
    return (Hit(sop_instance_uids=() if everywhere else tuple(e.sop_instance_uid for e in bare)),)
