"""The instances of a series by what they say, so that each distinct tuple is judged once."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.looks.look import FRAMES, Look
from qa_daemon.rules.looks.names import Kind, fact_name
from qa_daemon.rules.looks.sides import PLACES

#: Facts of the series as a whole, which no instance says differently.
_WHOLE: Final = frozenset(
    {Kind.SERIES, Kind.STUDY, Kind.PREDICTION, Kind.ORDER, Kind.RECEIVED, Kind.ITEM}
)

Group = tuple[Instance, ...]


def groups(facts: SeriesFacts, names: Iterable[str]) -> tuple[Group, ...]:
    """Return the instances that say the same under all these names, group by group.

    Names are those of facts, of sequences whose items are asked, or `frames` for every frame.
    What all instances say alike is found without a look at any of them.
    """
    varying = tuple(sorted({name for name in names if varies(facts, name)}))
    known = facts.remembered.get(varying)
    if known is None:
        known = facts.remembered[varying] = _grouped(facts, varying)
    return known


def _grouped(facts: SeriesFacts, varying: tuple[str, ...]) -> tuple[Group, ...]:
    instances = facts.series.instances
    if not varying:
        return (instances,) if instances else ()
    columns = [[_key(facts, each, name) for each in instances] for name in varying]
    found: dict[tuple[Hashable, ...], list[Instance]] = defaultdict(list)
    for instance, key in zip(instances, zip(*columns, strict=True), strict=True):
        found[key].append(instance)
    return tuple(map(tuple, found.values()))


def _key(facts: SeriesFacts, instance: Instance, name: str) -> Hashable:
    keywords = _depends_on(name)
    if name != FRAMES and fact_name(name).kind is not Kind.TAG:
        return Look(facts, instance).values(name)
    return tuple(_hashable(instance.elements.get(keyword)) for keyword in sorted(keywords))


def _hashable(element: Element | None) -> Hashable:
    if element is None:
        return None
    if any(isinstance(value, Mapping) for value in element.values):
        return repr(element.values)
    return element.values


def varies(facts: SeriesFacts, name: str) -> bool:
    """Whether instances of the series may answer differently under this name."""
    if name == FRAMES:
        return True
    read = fact_name(name)
    if read.kind in _WHOLE:
        return False
    return read.kind is Kind.INSTANCE or bool(_depends_on(name) & facts.series.conflicting)


@lru_cache(maxsize=4096)
def _depends_on(name: str) -> frozenset[str]:
    """Return the top-level elements that decide what an instance says under a name."""
    if name == FRAMES:
        return frozenset({PER_FRAME, SHARED})
    read = fact_name(name)
    match read.kind:
        case Kind.FRAME:
            return read.keywords | {PER_FRAME, SHARED}
        case Kind.SIDE | Kind.TEXT:
            return PLACES
        case _:
            return frozenset({read.steps[0].keyword}) if read.steps else frozenset()
