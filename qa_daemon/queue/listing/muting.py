"""Muting: for a time, with a reason and an owner, never without an end."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from qa_daemon.errors import InputError
from qa_daemon.records.issue import Ruling, RulingKind

#: A mute must end: what is silent for ever is forgotten.
DAYS_MAX: Final = 366
#: Behind "some more" and "until it rises", which may never come.
DAYS_AT_MOST: Final = 90
MORE_MAX: Final = 10_000
WORDS_LENGTH_MAX: Final = 500


class MuteEnd(StrEnum):
    """What ends a mute."""

    DATE = "date"
    MORE = "more"
    RISES = "rises"


@frozen(kw_only=True)
class MuteWish:
    """What somebody said in the dialog."""

    end: MuteEnd
    days: int = 0
    more: int = 0
    reason: str
    owner: str
    who: str
    at: datetime


def ruling_of(wish: MuteWish) -> Ruling:
    """Return the mute that is wished.

    Raises
    ------
    InputError
        If it has no reason, no owner or no end.
    """
    reason = " ".join(wish.reason.split())[:WORDS_LENGTH_MAX]
    owner = " ".join(wish.owner.split())[:WORDS_LENGTH_MAX]
    if not reason or not owner:
        raise InputError("mute: say why, and who looks after the cause")
    days = wish.days if wish.end is MuteEnd.DATE else DAYS_AT_MOST
    if not 1 <= days <= DAYS_MAX:
        raise InputError(f"mute: it ends after 1 to {DAYS_MAX} days; mute it again then")
    if wish.end is MuteEnd.MORE and not 1 <= wish.more <= MORE_MAX:
        raise InputError(f"mute: it ends after 1 to {MORE_MAX} more findings")
    return Ruling(
        kind=RulingKind.MUTE,
        reason=reason,
        who=wish.who,
        at=wish.at,
        until=wish.at + timedelta(days=days),
        more=wish.more if wish.end is MuteEnd.MORE else None,
        until_rising=wish.end is MuteEnd.RISES,
        owner=owner,
    )
