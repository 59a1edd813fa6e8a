"""Options of rules: values that a site may set otherwise, named `$NAME` where they are used."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from qa_daemon.rules.reading.source import At, Raw, Reader, nearest

_PLACE: Final = re.compile(r"\$([a-z][a-z0-9_]*)")
#: Where options may stand.
_USED_IN: Final = ("applies_when", "needs", "check", "suggest", "alternatives")


def with_options(
    reader: Reader, raw: Mapping[str, Raw], given: Mapping[str, object]
) -> Mapping[str, Raw]:
    """Return a rule as it was written with the values of its options in their places.

    Parameters
    ----------
    given
        What the site sets: an option that the rule names, or a key of its registered check.
    """
    options = raw.get("options", {})
    if not isinstance(options, dict) or not all(_PLACE.fullmatch(f"${name}") for name in options):
        reader.fault(("options",), "options are NAME: value, small letters, digits and _")
        return raw
    check = raw["check"]
    own = (
        set(check) - {"registered"} if isinstance(check, dict) and "registered" in check else set()
    )
    for name in given:
        if name not in options and name not in own:
            known = {*options, *own}
            reader.fault(
                (), f"it has no option '{name}' to be set in rules.changes{_hint(name, known)}"
            )
    values = {name: given.get(name, value) for name, value in options.items()}
    used = {key: _filled(reader, raw[key], values, (key,)) for key in _USED_IN if key in raw}
    if own:
        used["check"] = {**used["check"], **{name: given[name] for name in given if name in own}}
    unused = set(options) - set(_names({key: raw[key] for key in _USED_IN if key in raw}))
    if unused:
        reader.fault(("options",), f"no condition uses ${', $'.join(sorted(unused))}")
    return {**raw, **used, "options": values}


def _hint(name: str, known: Collection[str]) -> str:
    return nearest(name, known) if known else "; it has none"


def _filled(reader: Reader, raw: Raw, values: Mapping[str, object], at: At) -> Raw:
    match raw:
        case str():
            match = _PLACE.fullmatch(raw)
            if match is None:
                return raw
            if match[1] not in values:
                reader.fault(at, f"'{raw}' is no option of this rule{_hint(match[1], values)}")
                return raw
            return _as_yaml(values[match[1]])
        case list():
            return [_filled(reader, each, values, (*at, n)) for n, each in enumerate(raw)]
        case dict():
            return {key: _filled(reader, each, values, (*at, key)) for key, each in raw.items()}
        case _:
            return raw


def _as_yaml(value: object) -> Raw:
    """Return a value of the site's settings in the types that YAML gives."""
    if isinstance(value, tuple):
        return [_as_yaml(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _as_yaml(each) for key, each in value.items()}
    return value


def _names(raw: Raw) -> Iterator[str]:
    match raw:
        case str():
            match = _PLACE.fullmatch(raw)
            if match:
                yield match[1]
        case list():
            for each in raw:
                yield from _names(each)
        case dict():
            for each in raw.values():
                yield from _names(each)
        case _:
            return
