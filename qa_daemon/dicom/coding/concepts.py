"""Items of code sequences (PS3.3 8.8), and the meaning of the codes that rules ask about."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from qa_daemon.dicom.regions import BodyPart, body_part_of_code
from qa_daemon.records.element import Elements, first_text

#: Sides as codes (PS3.16 CID 244), and the identifiers of older editions.
_SIDES: Final = {
    "24028007": "R", "7771000": "L", "51440002": "B",
    "G-A100": "R", "G-A101": "L", "G-A102": "B",
}  # fmt: skip
#: What a modifier that says this side is written as.
SIDE_CODES: Final = {
    "R": ("24028007", "Right"), "L": ("7771000", "Left"), "B": ("51440002", "Bilateral"),
}  # fmt: skip

#: Views as codes (PS3.16 CID 4010), by the groups that a picture can tell.
_VIEWS: Final = {
    "399348003": "AP", "R-10206": "AP", "272479007": "PA", "R-10214": "PA",
    "399067008": "LATERAL", "R-10236": "LATERAL",
    "399173006": "LATERAL", "399198007": "LATERAL", "399260004": "LATERAL", "399352003": "LATERAL",
    "399061009": "AXIAL", "399182000": "OBLIQUE", "399236003": "OBLIQUE", "399184004": "OBLIQUE",
    "399135007": "OBLIQUE", "399356000": "OBLIQUE", "399006002": "OBLIQUE", "399038007": "OBLIQUE",
    "399312000": "OBLIQUE", "399059000": "OBLIQUE", "260427002": "OBLIQUE", "260426006": "OBLIQUE",
}  # fmt: skip


@frozen
class Code:
    """One item of a code sequence.

    Attributes
    ----------
    path
        Of the item, as in `AnatomicRegionSequence[1]`.
    """

    value: str
    scheme: str
    meaning: str
    path: str

    @property
    def side(self) -> str:
        """R, L or B; `""` where the code means no side."""
        return _SIDES.get(self.value, "")

    @property
    def view(self) -> str:
        """AP, PA, LATERAL, OBLIQUE or AXIAL; `""` for all other codes."""
        return _VIEWS.get(self.value, "")

    @property
    def body_part(self) -> BodyPart | None:
        """The body part of PS3.16 Annex L that has this code."""
        return body_part_of_code(self.value)


def items(elements: Elements, keyword: str) -> tuple[Elements, ...]:
    """Return the items of a sequence, `()` where it is absent or empty."""
    element = elements.get(keyword)
    if element is None:
        return ()
    return tuple(item for item in element.values if isinstance(item, Mapping))


def codes(elements: Elements, keyword: str, within: str = "") -> tuple[Code, ...]:
    """Return the items of a code sequence.

    Parameters
    ----------
    within
        Path of the item that holds the sequence, `""` at top level.
    """
    before = f"{within}." if within else ""
    return tuple(
        Code(
            value=next(
                (
                    text
                    for name in ("CodeValue", "LongCodeValue", "URNCodeValue")
                    if (text := first_text(item, name))
                ),
                "",
            ),
            scheme=first_text(item, "CodingSchemeDesignator"),
            meaning=first_text(item, "CodeMeaning"),
            path=f"{before}{keyword}[{number}]",
        )
        for number, item in enumerate(items(elements, keyword), 1)
    )
