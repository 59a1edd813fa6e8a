"""Filters as they stand in an address: `state=open&modality=CT&sort=safety`."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from attrs import evolve

from qa_daemon.errors import InputError
from qa_daemon.records.finding import Severity
from qa_daemon.store.listing.wanted import Sort, State, Wanted

T = TypeVar("T")

#: Values of one filter; a hospital has fewer stations.
VALUES_MAX: Final = 50
#: Longer than any name that DICOM lets through whole (PS3.5 6.2), and than any UID.
VALUE_LENGTH_MAX: Final = 256
#: Views of the design that are no filter by a value, as they are called in `view=`.
MINE, SAFETY, REGRESSED = "mine", "safety", "regressed"
VIEWS: Final = (MINE, SAFETY, REGRESSED)
_LISTS: Final = {"modality": "modalities", "ae": "aes", "station": "stations", "rule": "rules"}


def wanted_of(query: str, asked: tuple[str, ...] = ()) -> Wanted:
    """Return the filter of an address; what it does not know is passed over.

    Parameters
    ----------
    asked
        The account and the role of who looks, for the view `mine`.

    Raises
    ------
    InputError
        If a value is none of those that the filter knows, or there are too many.
    """
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, max_num_fields=200):
        given.setdefault(name, []).append(value[:VALUE_LENGTH_MAX])
    if any(len(values) > VALUES_MAX for values in given.values()):
        raise InputError(f"filter: more than {VALUES_MAX} values of one kind; leave some out")
    view = given.get("view", [""])[0]
    return Wanted(
        state=_one(given, "state", State, State.OPEN),
        sort=_one(given, "sort", Sort, Sort.SAFETY),
        severities=tuple(_severity(word) for word in given.get("severity", ())),
        modalities=tuple(given.get("modality", ())),
        aes=tuple(given.get("ae", ())),
        stations=tuple(given.get("station", ())),
        rules=tuple(given.get("rule", ())),
        search=" ".join(given.get("q", [""])[0].split()),
        only_safety=view == SAFETY,
        only_regressed=view == REGRESSED,
        asked=asked if view == MINE else (),
    )


def query_of(wanted: Wanted) -> str:
    """Return the address of a filter: the same for the same, with nothing that is usual."""
    pairs: list[tuple[str, str]] = []
    if wanted.asked:
        pairs.append(("view", MINE))
    elif wanted.only_safety:
        pairs.append(("view", SAFETY))
    elif wanted.only_regressed:
        pairs.append(("view", REGRESSED))
    if wanted.state is not State.OPEN:
        pairs.append(("state", wanted.state.value))
    for key, name in _LISTS.items():
        pairs += [(key, value) for value in sorted(getattr(wanted, name))]
    pairs += [("severity", each.word) for each in sorted(wanted.severities, reverse=True)]
    if wanted.search:
        pairs.append(("q", wanted.search))
    if wanted.sort is not Sort.SAFETY:
        pairs.append(("sort", wanted.sort.value))
    return urlencode(pairs)


def toggled(wanted: Wanted, name: str, value: str) -> Wanted:
    """Return the filter with one value more, or without it."""
    if name == "severity":
        severity = _severity(value)
        return evolve(wanted, severities=_without_or_with(wanted.severities, severity))
    match name:
        case "modality":
            return evolve(wanted, modalities=_without_or_with(wanted.modalities, value))
        case "ae":
            return evolve(wanted, aes=_without_or_with(wanted.aes, value))
        case "station":
            return evolve(wanted, stations=_without_or_with(wanted.stations, value))
        case _:
            return evolve(wanted, rules=_without_or_with(wanted.rules, value))


def _without_or_with(values: Sequence[T], value: T) -> tuple[T, ...]:
    if value in values:
        return tuple(each for each in values if each != value)
    return (*values, value)


def _one(given: dict[str, list[str]], name: str, kind: Callable[[str], T], usual: T) -> T:
    text = given.get(name, [""])[0]
    if not text:
        return usual
    try:
        return kind(text)
    except ValueError as error:
        raise InputError(f"{name}: {text[:32]!r} is none of its values") from error


def _severity(word: str) -> Severity:
    try:
        return Severity[word.upper()]
    except KeyError as error:
        words = ", ".join(each.word for each in Severity)
        raise InputError(f"severity: {word[:32]!r} is none of {words}") from error
