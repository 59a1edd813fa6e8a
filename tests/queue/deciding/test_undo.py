"""What was decided is taken back as a whole while it is here, and reversed once it has left."""

import pytest
from sqlalchemy import select, update

from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import Accept, Ask, Defer, RefusalKind, Refused, Reject
from qa_daemon.queue.deciding.undo import reverse, undo, undo_finding, undo_last
from qa_daemon.records.change_set import ChangeKind, ChangeSet
from qa_daemon.records.decision import RejectReason, Standing, Verb
from qa_daemon.records.states import SeriesState, SuggestionState
from qa_daemon.store import documents
from qa_daemon.store.audit.entries import audit_entries
from qa_daemon.store.outbox.tables import change_sets, outbox
from qa_daemon.store.review import decision_rows
from tests.queue.deciding.conftest import SIDE, TURNED, At, Ward, seen

RIGHT = Reject(RejectReason.TAGS_RIGHT)


def entry_states(ward: Ward) -> list[str]:
    with ward.store.reading() as connection:
        return list(connection.scalars(select(outbox.c.state).order_by(outbox.c.id)))


def test_a_decision_that_is_taken_back_leaves_everything_open(ward: Ward, at: At) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    for row in (turned, gap):
        decide(ward.desk, [seen(row)], Accept(), ward.wish(at(1)))
    assert ward.state() is SeriesState.DECIDED
    undone = undo_finding(ward.desk, turned.id, ward.wish(at(2), "bo"))
    assert (undone.finding_ids, undone.verb) == ((turned.id,), Verb.ACCEPT)
    assert ward.state() is SeriesState.WAITING
    assert ward.open() == {turned.id}
    assert ward.rows()[0].state is SuggestionState.OPEN
    assert entry_states(ward) == ["withdrawn"]
    taken = next(each for each in decision_rows.history(ward.store, 9) if each.undone_at)
    assert (taken.finding_id, taken.undone_at, taken.undone_by) == (turned.id, at(2), "bo")
    with pytest.raises(Refused, match="no decision is in force"):
        undo_finding(ward.desk, turned.id, ward.wish(at(3)))
    with pytest.raises(Refused, match="undone already"):
        undo(ward.desk, undone.act_id, ward.wish(at(3)))
    actions = [each.action for each in audit_entries(ward.store, 3)]
    assert actions == ["undo", "accept", "accept"]


def test_undoing_brings_back_what_was_said_before(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    decide(ward.desk, [seen(turned)], Defer(at(999), "later"), ward.wish(at(1)))
    decide(ward.desk, [seen(turned)], Ask("bo"), ward.wish(at(2)))
    decide(ward.desk, [seen(turned)], Accept(1), ward.wish(at(3)))
    undo_last(ward.desk, ward.wish(at(4)))
    kept = decision_rows.decision_of(ward.store, turned.id)
    assert kept is not None
    assert (kept.decision.verb, kept.decision.asked) == (Verb.ASK, "bo")
    undo_last(ward.desk, ward.wish(at(5)))
    kept = decision_rows.decision_of(ward.store, turned.id)
    assert kept is not None
    assert (kept.decision.verb, kept.decision.until) == (Verb.DEFER, at(999))
    assert ward.rows()[0].state is SuggestionState.DEFERRED


def test_a_second_undo_takes_the_verdict_before_and_a_repeated_one_nothing(
    ward: Ward, at: At
) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(1)))
    decide(ward.desk, [seen(gap)], RIGHT, ward.wish(at(2)))
    wish = ward.wish(at(3))
    assert undo_last(ward.desk, wish).finding_ids == (gap.id,)
    assert undo_last(ward.desk, wish).finding_ids == (gap.id,)
    with pytest.raises(Refused, match="nothing that you did"):
        undo_last(ward.desk, ward.wish(at(4), "bo"))
    assert undo_last(ward.desk, ward.wish(at(5))).finding_ids == (turned.id,)
    with pytest.raises(Refused) as refusal:
        undo_last(ward.desk, ward.wish(at(6)))
    assert refusal.value.refusal.kind is RefusalKind.NOTHING


def test_the_last_of_an_earlier_shift_is_not_undone_by_a_key(ward: Ward, at: At) -> None:
    ward.judged()
    decide(ward.desk, [seen(ward.rows()[0])], RIGHT, ward.wish(at(1)))
    with pytest.raises(Refused, match="in this shift"):
        undo_last(ward.desk, ward.wish(at(13 * 3600)))
    undo_finding(ward.desk, ward.rows()[0].id, ward.wish(at(13 * 3600)))


def test_a_batch_is_undone_as_one(ward: Ward, at: At) -> None:
    for number in (1, 2, 3):
        ward.judged(f"1.2.{number}.1", TURNED)
    rows = ward.rows()
    outcome = decide(ward.desk, list(map(seen, rows)), Accept(), ward.wish(at(1)))
    undone = undo_finding(ward.desk, rows[1].id, ward.wish(at(2)))
    assert (undone.act_id, undone.finding_ids) == (outcome.act_id, outcome.finding_ids)
    assert ward.open() == {row.id for row in rows}
    assert entry_states(ward) == ["withdrawn"] * 3
    assert {ward.state(f"1.2.{number}.1") for number in (1, 2, 3)} == {SeriesState.WAITING}


def test_after_the_window_it_has_left_and_only_the_reverse_is_offered(ward: Ward, at: At) -> None:
    ward.judged("1.2.3.1", TURNED)
    (turned,) = ward.rows()
    with pytest.raises(Refused, match="no decision is in force"):
        reverse(ward.desk, seen(turned), ward.wish(at(0)))
    outcome = decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(1)))
    with pytest.raises(Refused, match="not left yet; undo it"):
        reverse(ward.desk, seen(turned), ward.wish(at(60.9)))
    with pytest.raises(Refused, match="propose the reverse"):
        undo_finding(ward.desk, turned.id, ward.wish(at(61)))
    with pytest.raises(Refused, match="propose the reverse") as refusal:
        undo(ward.desk, outcome.act_id, ward.wish(at(61)))
    assert (refusal.value.refusal.kind, refusal.value.refusal.at) == (
        *(RefusalKind.CLOSED, at(61)),
    )
    wish = ward.wish(at(100), "bo")
    back = reverse(ward.desk, seen(turned), wish)
    assert reverse(ward.desk, seen(turned), wish) == back
    assert (back.standing, back.undo_until) == (Standing.OPEN, at(160))
    assert ward.open() == {turned.id}
    assert ward.state() is SeriesState.WAITING
    with ward.store.reading() as connection:
        texts = connection.scalars(select(change_sets.c.document).order_by(change_sets.c.act_id))
        first, second = (documents.read(text, ChangeSet) for text in texts)
    assert (second.kind, second.reverses) == (ChangeKind.REVERSE, first.uid)
    there, here = first.suggestion.changes, second.suggestion.changes[::-1]
    assert [(each.current, each.proposed) for each in there] == [
        (each.proposed, each.current) for each in here
    ]
    undo_last(ward.desk, ward.wish(at(101), "bo"))
    assert ward.state() is SeriesState.DECIDED
    assert entry_states(ward) == ["queued", "withdrawn"]


def test_what_a_sender_has_in_hand_cannot_be_undone(ward: Ward, at: At) -> None:
    ward.judged("1.2.3.1", TURNED)
    (turned,) = ward.rows()
    outcome = decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(1)))
    with ward.store.writing() as connection:
        connection.execute(update(outbox).values(lease_until=at(50), attempts=1))
    with pytest.raises(Refused) as refusal:
        undo(ward.desk, outcome.act_id, ward.wish(at(30)))
    assert refusal.value.refusal.kind is RefusalKind.CLOSED
    assert entry_states(ward) == ["queued"]
    assert ward.state() is SeriesState.DECIDED


def test_the_first_of_two_cannot_undo_what_was_answered_since(ward: Ward, at: At) -> None:
    ward.with_settings(four_eyes=("laterality",))
    ward.judged("1.2.3.1", SIDE)
    (side,) = ward.rows()
    first = decide(ward.desk, [seen(side)], Accept(), ward.wish(at(1)))
    second = decide(ward.desk, [seen(side)], RIGHT, ward.wish(at(2), "eva", approves=True))
    with pytest.raises(Refused, match="eva has answered since"):
        undo(ward.desk, first.act_id, ward.wish(at(3)))
    undo(ward.desk, second.act_id, ward.wish(at(4), "eva"))
    kept = decision_rows.decision_of(ward.store, side.id)
    assert kept is not None
    assert (kept.decision.who, kept.is_first) == ("ana", True)
    undo(ward.desk, first.act_id, ward.wish(at(5)))
    assert decision_rows.decision_of(ward.store, side.id) is None


def test_undoing_what_was_said_of_an_older_revision_moves_no_newer_one(ward: Ward, at: At) -> None:
    ward.judged("1.2.3.1", TURNED)
    outcome = decide(ward.desk, [seen(ward.rows()[0])], RIGHT, ward.wish(at(1)))
    ward.receive(at=at(5))
    ward.judge(TURNED, at=at(10))
    decide(ward.desk, [seen(ward.rows()[0])], RIGHT, ward.wish(at(11), "bo"))
    undo(ward.desk, outcome.act_id, ward.wish(at(12)))
    assert ward.state() is SeriesState.DECIDED
