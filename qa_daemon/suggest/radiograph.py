"""What radiographs should say of how they lie and how their grey values run."""

from typing import Final

from attrs import evolve

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.letters import direction_letters
from qa_daemon.geometry.orientation import display, inverse, turn_between
from qa_daemon.records.finding import Change, Suggestion
from qa_daemon.rules.checks.projection.directions import Lie, class_letters, letters_of, lie
from qa_daemon.rules.checks.projection.view import views_seen
from qa_daemon.rules.checks.registry import number
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.schema import Registered, Rule
from qa_daemon.suggest.values import replacing

_OPPOSITE: Final = str.maketrans("APRLHF", "PALRFH")
_OTHER_GREY: Final = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}
#: Presentation LUT Shape that goes with the photometric interpretation (PS3.3 C.8.11.3.1.2).
SHAPES: Final = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}


def turned_letters(letters: tuple[str, str], d: int) -> tuple[str, str]:
    """Return Patient Orientation after T_d: mirrored first from 4 on, then turned."""
    row, column = letters
    if d >= 4:
        row = row.translate(_OPPOSITE)
    for _ in range(d % 4):
        row, column = column, row.translate(_OPPOSITE)
    return row, column


def patient_orientation_suggestions(rule: Rule, facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Return the Patient Orientation under which the picture would be right, and how to show it."""
    options = rule.check.options if isinstance(rule.check, Registered) else {}
    found = lie(facts, number(options, "mirror_probability", 0.0))
    if not isinstance(found, Lie) or found.turn == 0:
        return ()
    return letters_suggestions(facts, found.predicted, found.expected, found.confidence)


def letters_suggestions(
    facts: SeriesFacts, predicted: int, expected: int, confidence: float | None
) -> tuple[Suggestion, ...]:
    """Return the Patient Orientation of a picture that lies as `predicted`, and how to show it."""
    turn = turn_between(predicted, expected)
    stated = letters_of(facts.series.instances[0])
    if stated is not None:
        letters = turned_letters(stated, turn)
    elif views_seen(facts) <= {"AP", "PA"} and views_seen(facts):
        letters = class_letters(predicted)
    else:
        return ()
    changes = replacing(facts.series, "PatientOrientation", letters)
    shown = display(inverse(turn))
    return (Suggestion(changes, confidence=confidence, display=shown),) if changes else ()


def plane_letters_suggestions(_: Rule, facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Return the Patient Orientation that Image Orientation (Patient) means."""
    changes: dict[str, tuple[Change, ...]] = {}
    for each in facts.slices:
        if isinstance(each.cosines, Cosines):
            letters = tuple(map(direction_letters, (each.cosines.row, each.cosines.column)))
            uid = each.instance.sop_instance_uid
            changes[uid] = replacing(facts.series, "PatientOrientation", letters, only=uid)
    found = tuple(change for each in changes.values() for change in each)
    return (Suggestion(found),) if found else ()


def photometric_suggestions(_: Rule, facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Return the other direction of grey, in both elements that say it."""
    other = _OTHER_GREY.get(facts.text("PhotometricInterpretation"))
    if other is None:
        return ()
    changes = replacing(facts.series, "PhotometricInterpretation", (other,))
    if facts.text("PresentationLUTShape"):
        changes += replacing(facts.series, "PresentationLUTShape", (SHAPES[other],))
    return (Suggestion(changes),)


def with_confidence(suggestion: Suggestion, confidence: float | None) -> Suggestion:
    """Return the suggestion as sure as its finding, unless it says how sure it is."""
    if suggestion.confidence is not None or confidence is None:
        return suggestion
    return evolve(suggestion, confidence=confidence)
