"""An answer given: decision, audit and what leaves in one transaction, once however often asked."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from qa_daemon.queue.deciding import allowed, amend
from qa_daemon.queue.deciding.amend import offered
from qa_daemon.queue.deciding.answers import (
    Accept,
    AcceptClass,
    AcceptEdited,
    Answer,
    Ask,
    Defer,
    Outcome,
    Refusal,
    RefusalKind,
    Refused,
    Reject,
    Seen,
    Wish,
)
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.change_set import ChangeKind, ChangeSet
from qa_daemon.records.decision import STANDING_AFTER, Decision, RejectReason, Standing, Verb
from qa_daemon.records.finding import Suggestion
from qa_daemon.store import result_rows, series_rows
from qa_daemon.store.audit.entries import Deed, Operator, append, concerned_by_finding
from qa_daemon.store.database import Transaction
from qa_daemon.store.listing import listed_rows
from qa_daemon.store.outbox import entry_rows
from qa_daemon.store.result_rows import FindingRow
from qa_daemon.store.review import act_rows, decision_rows
from qa_daemon.store.review.act_rows import Act
from qa_daemon.store.review.decision_rows import InHand, Saying

#: Names change sets apart from all else that is named by a UUID of a text.
_NAMESPACE: Final = uuid.UUID("6f0c1f0e-5d1b-4c5e-9b7a-0d8a3c0f5b21")


#: The rank that speaks of none of the suggestions that were offered.
OF_NONE: Final = -1


@frozen(kw_only=True)
class Draft:
    """What is to be said of one finding, worked out before the transaction.

    Attributes
    ----------
    rank
        Of the suggestion spoken of; None = of all, -1 = of none of those offered.
    """

    seen: Seen
    decision: Decision
    row: FindingRow
    rank: int | None = None


def decide(desk: Desk, seen: Sequence[Seen], answer: Answer, wish: Wish) -> Outcome:
    """Give one answer to one finding, or to many; all of them or none.

    Raises
    ------
    Refused
        Nothing was written; it says why.
    RetryableError
        Nothing was written; ask again with the same number.
    """
    seen = tuple(dict.fromkeys(seen))
    allowed.check_count(len(seen), desk.settings.decisions.batch_max)
    with desk.store.reading() as connection:
        earlier = act_rows.done_by(connection, wish.request)
        if earlier is not None:
            return outcome_of(connection, earlier)
    drafts = [draft(desk, each, answer, wish) for each in seen]
    return say_all(desk, drafts, wish)


def say_all(desk: Desk, drafts: Sequence[Draft], wish: Wish) -> Outcome:
    """Keep what was worked out; raises as `decide` does."""
    with desk.store.taking_turns() as connection:
        earlier = act_rows.done_by(connection, wish.request)
        if earlier is not None:
            return outcome_of(connection, earlier)
        verb = drafts[0].decision.verb
        held = decision_rows.in_hand(connection, [each.seen.finding_id for each in drafts])
        for each in drafts:
            allowed.check(held.get(each.seen.finding_id), each.seen, verb, wish)
        allowed.check_alike([held[each.seen.finding_id] for each in drafts])
        _say(connection, desk, drafts, held, wish)
        act = act_rows.done_by(connection, wish.request)
        assert act is not None
        return outcome_of(connection, act)


def _say(
    connection: Transaction,
    desk: Desk,
    drafts: Sequence[Draft],
    held: Mapping[int, InHand],
    wish: Wish,
) -> None:
    verb = drafts[0].decision.verb
    topics = desk.settings.decisions.four_eyes
    leaving = [
        each for each in drafts
        if _leaves(each.decision)
        and not allowed.needs_two(held[each.seen.finding_id], verb, topics)
    ]  # fmt: skip
    due_at = wish.at + timedelta(seconds=desk.settings.decisions.undo_window_s)
    closes_at = due_at if leaving and desk.channels else None
    act_id = act_rows.begin(connection, wish.request, verb, closes_at)
    decided: list[tuple[int, ChangeSet]] = []
    for each in drafts:
        found = held[each.seen.finding_id]
        is_first = allowed.needs_two(found, verb, topics)
        saying = Saying(decision=each.decision, rank=each.rank, is_first=is_first)
        decision_id = decision_rows.say(connection, act_id, found, saying)
        if each in leaving:
            first = "" if found.first is None else found.first.decision.who
            decided.append((decision_id, change_set(wish, each.row, each.decision, first)))
    entry_rows.put(connection, act_id, decided, desk.channels, due_at)
    close_series(connection, held.values(), wish.at)
    listed_rows.follow(connection, held)
    note(connection, wish, verb.value, [each.seen.finding_id for each in drafts])


def _leaves(decision: Decision) -> bool:
    return (
        decision.is_final and decision.suggestion is not None and bool(decision.suggestion.changes)
    )


def close_series(connection: Transaction, held: Iterable[InHand], at: datetime) -> None:
    """Take those series along of which nothing is open any more."""
    keys = {each.series_key for each in held if each.series_key}
    decision_rows.close(connection, sorted(keys), at)


def note(connection: Transaction, wish: Wish, action: str, finding_ids: Iterable[int]) -> None:
    """Write the audit: a line for each finding."""
    for finding_id in finding_ids:
        concerned = concerned_by_finding(connection, finding_id)
        deed = Deed(action=action, subject=f"finding {finding_id}", concerned=concerned)
        append(connection, Operator(wish.who, wish.at, wish.address), deed)


def outcome_of(connection: Transaction, act: Act) -> Outcome:
    """Return what an act came to, as it was told when it was done."""
    said = decision_rows.said_by(connection, act.id)
    is_first = any(row.is_first for row in said)
    ids = tuple(row.finding_id for row in said if row.finding_id is not None)
    colleague = None
    if len(ids) == 1 and not is_first and act.verb in {Verb.ACCEPT, Verb.REJECT}:
        first = decision_rows.in_hand(connection, ids)[ids[0]].first
        colleague = None if first is None else first.decision
    return Outcome(
        act_id=act.id,
        finding_ids=ids,
        verb=act.verb,
        standing=Standing.AWAITING if is_first else STANDING_AFTER[act.verb],
        undo_until=act.closes_at,
        colleague=colleague,
    )


# --- what leaves ---------------------------------------------------------------------------------


def placed(desk: Desk, row: FindingRow) -> FindingRow:
    """Return a finding about a whole visit as one of the series that it wants to change."""
    uids = row.finding.sop_instance_uids
    if row.series_key or not uids:
        return row
    series = series_rows.series_with(desk.store, uids[0])
    if series is None:
        return row
    return evolve(
        row,
        series_key=series.series_key,
        study_instance_uid=series.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        modality=series.modality,
        revision=series.revision,
    )


def change_set(
    wish: Wish, row: FindingRow, decision: Decision, first_by: str = "", reverses: str = ""
) -> ChangeSet:
    """Return what a decision about a finding wants to be written."""
    assert decision.suggestion is not None
    is_reverse = decision.verb is Verb.REVERSE
    return ChangeSet(
        uid=_uid(wish, row.id),
        kind=ChangeKind.REVERSE if is_reverse else ChangeKind.CHANGE,
        reverses=reverses,
        finding_id=row.id,
        rule=row.finding.rule,
        topic=row.finding.topic.value,
        message=row.finding.message,
        series_key=row.series_key,
        study_instance_uid=row.study_instance_uid,
        series_instance_uid=row.series_instance_uid,
        modality=row.modality,
        revision=row.revision,
        decided_by=decision.who,
        decided_at=decision.at,
        first_by=first_by,
        words=decision.words,
        suggestion=decision.suggestion,
    )


def _uid(wish: Wish, finding_id: int) -> str:
    """Return a UID that the same wish always gets (PS3.5 B.2: a UUID as one number below 2.25)."""
    named = uuid.uuid5(_NAMESPACE, f"{wish.request.key} {finding_id}")
    return f"2.25.{named.int}"


# --- working out ---------------------------------------------------------------------------------


def draft(desk: Desk, seen: Seen, answer: Answer, wish: Wish) -> Draft:
    """Return what an answer means for one finding; raises `Refused` where it means nothing."""
    row = result_rows.finding_row(desk.store, seen.finding_id)
    if row is None:
        message = f"finding {seen.finding_id}: there is none; see: qa-daemon queue list"
        refusal = Refusal(kind=RefusalKind.UNKNOWN, finding_id=seen.finding_id)
        raise Refused(refusal, message)
    rank, suggestion = _meant(desk, row, answer)
    row = placed(desk, row)
    decision = Decision(
        verb=_VERBS[type(answer)],
        who=wish.who,
        at=wish.at,
        revision=seen.revision,
        reason=answer.reason if isinstance(answer, Reject) else None,
        words=_words(answer),
        suggestion=suggestion,
        until=answer.until if isinstance(answer, Defer) else None,
        asked=_asked(answer) if isinstance(answer, Ask) else "",
    )
    return Draft(seen=seen, decision=decision, row=row, rank=rank)


def _meant(desk: Desk, row: FindingRow, answer: Answer) -> tuple[int | None, Suggestion | None]:
    """Return which of the suggestions is spoken of, and what is to be written."""
    match answer:
        case Accept(rank=rank):
            return rank, offered(row, rank)
        case AcceptClass():
            return OF_NONE, amend.in_class(desk, row, answer)
        case AcceptEdited():
            return OF_NONE, amend.edited(desk, row, answer)
        case Reject() | Defer() | Ask():
            return None, None


def _words(answer: Answer) -> str:
    words = answer.words.strip()
    if isinstance(answer, Reject) and answer.reason is RejectReason.OTHER and not words:
        raise Refused(
            Refusal(kind=RefusalKind.UNFIT, path="words"), "reason other: say it in words"
        )
    return words


def _asked(answer: Ask) -> str:
    asked = answer.of.strip()
    if not asked:
        raise Refused(
            Refusal(kind=RefusalKind.UNFIT, path="of"), "name an account or a role to ask"
        )
    return asked


_VERBS = {
    Accept: Verb.ACCEPT,
    AcceptClass: Verb.ACCEPT,
    AcceptEdited: Verb.ACCEPT,
    Reject: Verb.REJECT,
    Defer: Verb.DEFER,
    Ask: Verb.ASK,
}
