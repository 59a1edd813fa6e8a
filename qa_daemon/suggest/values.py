"""Changes as values: building them, the rules of their representation, and their effect."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from qa_daemon.dicom.json_model import json_values, tag_and_vr
from qa_daemon.records.element import Element, Elements, Value
from qa_daemon.records.element import texts as element_texts
from qa_daemon.records.finding import Action, Change, JsonValue, Scope, Suggestion
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble

#: What may be written, by value representation (PS3.5 Table 6.2-1); PN and UN are never proposed.
_WRITABLE: Final[Mapping[str, re.Pattern[str]]] = {
    "AE": re.compile(r"[ -\[\]-~]{1,16}"),
    "AS": re.compile(r"[0-9]{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9 _]{1,16}"),
    "DA": re.compile(r"[0-9]{8}"),
    "DS": re.compile(r"(?=.{1,16}$)[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "IS": re.compile(r"[+-]?[0-9]{1,10}"),
    "LO": re.compile(r"[^\\\x00-\x1f\x7f]{1,64}"),
    "SH": re.compile(r"[^\\\x00-\x1f\x7f]{1,16}"),
    "UI": re.compile(r"(?=.{1,64}$)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*"),
}

#: Binary integers: the least and the greatest (PS3.5 Table 6.2-1).
_INTEGERS: Final[Mapping[str, tuple[int, int]]] = {
    "US": (0, (1 << 16) - 1),
    "UL": (0, (1 << 32) - 1),
    "SS": (-(1 << 15), (1 << 15) - 1),
    "SL": (-(1 << 31), (1 << 31) - 1),
}

_BACK: Final = {
    Action.ADD: Action.REMOVE,
    Action.REMOVE: Action.ADD,
    Action.REPLACE: Action.REPLACE,
}

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,10}")
_STEP: Final = re.compile(r"([0-9A-Za-z]+)(?:\[([1-9][0-9]*)\])?")


def obeys_vr(vr: str, values: Iterable[JsonValue]) -> bool:
    """Whether values may be written with this representation."""
    if vr in _INTEGERS:
        least, greatest = _INTEGERS[vr]
        return all(isinstance(value, int) and least <= value <= greatest for value in values)
    pattern = _WRITABLE.get(vr)
    return pattern is not None and all(
        isinstance(value, str) and pattern.fullmatch(value) for value in values
    )


def replacing(
    series: Series, keyword: str, proposed: tuple[str, ...], only: str | None = None
) -> tuple[Change, ...]:
    """Return the changes that write `proposed` into every instance of the series.

    One change of scope `series` where all instances say the same today, else one of scope
    `instance` for each that says something else; `only` names the one instance that is meant.
    """
    values = written_as(tag_and_vr(keyword)[1], proposed)
    if keyword not in series.conflicting and only is None:
        current = json_values(series.shared.get(keyword))
        return (_change(keyword, current, values, None),) if current != values else ()
    return tuple(
        _change(keyword, current, values, instance.sop_instance_uid)
        for instance in series.instances
        if only in (None, instance.sop_instance_uid)
        and (current := json_values(instance.elements.get(keyword))) != values
    )


def writing(series: Series, path: str, proposed: tuple[str, ...]) -> tuple[Change, ...]:
    """Return the changes that write `proposed` at a path that every instance concerned has.

    Parameters
    ----------
    path
        Keywords, items counted from 1; `replacing` does the same at top level.
    """
    steps = _steps(path)
    if len(steps) == 1:
        return replacing(series, path, proposed)

    def changed(elements: Elements, sop_instance_uid: str | None) -> tuple[Change, ...]:
        holder = _holder(elements, steps)
        if holder is None:
            return ()
        current = json_values(holder.get(steps[-1][0]))
        values = written_as(tag_and_vr(steps[-1][0])[1], proposed)
        if current == values:
            return ()
        return (evolve(_change(steps[-1][0], current, values, sop_instance_uid), path=path),)

    if steps[0][0] in series.shared:
        return changed(series.shared, None)
    return tuple(
        change
        for instance in series.instances
        for change in changed(instance.elements, instance.sop_instance_uid)
    )


def _holder(elements: Elements, steps: Sequence[tuple[str, int]]) -> Elements | None:
    """Return the item that holds the last step, None where it is not there."""
    for keyword, number in steps[:-1]:
        element = elements.get(keyword)
        item = element.values[number - 1] if element and len(element.values) >= number else None
        if not isinstance(item, Mapping):
            return None
        elements = item
    return elements


def _steps(path: str) -> list[tuple[str, int]]:
    found = [_STEP.fullmatch(step) for step in path.split(".")]
    return [(step[1], int(step[2] or 1)) for step in found if step is not None]


@frozen
class Majority:
    """What more than half of the images that say anything say of an element.

    Attributes
    ----------
    values
        `()` where no value has more than half.
    """

    values: tuple[str, ...]
    count: int
    of: int

    def __str__(self) -> str:
        """Return it for a reader of evidence."""
        said = "\\".join(self.values)
        return f"{said} in {self.count} of {self.of}"


def majority(series: Series, keyword: str) -> Majority:
    """Return the value that more than half of the images that have one agree in."""
    said = Counter(
        texts
        for instance in series.instances
        if any(texts := tuple(map(str.strip, element_texts(instance.elements, keyword))))
    )
    value, count = said.most_common(1)[0] if said else ((), 0)
    return Majority(value if 2 * count > said.total() else (), count, said.total())


def removing(series: Series, keyword: str) -> tuple[Change, ...]:
    """Return the change that takes an element out of every instance of the series."""
    if keyword not in series.conflicting:
        current = json_values(series.shared.get(keyword))
        return () if current is None else (_change(keyword, current, None, None),)
    return tuple(
        _change(keyword, json_values(element), None, instance.sop_instance_uid)
        for instance in series.instances
        if (element := instance.elements.get(keyword)) is not None
    )


def written_as(vr: str, proposed: tuple[str, ...]) -> tuple[JsonValue, ...]:
    """Return values of a binary VR as the integers that they spell; all others as they are."""
    if vr not in _INTEGERS:
        return proposed
    return tuple(int(value) if _INTEGER.fullmatch(value) else value for value in proposed)


def _change(
    keyword: str,
    current: tuple[JsonValue, ...] | None,
    proposed: tuple[JsonValue, ...] | None,
    sop_instance_uid: str | None,
) -> Change:
    tag, vr = tag_and_vr(keyword)
    action = Action.REMOVE if proposed is None else Action.REPLACE
    return Change(
        scope=Scope.SERIES if sop_instance_uid is None else Scope.INSTANCE,
        action=Action.ADD if current is None else action,
        attribute=keyword,
        tag=tag,
        path=keyword,
        vr=vr,
        current=current,
        proposed=proposed,
        sop_instance_uid=sop_instance_uid,
    )


def reversed_suggestion(suggestion: Suggestion) -> Suggestion:
    """Return the suggestion that takes another one back, its last change first."""
    return Suggestion(tuple(_reversed(change) for change in reversed(suggestion.changes)))


def _reversed(change: Change) -> Change:
    action = _BACK[change.action]
    return evolve(change, action=action, current=change.proposed, proposed=change.current)


def applied(series: Series, changes: Sequence[Change]) -> Series:
    """Return the series as it would be after the changes, assembled anew."""
    by_uid: dict[str | None, list[Change]] = {}
    for change in changes:
        by_uid.setdefault(change.sop_instance_uid, []).append(change)
    return assemble(
        [
            _changed(each, [*by_uid.get(None, ()), *by_uid.get(each.sop_instance_uid, ())])
            for each in series.instances
        ],
        series.revision,
    )


def _changed(instance: Instance, changes: Sequence[Change]) -> Instance:
    elements, planes = dict(instance.elements), list(instance.planes)
    for change in changes:
        elements = dict(_written(elements, _steps(change.path), change))
        planes = [_replaced(plane, change) for plane in planes]
    return evolve(instance, elements=elements, planes=tuple(planes), digest="")


def _written(elements: Elements, path: Sequence[tuple[str, int]], change: Change) -> Elements:
    keyword, number = path[0]
    copy = dict(elements)
    if len(path) == 1:
        if change.proposed is None:
            copy.pop(keyword, None)
        else:
            copy[keyword] = Element(change.vr, tuple(map(_plain, change.proposed)))
        return copy
    element = copy.get(keyword, Element("SQ"))
    items = list(element.values)
    items.extend({} for _ in range(number - len(items)))
    item = items[number - 1]
    assert isinstance(item, Mapping), f"{keyword} is no sequence"
    items[number - 1] = _written(item, path[1:], change)
    copy[keyword] = Element("SQ", tuple(items))
    return copy


def _plain(value: JsonValue) -> Value:
    assert isinstance(value, str | int | float), "only plain values are proposed"
    return value


def _replaced(plane: Plane, change: Change) -> Plane:
    """Return a plane as it reads after a change of the value that it was read from."""
    proposed = tuple(str(value) for value in change.proposed or ())

    def renewed(located: Located | None) -> Located | None:
        if located is None or located.path != change.path:
            return located
        return evolve(located, values=proposed)

    return Plane(
        plane.frame,
        renewed(plane.orientation),
        renewed(plane.position),
        renewed(plane.spacing),
    )
