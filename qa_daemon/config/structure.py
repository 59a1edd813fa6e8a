"""From what was written to a frozen `Settings`: types, units, unknown keys, every fault at once."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin

import attrs

from qa_daemon.config.given import Fault, Given
from qa_daemon.config.settings import Settings

_Record = TypeVar("_Record", bound=attrs.AttrsInstance)

_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "s": {"ms": 0.001, "s": 1, "min": 60, "h": 3600},
    "bytes": {
        "B": 1,
        "kB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
        "TB": 10**12,
        "KiB": 1 << 10,
        "MiB": 1 << 20,
        "GiB": 1 << 30,
        "TiB": 1 << 40,
    },
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]+)\Z")
_SHOWN_LENGTH_MAX: Final = 60


class Structuring:
    """Builds settings out of given values and collects the faults met on the way.

    Attributes
    ----------
    folder
        What relative paths of the file are relative to: the folder in which it lies.
    home
        What `~` stands for.
    """

    def __init__(self, folder: Path, home: Path):
        self.folder = folder
        self.home = home
        self.faults: list[Fault] = []

    def record(self, kind: type[_Record], given: Given) -> _Record:
        """Return a `kind` of the values given; what is wrong or absent keeps its default."""
        if given.value is None:
            return kind()  # a section whose lines are all commented out
        if not isinstance(given.value, Mapping):
            self.faults.append(given.fault("write `key: value` lines below it"))
            return kind()
        attributes = {attribute.name: attribute for attribute in settable(kind)}
        values: dict[str, object] = {}
        for name, child in given.value.items():
            if name not in attributes:
                self.faults.append(child.fault(_unknown(name, list(attributes), given.key)))
                continue
            value = self._value(attributes[name], child)
            if value is not attrs.NOTHING:
                values[name] = value
        for name, attribute in attributes.items():
            if attribute.metadata.get("required") and not _is_written(given.value.get(name)):
                self.faults.append(given.fault(f"`{name}` is missing; it has to be said"))
        return kind(**values)

    def _value(self, attribute: "attrs.Attribute[Any]", given: Given) -> object:
        kind = attribute.type
        if isinstance(kind, type) and attrs.has(kind):
            return self.record(kind, given)
        is_secret = bool(attribute.metadata.get("secret"))
        try:
            value = self._read(kind, given, _unit(attribute.name))
            if attribute.validator is not None:
                attribute.validator(None, attribute, value)
        except _WrongValueError as wrong:
            self.faults.append(wrong.given.fault(wrong.message(quote=not is_secret)))
            return attrs.NOTHING
        except (ValueError, TypeError) as error:
            self.faults.append(given.fault(str(error.args[0])))
            return attrs.NOTHING
        return value

    def _read(self, kind: Any, given: Given, unit: str | None) -> object:
        if isinstance(kind, type) and attrs.has(kind):
            return self.record(kind, given)  # a member of a list or mapping
        if kind is object:
            return _as_written(given)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is UnionType:
            (inner,) = (argument for argument in arguments if argument is not type(None))
            return None if given.value is None else self._read(inner, given, unit)
        if origin is tuple:
            return tuple(self._read(arguments[0], member, unit) for member in _members(given))
        if origin is dict:
            entries = _entries(given).items()
            return {name: self._read(arguments[1], child, unit) for name, child in entries}
        if given.value is None:
            raise _WrongValueError(given, "has no value; leave the line out to keep the default")
        return self._path(given) if kind is Path else _scalar(kind, given, unit)

    def _path(self, given: Given) -> Path:
        if isinstance(given.value, Path):
            return given.value.absolute()  # of the command line: relative to where it was typed
        if not isinstance(given.value, str) or not given.value or "\0" in given.value:
            raise _WrongValueError(given, "write a path", shown=given.value)
        path = Path(given.value)
        if path.parts[0] == "~":
            return self.home.joinpath(*path.parts[1:])
        return path if path.is_absolute() else (self.folder / path).absolute()


class _WrongValueError(Exception):
    """A value that is not what its key takes."""

    def __init__(self, given: Given, message: str, *, shown: object = None):
        super().__init__(message)
        self.given, self._message, self._shown = given, message, shown

    def message(self, *, quote: bool) -> str:
        """Return what to mend; a secret is not quoted."""
        if self._shown is None or not quote:
            return self._message
        return f"{self._message}, not {str(self._shown)[:_SHOWN_LENGTH_MAX]!r}"


def _is_written(given: Given | None) -> bool:
    return given is not None and given.value not in (None, "", (), [])


def _as_written(given: Given) -> object:
    """Return a value whose shape its reader knows; lists are tuples."""
    match given.value:
        case Mapping():
            return {name: _as_written(child) for name, child in given.value.items()}
        case tuple() | list():
            return tuple(_as_written(member) for member in _members(given))
        case _:
            return given.value


def _members(given: Given) -> tuple[Given, ...]:
    if isinstance(given.value, tuple | list):
        return tuple(
            member if isinstance(member, Given) else Given(given.where, given.key, member)
            for member in given.value
        )
    raise _WrongValueError(given, "write a list: [first, second]")


def _entries(given: Given) -> Mapping[str, Given]:
    if isinstance(given.value, Mapping):
        return given.value
    raise _WrongValueError(given, "write `name: value` lines below it, or {}")


def _scalar(kind: Any, given: Given, unit: str | None) -> object:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind, given)
    return _SCALARS[kind](given, unit)


def _truth(given: Given, _: str | None) -> bool:
    if not isinstance(given.value, bool):
        raise _WrongValueError(given, "write true or false", shown=given.value)
    return given.value


def _text(given: Given, _: str | None) -> str:
    if not isinstance(given.value, str):
        raise _WrongValueError(
            given, 'write text, in quotes where YAML reads something else: "NO", "123"'
        )
    return given.value


def _real(given: Given, unit: str | None) -> float:
    value = _quantity(given, unit)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongValueError(given, f"write a number{_hint(unit)}", shown=given.value)
    return float(value)


def _whole(given: Given, unit: str | None) -> int:
    value = _quantity(given, unit)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _WrongValueError(given, f"write a whole number{_hint(unit)}", shown=given.value)
    return value


_SCALARS: Final[Mapping[object, Callable[[Given, str | None], object]]] = {
    bool: _truth,
    str: _text,
    float: _real,
    int: _whole,
}


def _quantity(given: Given, unit: str | None) -> object:
    """Return the number of `2 GiB` in bytes, of `5 min` in seconds; anything else as it is."""
    match = _QUANTITY.match(given.value) if isinstance(given.value, str) else None
    if match is None or unit is None:
        return given.value
    factor = _UNITS[unit].get(match[2])
    if factor is None:
        raise _WrongValueError(
            given, f"unknown unit; use {', '.join(_UNITS[unit])}", shown=match[2]
        )
    return float(match[1]) * factor


def _unit(name: str) -> str | None:
    words = name.split("_")
    return next((unit for unit in _UNITS if unit in words), None)


def _hint(unit: str | None) -> str:
    return {None: "", "s": " of seconds, or such as `5 min`", "bytes": " of bytes, or `2 GiB`"}[
        unit
    ]


def _member(kind: type[Enum], given: Given) -> Enum:
    words = [str(member.value) for member in kind]
    if given.value not in words:
        raise _WrongValueError(given, f"use {' or '.join(words)}", shown=given.value)
    return kind(given.value)


def _unknown(name: str, known: list[str], section: str) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    if near:
        return f"unknown key; the nearest known one is `{near[0]}`"
    everywhere = {key.rpartition(".")[2]: key for key in keys(Settings)}
    elsewhere = difflib.get_close_matches(name, everywhere, 1, 0.8)
    if elsewhere:
        return f"unknown key here; there is `{everywhere[elsewhere[0]]}`"
    nearest = difflib.get_close_matches(name, known, 1, 0.0) or known
    place = f"`{section}` takes" if section else "known are"
    return f"unknown key; the nearest known one is `{nearest[0]}` ({place} {', '.join(known)})"


def keys(kind: type, above: str = "") -> Iterator[str]:
    """Yield every key of a configuration of this kind, `receiver.port`, sections before theirs."""
    for attribute in settable(kind):
        key = f"{above}.{attribute.name}" if above else attribute.name
        yield key
        if isinstance(attribute.type, type) and attrs.has(attribute.type):
            yield from keys(attribute.type, key)


def settable(kind: type) -> Iterator["attrs.Attribute[Any]"]:
    """Yield what a file may say of a record."""
    return (each for each in attrs.fields(kind) if not each.metadata.get("internal"))
