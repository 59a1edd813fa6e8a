"""What would be written, attribute by attribute, before and after. Pure."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Final

from attrs import frozen
from pydicom.datadict import dictionary_description

from qa_daemon.records.finding import Action, Change, JsonValue, Scope, Suggestion

#: Characters of a value that the table shows; all of them stand in the list below it.
VALUE_LENGTH_MAX: Final = 64
#: Lines of such a list; the change set holds all.
EACH_MAX: Final = 200
SEPARATOR: Final = "\\"
_CONTROL_PICTURES: Final = {number: 0x2400 + number for number in range(32)} | {
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
    **dict.fromkeys((0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF), 0xFFFD),
}


@frozen
class Component:
    """One value of several."""

    text: str
    is_changed: bool


@frozen
class Each:
    """The values of one instance."""

    sop_instance_uid: str
    current: str
    proposed: str


@frozen(kw_only=True)
class Row:
    """One attribute.

    Attributes
    ----------
    name, tag
        As in PS3.6: `Image Orientation (Patient)`, `0020,0037`.
    current, proposed
        Of the first instance; None where it is absent, or would be removed.
    places
        How many instances it is written in; 0 = in all of the scope.
    is_same
        Whether the values are the same everywhere.
    each, left_out
        Values by instance where they differ, and how many more there are.
    """

    name: str
    tag: str
    path: str
    vr: str
    action: Action
    scope: Scope
    current: tuple[Component, ...] | None
    proposed: tuple[Component, ...] | None
    places: int
    is_same: bool
    each: tuple[Each, ...] = ()
    left_out: int = 0


def table(suggestion: Suggestion | None) -> tuple[Row, ...]:
    """Return a row for each attribute that a suggestion changes, in its order."""
    grouped: dict[str, list[Change]] = {}
    for change in () if suggestion is None else suggestion.changes:
        if change.current != change.proposed:
            grouped.setdefault(change.attribute, []).append(change)
    return tuple(_row(changes) for changes in grouped.values())


def _row(changes: Sequence[Change]) -> Row:
    first = changes[0]
    values = {(_values(each.current), _values(each.proposed)) for each in changes}
    is_same = len(values) == 1
    current, proposed = _compared(first.current, first.proposed)
    listed = () if is_same else tuple(_each(change) for change in changes[:EACH_MAX])
    is_everywhere = first.scope is not Scope.INSTANCE
    return Row(
        name=attribute_name(first),
        tag=f"{first.tag[:4]},{first.tag[4:]}",
        path=first.path,
        vr=first.vr,
        action=first.action,
        scope=first.scope,
        current=current,
        proposed=proposed,
        places=0 if is_everywhere else len({each.sop_instance_uid for each in changes}),
        is_same=is_same,
        each=listed,
        left_out=0 if is_same else max(0, len(changes) - EACH_MAX),
    )


def _each(change: Change) -> Each:
    return Each(change.sop_instance_uid or "", _joined(change.current), _joined(change.proposed))


def attribute_name(change: Change) -> str:
    """Return the name of the element as PS3.6 spells it, else its keyword."""
    try:
        return dictionary_description(int(change.tag, 16))
    except (KeyError, ValueError):
        return change.attribute


def shown(value: JsonValue) -> str:
    """Return a value as a person can read it: no control character acts, none is hidden."""
    text = json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, Mapping) else None
    return str("" if value is None else text or value).translate(_CONTROL_PICTURES)


def cut(text: str) -> str:
    """Return the beginning of a text that is too long for a line."""
    if len(text) <= VALUE_LENGTH_MAX:
        return text
    return text[: VALUE_LENGTH_MAX - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _plain(value: object) -> object:
    """Return what an item of a sequence says, without the wrapping of the JSON model."""
    if isinstance(value, Mapping):
        if "Value" in value:
            return _plain(value["Value"])
        return {name: _plain(inner) for name, inner in value.items() if name != "vr"}
    if isinstance(value, list | tuple):
        inner = [_plain(each) for each in value]
        return inner[0] if len(inner) == 1 else inner
    return value


def _compared(
    current: Sequence[JsonValue] | None, proposed: Sequence[JsonValue] | None
) -> tuple[tuple[Component, ...] | None, tuple[Component, ...] | None]:
    old = None if current is None else [cut(shown(each)) for each in current]
    new = None if proposed is None else [cut(shown(each)) for each in proposed]
    paired = list(zip_longest(old or (), new or ()))
    return (
        None
        if old is None
        else tuple(Component(each, each != to) for each, to in paired[: len(old)]),
        None
        if new is None
        else tuple(Component(to, each != to) for each, to in paired[: len(new)]),
    )


def _joined(values: Sequence[JsonValue] | None) -> str:
    return "" if values is None else SEPARATOR.join(shown(each) for each in values)


def _values(values: Sequence[JsonValue] | None) -> str | None:
    return None if values is None else _joined(values)
