"""What the review page says of a finding, in the words of the person who looks.

Everything here is a text or a number for a template; nothing is marked safe.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from qa_daemon.geometry.letters import EdgeLetters
from qa_daemon.language.speech import PROBABILITY_SHOWN_MIN, Speech
from qa_daemon.language.wording import wording_of
from qa_daemon.queue.reviewing.evidence import Candidate, Weight, turn_of
from qa_daemon.queue.reviewing.page import RADIOGRAPHS, Review
from qa_daemon.queue.reviewing.reading import Pair
from qa_daemon.queue.reviewing.tag_table import cut, shown
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Hypothesis, Level, Topic
from qa_daemon.records.order import Order

#: How a picture lies against its tag, by the turn between them.
TURN_WORDS: Final = (
    "As tagged",
    "Turned left",
    "Upside down",
    "Turned right",
    "Mirrored",
    "Mirrored, turned left",
    "Mirrored, upside down",
    "Mirrored, turned right",
)
HYPOTHESIS_WORDS: Final = {
    Hypothesis.PIXELS_TURNED: "The pixels were turned or mirrored after acquisition.",
    Hypothesis.FRAME_WRONG: "The patient position was entered wrongly.",
    Hypothesis.IOP_WRONG: "Image Orientation (Patient) alone is wrong.",
}
ABSTENTION_WORDS: Final = {
    "low_probability": "The model is not sure enough.",
    "out_of_distribution": "The pictures are unlike those that the model knows.",
    "not_axial": "The slices are not axial.",
    "no_pixels": "No pixels could be read.",
    "not_applicable": "The model does not know such pictures.",
    "model_unavailable": "The model is not installed.",
    "limit": "A picture took too long, or too much memory.",
    "turn_only": "The turn is decided; left and right cannot be told here.",
}
EVIDENCE_WORDS: Final = {
    "pictures": "All pictures that voted",
    "prior": "Other series, and how rare a mix-up is",
    "pixels": "What the pixels show",
    "table": "Patient table in the stored picture",
    "stack": "Order of body parts along the stack",
    "proposal": "What is proposed",
    "gain": "Gain of all moves",
    "body_region": "Region in the pictures",
    "body_part": "Part in the picture",
    "tag.BodyPartExamined": "Body Part Examined",
    "AccessionNumber": "Accession Number",
}
#: Values of evidence that are words of ours.
SAID_WORDS: Final = {
    "bottom": "at the bottom",
    "top": "at the top",
    "left": "at the left",
    "right": "at the right",
    "agrees": "agrees with the tags",
    "reversed": "runs the other way",
}
#: A weight of 4.6 is 99 %; the axis has 46 units on each side.
BAR_MAX: Final = 46
BAR_PER_LOG_ODDS: Final = 10
#: Beyond this many characters a name of a patient is cut; the title of the page carries it whole.
NAME_MAX: Final = 64


@frozen(kw_only=True)
class PatientLine:
    """What stands over the question; names only for who may see them."""

    name: str
    whole_name: str
    facts: tuple[str, ...]


def question(review: Review, speech: Speech) -> str:
    """Return the one question of the page, which yes or no can answer."""
    finding = review.row.finding
    if finding.level is Level.VISIT or (review.visit is not None and review.visit.moves):
        kind = "" if review.visit is None else review.visit.kind
        if kind == "swap":
            return speech.say("Should these orders change places?")
        if review.visit is not None and review.visit.moves:
            return speech.say("Does this series belong to the other order?")
    if review.is_hung_anew and review.pairs:
        return speech.say("Is the right-hand picture the true one?")
    if not review.rows:
        return speech.say("Is this so?")
    if finding.topic in {Topic.BODY_PART, Topic.LATERALITY, Topic.VIEW}:
        return speech.say("Does the picture show what is suggested?")
    return speech.say("Is this change right?")


def sentence(review: Review, speech: Speech) -> str:
    """Return what is wrong, in one line."""
    finding = review.row.finding
    return speech.sentence(wording_of(finding)) or finding.message


def patient_line(review: Review, speech: Speech, *, sees_patients: bool, alias: str) -> PatientLine:
    """Return who and what is looked at; a viewer without the right sees a pseudonym."""
    if review.instance is None:
        return PatientLine(name=alias, whole_name=alias, facts=())
    elements = review.instance.elements
    study = [
        first_text(elements, "StudyDescription"),
        review.recurring.practice.station or first_text(elements, "StationName"),
        review.recurring.practice.protocol,
    ]
    if not sees_patients:
        return PatientLine(
            name=alias, whole_name=alias, facts=_filled([review.row.modality, *study])
        )
    name = first_text(elements, "PatientName") or speech.say("no name")
    sex = first_text(elements, "PatientSex")
    born = _date(first_text(elements, "PatientBirthDate"), speech)
    accession = first_text(elements, "AccessionNumber")
    facts = [
        _labelled(speech, "ID {value}", first_text(elements, "PatientID")),
        ", ".join(filter(None, (born, sex))),
        _with_modality(review.row.modality, study[0]),
        _labelled(speech, "Accession {value}", accession),
        study[1],
        _date(first_text(elements, "StudyDate"), speech),
    ]
    return PatientLine(name=cut(shown(name)), whole_name=shown(name[:1000]), facts=_filled(facts))


def _with_modality(modality: str, description: str) -> str:
    """Return what was examined; many descriptions begin with the modality."""
    if description.upper().startswith(modality.upper()):
        return description or modality
    return " ".join(filter(None, (modality, description)))


def _labelled(speech: Speech, text: str, value: str) -> str:
    return speech.say(text, value=value) if value else ""


def _filled(facts: Sequence[str]) -> tuple[str, ...]:
    return tuple(shown(each[:NAME_MAX]) for each in facts if each)


def _date(text: str, speech: Speech) -> str:
    try:
        return speech.day(datetime.strptime(text, "%Y%m%d").astimezone())
    except ValueError:
        return text


def turn_words(turn: int, speech: Speech) -> str:
    """Return how a picture lies against its tag."""
    return speech.say(TURN_WORDS[turn])


def candidate_words(candidate: Candidate, tagged: int, speech: Speech) -> str:
    """Return what one answer of a model means."""
    turn = turn_of(candidate, tagged)
    if turn is not None:
        return turn_words(turn, speech)
    return speech.part(candidate.label)


def weight_words(weight: Weight, speech: Speech) -> str:
    """Return one line of evidence."""
    name = speech.say(EVIDENCE_WORDS.get(weight.name, weight.name))
    said = speech.say(SAID_WORDS[weight.said]) if weight.said in SAID_WORDS else weight.said
    return f"{name}: {said}" if said else name


def rounded(log_odds: float, speech: Speech) -> str:
    """Return a weight with its sign and one decimal."""
    sign = "+" if log_odds > 0.05 else "\N{MINUS SIGN}" if log_odds < -0.05 else ""
    return f"{sign}{speech.number(round(abs(log_odds), 1))}"


def bar_length(log_odds: float) -> int:
    """Return the length of a weight's bar, 46 at the most."""
    return min(BAR_MAX, round(abs(log_odds) * BAR_PER_LOG_ODDS))


def share(probability: float, speech: Speech) -> str:
    """Return a calibrated figure with one decimal; below .001 it is not told apart."""
    if probability < PROBABILITY_SHOWN_MIN:
        return speech.say("under 0.1 %")
    return f"{speech.number(round(probability * 100, 1))}\N{HAIR SPACE}%"


def parts_in_words(terms: Sequence[str], speech: Speech) -> str:
    """Return body parts as a list in a sentence."""
    return speech.listed([speech.part(each) for each in terms])


def alt_text(pair: Pair, letters: EdgeLetters | None, review: Review, speech: Speech) -> str:
    """Return what a picture shows for who cannot see it, from the same evidence."""
    modality = review.row.modality or speech.say("Picture")
    if letters is None:
        return speech.say("{modality}, no directions known", modality=modality)
    return speech.say(
        "{modality}, slice {n}: {left} at screen left, {right} at screen right, {top} at the top",
        modality=modality,
        n=pair.picture.position,
        left=letters.left,
        right=letters.right,
        top=letters.top,
    )


def caption(review: Review, pair: Pair, speech: Speech) -> dict[str, str]:
    """Return what stands in the corners of a picture: its place, its window."""
    count = review.previews.frame_count
    place = "" if pair.place is None else f"{pair.place.axis} {_mm(pair.place.mm)} mm"
    of_stack = speech.say("Slice {n} of {count}", n=pair.picture.position, count=count)
    return {"place": of_stack if count > 1 else speech.say("One picture"), "mm": place}


def _mm(value: float) -> str:
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def order_words(order: Order, speech: Speech) -> dict[str, Any]:
    """Return one order as its card says it."""
    parts = dict.fromkeys(
        f"{speech.part(each.region)} {each.side or ''}".strip() for each in order.regions
    )
    return {
        "accession": order.key.accession_number,
        "text": cut(shown(order.description)),
        "reason": cut(shown(order.reason)),
        "expects": ", ".join(parts),
    }


def is_radiograph(review: Review) -> bool:
    """Whether one picture stands alone, so that a second copy of it would prove nothing."""
    return review.row.modality in RADIOGRAPHS
