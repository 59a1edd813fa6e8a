"""The Body Part Examined that says what was seen (PS3.16 Annex L)."""

from collections.abc import Iterable, Mapping
from typing import Final

#: Regions that the models name, in their order along the body.
_FROM_HEAD_TO_FEET: Final = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")

#: Combined terms of Table L-1 for neighbouring regions; a test holds them against the table.
COMBINED_TERMS: Final[Mapping[frozenset[str], str]] = {
    frozenset(regions.split("+")): term
    for regions, term in {
        "HEAD+NECK": "HEADNECK",
        "NECK+CHEST": "NECKCHEST",
        "CHEST+ABDOMEN": "CHESTABDOMEN",
        "ABDOMEN+PELVIS": "ABDOMENPELVIS",
        "NECK+CHEST+ABDOMEN": "NECKCHESTABDOMEN",
        "CHEST+ABDOMEN+PELVIS": "CHESTABDPELVIS",
        "NECK+CHEST+ABDOMEN+PELVIS": "NECKCHESTABDPELV",
        "PELVIS+LOWERLIMB": "PELVISLOWEXTREMT",
    }.items()
}

# Annex L has no term for head to chest, or abdomen to legs: from four regions on it is the body.
_WHOLE_BODY_FROM: Final = 4


def body_part_for(labels: Iterable[str]) -> str | None:
    """Return the one term that covers the labels accepted; None where there is none.

    Parameters
    ----------
    labels
        Accepted labels of `body_region` or `body_part`, best first.
    """
    seen = tuple(dict.fromkeys(labels))
    if not seen:
        return None
    if len(seen) == 1:
        return seen[0]
    if not set(seen) <= set(_FROM_HEAD_TO_FEET):
        return None
    places = [_FROM_HEAD_TO_FEET.index(each) for each in seen]
    # Between two regions that are in view the ones in the middle are too.
    span = frozenset(_FROM_HEAD_TO_FEET[min(places) : max(places) + 1])
    if span in COMBINED_TERMS:
        return COMBINED_TERMS[span]
    return "WHOLEBODY" if len(span) >= _WHOLE_BODY_FROM else None
