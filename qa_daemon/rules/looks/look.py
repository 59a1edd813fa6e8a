"""A look at one subject: what its facts say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import evolve, frozen

from qa_daemon.records.element import Elements
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import Part, Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import (
    NotEvaluated,
    SeriesFacts,
    StudyFacts,
    VisitFacts,
    decided,
    distinct,
)
from qa_daemon.rules.looks.names import FactName, Kind, fact_name
from qa_daemon.rules.looks.paths import (
    Values,
    all_frames,
    frame_values,
    items_along,
    values_along,
)
from qa_daemon.rules.looks.sides import side_values, text_values

#: Values of a fact; None where there is no such thing; or why nobody knows.
Said: TypeAlias = "Values | NotEvaluated | None"

#: What `every`, `some` and `none` go over besides the items of a sequence.
INSTANCES: Final = "instances"
FRAMES: Final = "frames"
SERIES: Final = "series"


@frozen
class Look:
    """What a condition is evaluated over.

    Attributes
    ----------
    facts
        The series, or the study.
    instance
        Only this instance of it; None means the subject as a whole.
    items
        The items that lead to this look, the outermost first; `item.X` is read from the last.
    frame
        Only this frame of the instance, counted from 1; 0 means all.
    """

    facts: SeriesFacts | StudyFacts
    instance: Instance | None = None
    items: tuple[Elements, ...] = ()
    frame: int = 0

    def values(self, fact: str) -> Said:
        """Return the values of a fact as texts."""
        name = fact_name(fact)
        return _READERS[name.kind](self, name)

    @property
    def instances(self) -> Sequence[Instance]:
        """The instances in view."""
        if self.instance is not None:
            return (self.instance,)
        return tuple(each for series in self.series for each in series.instances)

    @property
    def series(self) -> Sequence[Series]:
        """The series in view."""
        if isinstance(self.facts, StudyFacts):
            return self.facts.series
        return (self.facts.series,)

    def over(self, subject: str) -> Iterator["Look"]:
        """Yield a look at each instance, frame, series, or item of a sequence."""
        match subject:
            case "instances":
                yield from (evolve(self, instance=each) for each in self.instances)
            case "series":
                for each in self.series:
                    yield Look(SeriesFacts(each, self._seen(each), context=self.facts.context))
            case "frames":
                for instance in self.instances:
                    for frame in range(1, instance.number_of_frames + 1):
                        yield evolve(self, instance=instance, frame=frame)
            case _:
                yield from self._over_items(fact_name(subject))

    def _seen(self, series: Series) -> Inference:
        """Return what the pixels of one of several series showed, as far as it is known here."""
        known = self.facts.inferences if isinstance(self.facts, VisitFacts) else {}
        return known.get(series.series_instance_uid, Inference())

    def _over_items(self, name: FactName) -> Iterator["Look"]:
        if name.kind is Kind.ITEM:
            sources: Sequence[Elements] = self.items[-1:]
        else:
            sources = [_first_with(self.instances, name)]
        for elements in sources:
            for item in items_along(elements, name.steps):
                yield evolve(self, items=(*self.items, item))


def _first_with(instances: Sequence[Instance], name: FactName) -> Elements:
    """Return the elements of the first instance that has the sequence."""
    keyword = name.steps[0].keyword
    for instance in instances:
        if keyword in instance.elements:
            return instance.elements
    return {}


def _of_elements(look: Look, name: FactName) -> Said:
    if look.instance is not None:
        return _of_instance(look.instance, name)
    if isinstance(look.facts, SeriesFacts) and not (name.keywords & look.facts.series.conflicting):
        instances: Sequence[Instance] = look.facts.series.instances[:1]
    else:
        instances = look.instances
    return _first_filled(_of_instance(each, name) for each in instances)


def _of_instance(instance: Instance, name: FactName) -> Values | None:
    first = name.steps[0].keyword
    if first not in instance.elements and first in _OF_INSTANCE:
        return (_OF_INSTANCE[first](instance),)
    return values_along(instance.elements, name.steps)


#: What an instance says outside its elements: header elements that are always read apart.
_OF_INSTANCE: Final[Mapping[str, Callable[[Instance], str]]] = {
    "SOPClassUID": lambda instance: instance.sop_class_uid,
    "SOPInstanceUID": lambda instance: instance.sop_instance_uid,
    "SeriesInstanceUID": lambda instance: instance.series_instance_uid,
    "StudyInstanceUID": lambda instance: instance.study_instance_uid,
}


def _first_filled(found: Iterator[Values | None]) -> Values | None:
    empty: Values | None = None
    for values in found:
        if values and any(values):
            return values
        empty = values if empty is None else empty
    return empty


def _of_item(look: Look, name: FactName) -> Said:
    assert look.items, "the loader lets item.X stand only below every, some or none"
    return values_along(look.items[-1], name.steps)


def _of_frames(look: Look, name: FactName) -> Said:
    if look.instance is not None and look.frame:
        instance = look.instance
        return frame_values(instance.elements, name.steps, look.frame, instance.number_of_frames)
    found = dict.fromkeys(
        values
        for each in look.instances
        if (values := all_frames(each.elements, name.steps, each.number_of_frames)) is not None
    )
    return tuple(value for values in found for value in values) if found else None


def _of_object(look: Look, name: FactName) -> Said:
    return distinct(_OBJECT[name.word](each) for each in look.instances) or None


_OBJECT: Final[Mapping[str, Callable[[Instance], str]]] = {
    "transfer_syntax": lambda instance: instance.transfer_syntax_uid,
    "frames": lambda instance: str(instance.number_of_frames),
}


def _of_series(look: Look, name: FactName) -> Said:
    assert isinstance(look.facts, SeriesFacts), "the loader lets series.X stand for series only"
    if name.word == "planes":
        return tuple(sorted(look.facts.planes)) or None
    counts: Mapping[str, Callable[[SeriesFacts], int]] = {
        "instances": lambda facts: len(facts.series.instances),
        "frames": lambda facts: sum(each.number_of_frames for each in facts.series.instances),
        "orientations": lambda facts: facts.stack.orientation_count,
        "gaps": lambda facts: len(facts.stack.gaps),
        "colliding": lambda facts: len(facts.series.colliding),
    }
    return (str(counts[name.word](look.facts)),)


def _of_study(look: Look, name: FactName) -> Said:
    facts = look.facts
    whole = facts.series if isinstance(facts, StudyFacts) else (facts.series, *facts.siblings)
    match name.word:
        case "series":
            return (str(len(whole)),)
        case "instances":
            return (str(sum(len(each.instances) for each in whole)),)
        case _:
            return distinct(each.modality for each in whole if each.modality)


def _of_prediction(look: Look, name: FactName) -> Said:
    assert isinstance(look.facts, SeriesFacts), "the loader lets predictions stand for series only"
    half = name.part if name.part in {"turn", "mirror"} else ""
    found = decided(look.facts.inference.of(name.word), half)
    match found:
        case str(reason):
            return NotEvaluated(f"{name.word}: {reason}")
        case Part():
            return (str(found.value).lower(),)
        case Prediction() if name.part == "probability":
            return (f"{found.probability or 0.0:.4f}",)
        case Prediction():
            return labels_of(found)


def labels_of(prediction: Prediction) -> Values:
    """Return the labels that were accepted, the label where there can be but one."""
    if prediction.labels is not None:
        return prediction.labels
    return () if prediction.label is None else (prediction.label,)


def _of_order(look: Look, name: FactName) -> Said:
    if look.facts.context.order is None:
        return NotEvaluated("no order is known")
    return look.facts.context.order.get(name.word)


def _of_side(look: Look, name: FactName) -> Said:
    return side_values(look.instances, name.word, look.facts.context.lexicon)


def _of_text(look: Look, name: FactName) -> Said:
    return text_values(look.instances, name.word, look.facts.context.lexicon)


def _received(look: Look, _: FactName) -> Said:
    if look.facts.context.received is None:
        return NotEvaluated("the time of arrival is not known")
    return (look.facts.context.received.strftime("%Y%m%d%H%M%S.%f%z"),)


_READERS: Final[Mapping[Kind, Callable[[Look, FactName], Said]]] = {
    Kind.TAG: _of_elements,
    Kind.PRIVATE: _of_elements,
    Kind.ITEM: _of_item,
    Kind.FRAME: _of_frames,
    Kind.INSTANCE: _of_object,
    Kind.SERIES: _of_series,
    Kind.STUDY: _of_study,
    Kind.PREDICTION: _of_prediction,
    Kind.ORDER: _of_order,
    Kind.SIDE: _of_side,
    Kind.TEXT: _of_text,
    Kind.RECEIVED: _received,
}
