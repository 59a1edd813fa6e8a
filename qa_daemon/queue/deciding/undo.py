"""What was decided taken back: before it leaves by undoing it, afterwards by its reverse."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import frozen

from qa_daemon.queue.deciding.answer import change_set, close_series, note, outcome_of, placed
from qa_daemon.queue.deciding.answers import (
    Outcome,
    Refusal,
    RefusalKind,
    Refused,
    Seen,
    Undone,
    Wish,
)
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.change_set import ChangeSet
from qa_daemon.records.decision import Decision, Verb
from qa_daemon.records.states import SeriesEvent
from qa_daemon.store import result_rows
from qa_daemon.store.database import Transaction
from qa_daemon.store.listing import listed_rows
from qa_daemon.store.outbox import entry_rows
from qa_daemon.store.result_rows import FindingRow
from qa_daemon.store.review import act_rows, decision_rows
from qa_daemon.store.review.act_rows import Act
from qa_daemon.store.review.decision_rows import DecisionRow, InHand, Saying
from qa_daemon.suggest.values import reversed_suggestion

#: `undo_last` goes back no further: what was said in an earlier shift is found by its finding.
SHIFT: Final = timedelta(hours=12)
#: Acts of a person that `undo_last` looks through for one that can be undone.
ACTS_MAX: Final = 500


def undo(desk: Desk, act_id: int, wish: Wish) -> Undone:
    """Take back all that was done at one blow.

    Raises
    ------
    Refused
        If it has left (`CLOSED`), somebody has answered since (`TAKEN`), or there is nothing.
    """
    with desk.store.taking_turns() as connection:
        earlier = act_rows.undone_by(connection, wish.request)
        if earlier is not None:
            return _undone(connection, earlier)
        act = act_rows.act_of(connection, act_id)
        if act is None or act.undone_at is not None:
            raise _nothing("it is undone already, or was never done")
        return _undo(connection, act, wish)


def undo_last(desk: Desk, wish: Wish) -> Undone:
    """Take back what this person did last and can be undone; again = what they did before it."""
    with desk.store.taking_turns() as connection:
        earlier = act_rows.undone_by(connection, wish.request)
        if earlier is not None:
            return _undone(connection, earlier)
        acts = act_rows.standing_acts(connection, wish.who, wish.at - SHIFT, ACTS_MAX)
        open_acts = [act for act in acts if not act.is_closed(wish.at)]
        if not open_acts:
            raise _nothing("nothing that you did in this shift can be undone")
        return _undo(connection, open_acts[0], wish)


def undo_finding(desk: Desk, finding_id: int, wish: Wish) -> Undone:
    """Take back the decision in force of a finding, with all that was done at the same blow."""
    with desk.store.taking_turns() as connection:
        earlier = act_rows.undone_by(connection, wish.request)
        if earlier is not None:
            return _undone(connection, earlier)
        found = decision_rows.in_hand(connection, [finding_id]).get(finding_id)
        row = None if found is None else found.said or found.first
        if row is None:
            raise _nothing(f"finding {finding_id}: no decision is in force")
        assert row.act_id is not None
        act = act_rows.act_of(connection, row.act_id)
        assert act is not None
        return _undo(connection, act, wish)


def _undo(connection: Transaction, act: Act, wish: Wish) -> Undone:
    said = decision_rows.said_by(connection, act.id)
    held = decision_rows.in_hand(connection, _ids(said))
    for row in said:
        _check_last(row, held)
    is_in_time = not act.is_closed(wish.at) and entry_rows.withdraw(connection, act.id, wish.at)
    if not is_in_time:
        refusal = Refusal(kind=RefusalKind.CLOSED, at=act.closes_at)
        raise Refused(refusal, f"it left at {act.closes_at:%Y-%m-%d %H:%M}; propose the reverse")
    decision_rows.unsay(connection, act.id, wish.at, wish.who)
    act_rows.take_back(connection, act.id, wish.request)
    reopen_series(connection, held.values(), wish)
    close_series(connection, held.values(), wish.at)
    listed_rows.follow(connection, held)
    note(connection, wish, "undo", held)
    return _undone(connection, act)


def _check_last(row: DecisionRow, held: Mapping[int, InHand]) -> None:
    """Refuse to undo what somebody has answered to since."""
    found = None if row.finding_id is None else held.get(row.finding_id)
    later = None if found is None else found.said
    if later is not None and later.id > row.id:
        refusal = Refusal(
            kind=RefusalKind.TAKEN,
            finding_id=row.finding_id,
            who=later.decision.who,
            at=later.decision.at,
        )
        message = f"finding {row.finding_id}: {later.decision.who} has answered since"
        raise Refused(refusal, message)


def reopen_series(connection: Transaction, held: Iterable[InHand], wish: Wish) -> None:
    """Take those series back to waiting whose newest revision a finding is of."""
    for each in held:
        if each.series_key and each.revision == each.revision_now:
            decision_rows.advance(connection, each.series_key, SeriesEvent.UNDO, wish.at)


def reverse(desk: Desk, seen: Seen, wish: Wish) -> Outcome:
    """Let what was accepted, and has left, be put back; the finding is open again.

    Raises
    ------
    Refused
        If nothing of it has left yet (undo it instead), or it changed nothing.
    """
    row = result_rows.finding_row(desk.store, seen.finding_id)
    with desk.store.taking_turns() as connection:
        earlier = act_rows.done_by(connection, wish.request)
        if earlier is not None:
            return outcome_of(connection, earlier)
        found = decision_rows.in_hand(connection, [seen.finding_id]).get(seen.finding_id)
        if row is None or found is None or found.said is None:
            raise _nothing(f"finding {seen.finding_id}: no decision is in force")
        sent = entry_rows.change_set_of(connection, found.said.id)
        if sent is None or found.said.decision.verb is not Verb.ACCEPT:
            raise _nothing(f"finding {seen.finding_id}: nothing of its decision leaves; undo it")
        assert found.said.act_id is not None
        act = act_rows.act_of(connection, found.said.act_id)
        if act is None or not act.is_closed(wish.at):
            raise _nothing(f"finding {seen.finding_id}: it has not left yet; undo it")
        _reverse(connection, desk, Sent(row, found, sent), wish)
        done = act_rows.done_by(connection, wish.request)
        assert done is not None
        return outcome_of(connection, done)


@frozen
class Sent:
    """A finding whose change set has left."""

    row: FindingRow
    found: InHand
    change_set: ChangeSet


def _reverse(connection: Transaction, desk: Desk, sent: Sent, wish: Wish) -> None:
    due_at = wish.at + timedelta(seconds=desk.settings.decisions.undo_window_s)
    closes_at = due_at if desk.channels else None
    act_id = act_rows.begin(connection, wish.request, Verb.REVERSE, closes_at)
    decision = Decision(
        verb=Verb.REVERSE,
        who=wish.who,
        at=wish.at,
        revision=sent.found.revision,
        suggestion=reversed_suggestion(sent.change_set.suggestion),
    )
    decision_id = decision_rows.say(connection, act_id, sent.found, Saying(decision=decision))
    made = change_set(wish, placed(desk, sent.row), decision, reverses=sent.change_set.uid)
    entry_rows.put(connection, act_id, [(decision_id, made)], desk.channels, due_at)
    reopen_series(connection, [sent.found], wish)
    listed_rows.follow(connection, [sent.found.id])
    note(connection, wish, Verb.REVERSE.value, [sent.found.id])


def _undone(connection: Transaction, act: Act) -> Undone:
    ids = _ids(decision_rows.said_by(connection, act.id))
    return Undone(act_id=act.id, finding_ids=ids, verb=act.verb)


def _ids(said: Sequence[DecisionRow]) -> tuple[int, ...]:
    return tuple(row.finding_id for row in said if row.finding_id is not None)


def _nothing(message: str) -> Refused:
    return Refused(Refusal(kind=RefusalKind.NOTHING), message)
