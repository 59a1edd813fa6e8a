"""The states of series and suggestions, and every way from one to the next."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SeriesState(StrEnum):
    """Where a series stands on its way."""

    RECEIVING = "receiving"
    SETTLED = "settled"
    PREDICTED = "predicted"
    CLEAN = "clean"
    WAITING = "waiting"
    DECIDED = "decided"
    DELIVERED = "delivered"
    QUARANTINED = "quarantined"


class SeriesEvent(StrEnum):
    """What moves a series."""

    QUIET = "quiet"
    PREDICT = "predict"
    PASS = "pass"  # noqa: S105  the verdict, not a secret
    FLAG = "flag"
    DECIDE = "decide"
    DELIVER = "deliver"
    GIVE_UP = "give_up"
    REQUEUE = "requeue"
    RECHECK = "recheck"
    VISIT_NEWS = "visit_news"
    UNDO = "undo"
    LATE_INSTANCE = "late_instance"


class SuggestionState(StrEnum):
    """What people made of a suggestion."""

    OPEN = "open"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    MUTED = "muted"
    SUPERSEDED = "superseded"
    EXPORTED = "exported"


_S, _E = SeriesState, SeriesEvent

#: The whole table; what does not stand here cannot happen.
TRANSITIONS: Final[Mapping[tuple[SeriesState, SeriesEvent], SeriesState]] = MappingProxyType(
    {
        (_S.RECEIVING, _E.QUIET): _S.SETTLED,
        (_S.SETTLED, _E.PREDICT): _S.PREDICTED,
        (_S.PREDICTED, _E.PASS): _S.CLEAN,
        (_S.PREDICTED, _E.FLAG): _S.WAITING,
        (_S.WAITING, _E.DECIDE): _S.DECIDED,
        (_S.DECIDED, _E.DELIVER): _S.DELIVERED,
        (_S.RECEIVING, _E.GIVE_UP): _S.QUARANTINED,
        (_S.SETTLED, _E.GIVE_UP): _S.QUARANTINED,
        (_S.PREDICTED, _E.GIVE_UP): _S.QUARANTINED,
        (_S.QUARANTINED, _E.REQUEUE): _S.SETTLED,
        # New rules or models look again at what nobody has decided yet; the revision stays.
        (_S.CLEAN, _E.RECHECK): _S.SETTLED,
        (_S.WAITING, _E.RECHECK): _S.SETTLED,
        # Orders and images that come later change the verdict, not the pixels. A verdict that
        # is under way has read the orders already: it is begun once more.
        (_S.PREDICTED, _E.VISIT_NEWS): _S.PREDICTED,
        (_S.CLEAN, _E.VISIT_NEWS): _S.PREDICTED,
        (_S.WAITING, _E.VISIT_NEWS): _S.PREDICTED,
        (_S.DECIDED, _E.UNDO): _S.WAITING,
        # Of what has left, the reverse may leave; a verdict that sent nothing is simply undone.
        (_S.DELIVERED, _E.UNDO): _S.WAITING,
    }
    | {(state, _E.LATE_INSTANCE): _S.RECEIVING for state in _S if state is not _S.RECEIVING}
)

#: A late instance takes these back; what a person has decided stays as history.
SUPERSEDABLE: Final = (SuggestionState.OPEN, SuggestionState.CLAIMED, SuggestionState.DEFERRED)


def sources(event: SeriesEvent) -> tuple[SeriesState, ...]:
    """Return the states in which `event` may happen."""
    return tuple(state for state, happening in TRANSITIONS if happening is event)
