"""Data elements as values: what was received, decoded and nothing else."""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

#: One value of an element: text for string VRs (DS and IS too, as received), numbers for binary
#: VRs, and for SQ one item, which is again a mapping of elements.
Value: TypeAlias = "str | int | float | Mapping[str, Element]"


@frozen
class Element:
    """A data element. Absent elements do not exist; an empty one has no values.

    Attributes
    ----------
    vr
        The value representation, two letters (PS3.5 6.2).
    values
        Decoded values in their order; `()` if the element is present and empty. DS, IS and all
        string VRs as text without padding, binary numbers as int or float, AT as eight upper-case
        hex digits, SQ as one mapping per item.
    """

    vr: str
    values: tuple[Value, ...] = ()

    @property
    def is_filled(self) -> bool:
        """Whether there is at least one value that is not an empty text."""
        return any(value != "" for value in self.values)


#: Elements by keyword (PS3.6); an element that has none is named by its tag, eight hex digits.
Elements: TypeAlias = Mapping[str, Element]


def first_text(elements: Elements, keyword: str) -> str:
    """Return the first value as stripped text, `""` where the element is absent or empty."""
    element = elements.get(keyword)
    if element is None or not element.values or isinstance(element.values[0], Mapping):
        return ""
    return str(element.values[0]).strip()


def texts(elements: Elements, keyword: str) -> tuple[str, ...]:
    """Return all values as stripped text, `()` where the element is absent or empty."""
    element = elements.get(keyword)
    if element is None:
        return ()
    return tuple(str(value).strip() for value in element.values if not isinstance(value, Mapping))
