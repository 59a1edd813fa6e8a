"""What speaks for a series belonging to an order, and how much: log odds, witness by witness.

Each witness says which parts the series shows. Pixels speak with their calibrated probability.
What was written comes from the protocol or the order that the operator picked, so it speaks softly,
and all of it together no louder than a sure picture: a survey found Body Part Examined wrong in
15 % of CT and MR images (SPIE 4685, 2002).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import log
from typing import Final

from attrs import frozen

from qa_daemon.dicom.regions import REGIONS, body_part
from qa_daemon.orders.anatomy import TOGETHER, in_regions, overlap
from qa_daemon.orders.asked import codes_of
from qa_daemon.orders.lexicon.read import regions_named, regions_of_snomed
from qa_daemon.orders.lexicon.vocabulary import canonical
from qa_daemon.records.element import first_text
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import NamedRegion, Order
from qa_daemon.records.prediction import Abstention, Prediction
from qa_daemon.records.series import Series


class Witness(StrEnum):
    """Who says what a series shows."""

    PIXELS = "pixels"
    UNSURE_PIXELS = "pixels, not sure enough"
    PIXEL_SIDE = "side in the pixels"
    BODY_PART = "Body Part Examined"
    ANATOMIC_REGION = "Anatomic Region Sequence"
    LATERALITY = "Laterality"
    DESCRIPTION = "Series Description"
    PROTOCOL = "Protocol Name"
    STEP = "Performed Procedure Step Description"
    STATION = "habit of the station"
    MODALITY = "modality"


#: A picture is never more certain than this: calibration was measured on some thousand images.
DOUBT: Final = 0.01
SIDE_DOUBT: Final = 0.02
#: Log odds of a written part. It is copied from the order that the images are filed under, right or
#: wrong: that it fits this order says little, that it fits another one and not this says much. What
#: fits neither, or both, tells them not apart.
FITS_OWN: Final = log(0.85 / 0.7)
FITS_OTHER: Final = log(0.25 / 0.05)
#: Images that name no order: here only can it speak against one that it does not fit.
DIFFERS: Final = log(0.75 / 0.95)
#: All writing together.
WRITTEN_MOST: Final = 1.6
WRITTEN_LEAST: Final = -1.0
#: An order for another kind of machine.
OTHER_MODALITY: Final = -12.0
#: From this overlap on a part fits.
FITS_FROM: Final = 0.5
IN_REGION: Final = 0.9
#: How far a part speaks for its neighbours though the model knows these, too: its mistakes are
#: between neighbours.
NEIGHBOUR: Final = 0.5
REGIONS_SEEN: Final = frozenset(REGIONS)
#: Projection systems serve each other's orders.
_PROJECTION: Final = frozenset({"CR", "DX", "RF", "XR", "RG"})
_KINDS: Final[Mapping[str, str]] = dict.fromkeys(_PROJECTION, "DX")


_SEEN: Final = frozenset({Witness.PIXELS, Witness.UNSURE_PIXELS, Witness.PIXEL_SIDE})


@frozen
class Statement:
    """What one witness says of a series.

    Attributes
    ----------
    regions
        Parts with sides; the weights of pixels are probabilities.
    is_written
        Whether it was written by people or protocols.
    """

    witness: Witness
    regions: tuple[NamedRegion, ...]

    @property
    def is_written(self) -> bool:
        """Whether people or protocols wrote it."""
        return self.witness not in _SEEN


@frozen
class Evidence:
    """How much one witness says for an order, in log odds, and what it said."""

    witness: Witness
    said: str
    log_odds: float


@frozen
class Weighed:
    """All evidence for one series and one order.

    Attributes
    ----------
    log_odds
        What counts: all but what unsure pixels say.
    leaning
        What a model says that abstained. It proves nothing (contract, section 2): it only tells
        whether a series goes along with what others prove.
    """

    log_odds: float
    items: tuple[Evidence, ...] = ()
    leaning: float = 0.0


#: What is said of a series by words, each with its witness.
_WRITTEN: Final = (
    ("SeriesDescription", Witness.DESCRIPTION),
    ("ProtocolName", Witness.PROTOCOL),
    ("PerformedProcedureStepDescription", Witness.STEP),
)


def statements(
    series: Series, inference: Inference, habit: Sequence[NamedRegion] = ()
) -> tuple[Statement, ...]:
    """Return what is said of a series by its pixels, its tags and the habit of its station."""
    return tuple(
        each
        for each in (*_seen(inference), *_written(series), Statement(Witness.STATION, tuple(habit)))
        if each.regions
    )


def _seen(inference: Inference) -> Iterator[Statement]:
    answers = [inference.of(target) for target in ("body_part", "body_region")]
    sure = [each for each in answers if _usable(each) is not None]
    unsure = [each for each in answers if each and each.reason is Abstention.LOW_PROBABILITY]
    for prediction in (sure or unsure)[:1]:
        assert prediction is not None
        seen = (NamedRegion(label, None, probability)
                for label, probability in prediction.probabilities.items())  # fmt: skip
        yield Statement(Witness.PIXELS if sure else Witness.UNSURE_PIXELS, tuple(seen))
    side = _usable(inference.of("laterality"))
    if side is not None:
        yield Statement(
            Witness.PIXEL_SIDE,
            tuple(NamedRegion("", label, p) for label, p in side.probabilities.items()),
        )


def _usable(prediction: Prediction | None) -> Prediction | None:
    return None if prediction is None or prediction.abstained else prediction


def parts_of(body_part_examined: str) -> tuple[NamedRegion, ...]:
    """Return the atomic parts of a value of Body Part Examined; `()` if it is no term."""
    part = body_part(body_part_examined)
    terms = () if part is None else canonical()[part.term]
    return tuple(NamedRegion(term, None, 1.0) for term in terms)


def _written(series: Series) -> Iterator[Statement]:
    shared = series.shared
    yield Statement(Witness.BODY_PART, parts_of(first_text(shared, "BodyPartExamined")))
    coded = [regions_of_snomed(code.value) for code in codes_of(shared, "AnatomicRegionSequence")]
    yield Statement(
        Witness.ANATOMIC_REGION,
        tuple(NamedRegion(region, None, 1.0) for regions in coded for region in regions),
    )
    side = first_text(shared, "ImageLaterality") or first_text(shared, "Laterality")
    if side in {"L", "R", "B"}:
        yield Statement(Witness.LATERALITY, (NamedRegion("", side, 1.0),))
    for keyword, witness in _WRITTEN:
        yield Statement(witness, regions_named(first_text(shared, keyword)))


def weigh(
    said: Iterable[Statement], order: Order, modality: str, named: Sequence[Order] = ()
) -> Weighed:
    """Return what speaks for a series of these statements belonging to the order.

    An order whose words are not understood is neither for nor against anything.

    Parameters
    ----------
    named
        The orders that the series names: what is written may come from them.
    """
    items: list[Evidence] = []
    kinds = {_KINDS.get(each, each) for each in order.modalities}
    if kinds and _KINDS.get(modality, modality) not in kinds:
        items.append(Evidence(Witness.MODALITY, modality, OTHER_MODALITY))
    if order.regions:
        for one in said:
            if one.is_written:
                items += _weighed(one, order, named)
            elif one.witness is Witness.PIXEL_SIDE:
                items += _side_seen(one, order.regions)
            else:
                items.append(_part_seen(one, order.regions))
        items = _softened(items)
    lean = sum(each.log_odds for each in items if each.witness is Witness.UNSURE_PIXELS)
    return Weighed(sum(each.log_odds for each in items) - lean, tuple(items), lean)


def _part_seen(one: Statement, asked: Sequence[NamedRegion]) -> Evidence:
    fit = max(_seen_of(one.regions, want.region) for want in asked)
    return Evidence(one.witness, _surest(one.regions), _logit(fit, DOUBT))


def _weighed(one: Statement, order: Order, named: Sequence[Order]) -> Iterator[Evidence]:
    """Yield what a written part says for an order, and what its side does."""
    if one.witness is not Witness.LATERALITY:
        fits = _fits(one, order)
        own = [_fits(one, each) for each in named if each.regions]
        yield Evidence(one.witness, _surest(one.regions), _weight(order, named, own, fits=fits))
        if not fits:
            return
    same = _same_side(one, order)
    if same is not None:
        own = [_same_side(one, each) is True for each in named]
        side = next(iter(_sides(one.regions)))
        yield Evidence(one.witness, f"side {side}", _weight(order, named, own, fits=same))


def _weight(order: Order, named: Sequence[Order], own: Sequence[bool], *, fits: bool) -> float:
    """Return what it says that a text fits an order, or does not.

    Parameters
    ----------
    own
        Whether it fits the orders that the images name.
    """
    if not named:
        return FITS_OTHER if fits else DIFFERS
    if not fits:
        return 0.0
    return FITS_OWN if order in named or any(own) else FITS_OTHER


def _fits(one: Statement, order: Order) -> bool:
    return any(
        part.weight * overlap(part.region, want.region) >= FITS_FROM
        for part in one.regions
        for want in order.regions
    )


def _surest(shown: Sequence[NamedRegion]) -> str:
    surest = max(shown, key=lambda each: each.weight)
    return surest.region + (f" {surest.side}" if surest.side else "")


def _seen_of(shown: Sequence[NamedRegion], want: str) -> float:
    """Return how probably a part that was asked for is shown.

    A model that knows the part has said itself whether it is in view; its neighbours speak for it
    fully only where it does not know it, or the two are exposed together as often as not.
    """
    share_of: Callable[[str, str], float] = overlap
    if REGIONS_SEEN.issuperset(part.region for part in shown):
        share_of = _region_overlap
    overlaps = [(part.weight, share_of(part.region, want)) for part in shown]
    knows_it = any(share >= TOGETHER for _, share in overlaps)
    return max(
        (
            min(1.0, weight) * share * (NEIGHBOUR if knows_it and share < FITS_FROM else 1.0)
            for weight, share in overlaps
        ),
        default=0.0,
    )


def _region_overlap(region: str, asked: str) -> float:
    """Return the overlap of a label of `body_region` with a part, which may lie in two of them."""
    return max(
        overlap(region, asked), IN_REGION * (asked != region and region in in_regions(asked))
    )


def _sides(asked: Sequence[NamedRegion]) -> set[str]:
    return {each.side for each in asked if each.side is not None}


def _side_seen(statement: Statement, asked: Sequence[NamedRegion]) -> Iterator[Evidence]:
    wanted = _sides(asked)
    if len(wanted) != 1:
        return
    side = wanted.pop()
    probabilities = {each.side: each.weight for each in statement.regions}
    best = max(statement.regions, key=lambda each: each.weight)
    if side == "B":
        return  # one of both
    fit = probabilities.get(side, 0.0) + 0.5 * probabilities.get("B", 0.0)
    yield Evidence(statement.witness, str(best.side), _logit(min(1.0, fit), SIDE_DOUBT))


def _same_side(statement: Statement, order: Order) -> bool | None:
    """Return whether both name the same side; None where one of them names none, or both."""
    wanted, said = _sides(order.regions), _sides(statement.regions)
    if len(wanted) != 1 or len(said) != 1 or "B" in wanted | said:
        return None
    return wanted == said


def _logit(probability: float, doubt: float) -> float:
    return log((probability + doubt) / (1.0 - probability + doubt))


def _softened(items: Sequence[Evidence]) -> list[Evidence]:
    """Scale what was written so that all of it together keeps its bounds."""
    loud = {*_SEEN, Witness.MODALITY}
    total = sum(each.log_odds for each in items if each.witness not in loud)
    bound = min(max(total, WRITTEN_LEAST), WRITTEN_MOST)
    scale = bound / total if total else 1.0
    return [
        each if each.witness in loud else Evidence(each.witness, each.said, each.log_odds * scale)
        for each in items
    ]
