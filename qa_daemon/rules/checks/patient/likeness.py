"""Two identities in one study: a slip of the keyboard, two people of one name, or neither."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import combinations
from typing import Final

from attrs import frozen

from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series

#: Identities that are compared with each other; a study of more is broken otherwise.
_IDENTITIES_MAX: Final = 20
#: Shorter numbers differ by one digit from those of strangers.
_NUMBER_LENGTH_MIN: Final = 4
_DAY: Final = 8


class Likeness(StrEnum):
    """How the identities of a study relate; the first that fits, in this order."""

    SAME = "same"
    MISTYPED = "mistyped"  # one person, one slip in number, birth date or name
    NAMESAKES = "namesakes"  # one name, or nearly, and neither number nor birth date in common
    DIFFERENT = "different"


@frozen
class Identity:
    """What one image says of its patient; "" where it says nothing."""

    number: str
    name: str
    birth_date: str
    sex: str


def identities_of(series: Iterable[Series]) -> dict[Identity, tuple[str, ...]]:
    """Return the identities in some series, each with the instances that have it."""
    found: dict[Identity, list[str]] = {}
    for each in series:
        for instance in (*each.instances, *each.colliding):
            found.setdefault(_identity(instance), []).append(instance.sop_instance_uid)
    return {identity: tuple(uids) for identity, uids in found.items()}


def likeness_of(identities: Iterable[Identity]) -> tuple[Likeness, tuple[str, ...]]:
    """Return how identities relate, the worst of all pairs, and the attributes that differ."""
    worst, named = Likeness.SAME, set[str]()
    pairs = combinations(list(identities)[:_IDENTITIES_MAX], 2)
    for one, other in pairs:
        differing = tuple(_differing(one, other))
        if not differing:
            continue
        named.update(differing)
        worst = max(worst, _of_pair(one, other, differing), key=list(Likeness).index)
    return worst, tuple(sorted(named))


def _identity(instance: Instance) -> Identity:
    keywords = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
    number, name, birth_date, sex = (first_text(instance.elements, each) for each in keywords)
    return Identity(*map(normal, (number, name, birth_date, sex)))


def normal(value: str) -> str:
    """Fold what writers of one name differ in without meaning it: case, blanks, trailing carets."""
    return " ".join(value.upper().replace("^", " ").split())


_KEYWORDS: Final = {
    "number": "PatientID",
    "name": "PatientName",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
}


def _differing(one: Identity, other: Identity) -> Iterator[str]:
    for field, keyword in _KEYWORDS.items():
        mine, yours = getattr(one, field), getattr(other, field)
        if mine and yours and mine != yours:
            yield keyword


def _of_pair(one: Identity, other: Identity, differing: tuple[str, ...]) -> Likeness:
    agreeing = [
        keyword
        for field, keyword in _KEYWORDS.items()
        if getattr(one, field) and getattr(one, field) == getattr(other, field)
    ]
    others = {"PatientID", "PatientName", "PatientBirthDate"} & set(agreeing)
    # One slip beside two attributes that agree is one person; beside less it may be a neighbour.
    if len(differing) == 1 and len(others) == 2 and _is_slip(one, other, differing[0]):
        return Likeness.MISTYPED
    is_namesake = one.name and other.name and is_one_slip(one.name, other.name)
    if is_namesake and {"PatientID", "PatientBirthDate"} <= set(differing):
        return Likeness.NAMESAKES
    return Likeness.DIFFERENT


def _is_slip(one: Identity, other: Identity, keyword: str) -> bool:
    match keyword:
        case "PatientID":
            numbers = one.number.lstrip("0"), other.number.lstrip("0")
            is_long = min(map(len, numbers)) >= _NUMBER_LENGTH_MIN
            return numbers[0] == numbers[1] or (is_long and is_one_slip(*numbers))
        case "PatientBirthDate":
            return _are_dates_alike(one.birth_date, other.birth_date)
        case "PatientName":
            return is_one_slip(one.name, other.name)
        case _:
            return False


def _are_dates_alike(one: str, other: str) -> bool:
    """Whether a digit is wrong, two are exchanged, or day and month are."""
    if len(one) != _DAY or len(other) != _DAY:
        return False
    is_exchanged = one[:4] == other[:4] and one[4:] == other[6:] + other[4:6]
    return is_exchanged or is_one_slip(one, other)


def is_one_slip(one: str, other: str) -> bool:
    """Whether texts are equal, or differ by a character, or by two neighbours exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return True
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return short[at:] == long[at + 1 :]
    is_changed = one[at + 1 :] == other[at + 1 :]
    return is_changed or (
        one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    )
