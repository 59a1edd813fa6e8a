"""Whether an answer may be given to a finding as it stands now; no input or output."""

from collections.abc import Sequence
from typing import Final

from qa_daemon.queue.deciding.answers import Refusal, RefusalKind, Refused, Seen, Wish
from qa_daemon.records.decision import FINAL, Verb
from qa_daemon.records.finding import Severity
from qa_daemon.records.states import SeriesState
from qa_daemon.store.review.decision_rows import InHand

_K: Final = RefusalKind


def check(found: InHand | None, seen: Seen, verb: Verb, wish: Wish) -> InHand:
    """Return the finding if this can be said of it.

    Raises
    ------
    Refused
        Saying why not, and what to do.
    """
    named = f"finding {seen.finding_id}"
    if found is None:
        raise _refused(_K.UNKNOWN, seen, f"{named}: there is none; see: qa-daemon queue list")
    if found.severity <= Severity.INFO:
        raise _refused(_K.INFO, seen, f"{named}: is an info, which nobody need decide")
    check_current(found, seen)
    _check_taken(found, seen)
    if found.series_state not in {None, SeriesState.WAITING}:
        message = f"{named}: its series is {found.series_state}; try again in a moment"
        raise _refused(_K.IN_WORK, seen, message)
    if verb in FINAL:
        _check_second(found, seen, wish)
    return found


def check_current(found: InHand, seen: Seen) -> None:
    """Refuse what was seen at another revision than the newest.

    Raises
    ------
    Refused
        Saying what has come since.
    """
    if found.revision == found.revision_now == seen.revision:
        return
    more = f" with {found.new_instances} more objects" if found.new_instances else ""
    again = f"; it is found in it as {found.successor}" if found.successor else ""
    refusal = Refusal(
        kind=_K.STALE,
        finding_id=seen.finding_id,
        revision=found.revision_now,
        successor=found.successor,
        new_instances=found.new_instances,
    )
    raise Refused(
        refusal,
        f"finding {seen.finding_id}: revision {found.revision_now} of its series has come{more}; "
        f"look at what is found in it{again}",
    )


def _check_taken(found: InHand, seen: Seen) -> None:
    said = found.said
    if said is not None and said.decision.is_final:
        decision = said.decision
        refusal = Refusal(
            kind=_K.TAKEN, finding_id=seen.finding_id, who=decision.who, at=decision.at
        )
        raise Refused(
            refusal,
            f"finding {seen.finding_id}: {decision.who} decided it at "
            f"{decision.at:%Y-%m-%d %H:%M} ({decision.verb}); look at it, and undo that first "
            "if it is wrong",
        )


def _check_second(found: InHand, seen: Seen, wish: Wish) -> None:
    if found.first is None:
        return
    named, first = f"finding {seen.finding_id}", found.first.decision
    if first.who == wish.who:
        message = f"{named}: you have answered; another person must answer, too"
        raise _refused(_K.SAME_PERSON, seen, message)
    if not wish.may_approve:
        message = f"{named}: it waits for an approver; somebody with that role must answer"
        raise _refused(_K.NEEDS_APPROVER, seen, message)


def check_alike(findings: Sequence[InHand]) -> None:
    """Refuse a batch of findings that stand differently.

    Raises
    ------
    Refused
        Naming two of them.
    """
    first = findings[0]
    for each in findings[1:]:
        if each.standing is not first.standing:
            refusal = Refusal(kind=_K.MIXED, finding_id=each.id)
            raise Refused(
                refusal,
                f"finding {first.id} is {first.standing}, finding {each.id} is {each.standing}; "
                "choose findings that stand alike",
            )


def check_count(count: int, count_max: int) -> None:
    """Refuse an empty batch, and one beyond the bound.

    Raises
    ------
    Refused
        Naming the bound.
    """
    if count == 0:
        raise Refused(Refusal(kind=_K.NOTHING), "nothing is chosen; choose at least one finding")
    if count > count_max:
        refusal = Refusal(kind=_K.TOO_MANY)
        raise Refused(
            refusal, f"{count} findings at once; at most {count_max} (decisions.batch_max)"
        )


def needs_two(found: InHand, verb: Verb, topics: Sequence[str]) -> bool:
    """Whether this answer is the first of two that a finding needs."""
    return verb in FINAL and found.first is None and found.topic.value in topics


def _refused(kind: RefusalKind, seen: Seen, message: str) -> Refused:
    return Refused(Refusal(kind=kind, finding_id=seen.finding_id), message)
