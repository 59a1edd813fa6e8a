"""Elements in the DICOM JSON model (PS3.18 F.2): what `current` and `proposed` of a change hold."""

import math
from collections.abc import Mapping
from typing import Final

from qa_daemon.dicom.encoding.dictionary import tag_of, vr_of
from qa_daemon.records.element import Element, Elements, Value
from qa_daemon.records.finding import JsonValue
from qa_daemon.records.instance import Located

_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")


def tag_and_vr(keyword: str) -> tuple[str, str]:
    """Return eight upper-case hex digits and the VR of a keyword of PS3.6.

    Raises
    ------
    KeyError
        If PS3.6 has no such keyword.
    """
    tag = tag_of(keyword)
    if tag is None:
        raise KeyError(keyword)
    return f"{tag:08X}", vr_of(tag)


def json_values(element: Element | None) -> tuple[JsonValue, ...] | None:
    """Return `Value`: None if absent, `()` if empty; DS and IS as the text received."""
    if element is None:
        return None
    return tuple(_json_value(value, element.vr) for value in element.values)


def located_values(located: Located | None) -> tuple[JsonValue, ...] | None:
    """Return `Value` of a located attribute, None if it is absent."""
    if located is None:
        return None
    return tuple(_json_value(value, located.vr) for value in located.values)


def json_data_set(elements: Elements) -> dict[str, object]:
    """Return elements as a DICOM JSON object, keys ascending."""
    data_set: dict[str, object] = {}
    for keyword, element in elements.items():
        tag = tag_of(keyword)
        key = keyword if tag is None else f"{tag:08X}"
        values = json_values(element)
        data_set[key] = {"vr": element.vr, **({"Value": list(values)} if values else {})}
    return dict(sorted(data_set.items()))


def _json_value(value: Value, vr: str) -> JsonValue:
    if isinstance(value, Mapping):
        return json_data_set(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no NaN
    if isinstance(value, str):
        if value == "":
            return None
        return _person_name(value) if vr == "PN" else value
    return value


def _person_name(value: str) -> dict[str, str]:
    groups = zip(_GROUPS, value.split("="), strict=False)
    return {name: group for name, group in groups if group}
