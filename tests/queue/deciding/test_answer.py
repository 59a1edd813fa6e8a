"""Answers are kept once, refused where they no longer fit, and close what they concern."""

from datetime import timedelta

import pytest
from attrs import evolve
from sqlalchemy import select

from qa_daemon.errors import InputError
from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import (
    Accept,
    Answer,
    Ask,
    Defer,
    RefusalKind,
    Refused,
    Reject,
    Seen,
    Selection,
)
from qa_daemon.records.change_set import ChangeKind
from qa_daemon.records.decision import RejectReason, Standing
from qa_daemon.records.states import SeriesState, SuggestionState
from qa_daemon.store import series_rows
from qa_daemon.store.audit.entries import Operator, audit_entries
from qa_daemon.store.outbox import entry_rows
from qa_daemon.store.outbox.tables import outbox
from qa_daemon.store.result_rows import FindingFilter, finding_list
from qa_daemon.store.review import decision_rows
from qa_daemon.store.series_rows import SeriesFilter
from qa_daemon.store.tables import findings
from tests.queue.deciding.conftest import GAP, SIDE, TURNED, At, Ward, seen
from tests.store.conftest import NOON

RIGHT = Reject(RejectReason.TAGS_RIGHT)


def refused(ward: Ward, row: Seen, answer: Answer, at: float = 1, who: str = "ana") -> Refused:
    with pytest.raises(Refused) as refusal:
        decide(ward.desk, [row], answer, ward.wish(NOON + timedelta(seconds=at), who))
    return refusal.value


def test_a_series_is_decided_once_none_of_its_findings_is_open(ward: Ward, at: At) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    decide(ward.desk, [seen(turned)], Accept(1, "seen \ud800"), ward.wish(at(1)))
    assert ward.state() is SeriesState.WAITING
    assert ward.open() == {gap.id}
    decide(ward.desk, [seen(gap)], RIGHT, ward.wish(at(2), "bo"))
    assert ward.state() is SeriesState.DECIDED
    assert ward.open() == set()
    kept = decision_rows.decision_of(ward.store, gap.id)
    assert kept is not None
    assert (kept.decision.reason, kept.decision.who, kept.rule, kept.undone_by) == (
        *(RejectReason.TAGS_RIGHT, "bo", gap.finding.rule, ""),
    )
    assert [each.action for each in audit_entries(ward.store, 9)] == [
        *("reject", "accept"),
    ]


def test_of_several_suggestions_one_is_accepted(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    outcome = decide(ward.desk, [seen(turned)], Accept(1), ward.wish(at(1)))
    assert outcome.standing is Standing.DECIDED
    counted = series_rows.counts(ward.store).suggestions
    assert counted == {SuggestionState.REJECTED: 2, SuggestionState.ACCEPTED: 1}
    kept = decision_rows.decision_of(ward.store, turned.id)
    assert kept is not None
    assert kept.decision.suggestion == ward.whole(turned).finding.alternatives[0]
    said = refused(ward, seen(ward.row(GAP.rule)), Accept(3))
    assert (said.refusal.kind, str(said)[-22:]) == (
        *(RefusalKind.UNKNOWN, "0 beside the likeliest"),
    )


def test_what_is_accepted_leaves_by_every_channel_and_not_before_the_window_closes(
    ward: Ward, at: At
) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    outcome = decide(ward.desk, [seen(turned)], Accept(words="as seen"), ward.wish(at(1)))
    assert outcome.undo_until == at(61)
    with ward.store.reading() as connection:
        (entry,) = connection.execute(select(outbox)).mappings()
        assert (entry["channel"], entry["state"], entry["due_at"]) == ("folder", "queued", at(61))
        kept = decision_rows.decision_of(ward.store, turned.id)
        assert kept is not None
        change_set = entry_rows.change_set_of(connection, kept.id)
    assert change_set is not None
    assert change_set.uid == entry["change_set_uid"]
    assert change_set.suggestion == ward.whole(turned).finding.suggestion
    assert (change_set.kind, change_set.study_instance_uid, change_set.revision) == (
        *(ChangeKind.CHANGE, "1.2.3", 1),
    )
    assert (change_set.decided_by, change_set.words, change_set.first_by) == ("ana", "as seen", "")
    nothing_to_write = decide(ward.desk, [seen(gap)], Accept(), ward.wish(at(2)))
    assert nothing_to_write.undo_until is None
    with ward.store.reading() as connection:
        assert len(connection.execute(select(outbox)).all()) == 1


def test_the_same_request_again_writes_nothing_and_tells_the_same(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    wish = ward.wish(at(1))
    first = decide(ward.desk, [seen(turned)], Accept(), wish)
    again = decide(ward.desk, [seen(turned)], Accept(), evolve(wish, at=at(30)))
    assert again == first
    assert len(decision_rows.history(ward.store, 9)) == 1
    other = refused(ward, seen(turned), Accept(), 2)
    assert other.refusal.kind is RefusalKind.TAKEN


def test_a_deferred_finding_leaves_the_queue_until_its_time(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    outcome = decide(ward.desk, [seen(turned)], Defer(at(3600)), ward.wish(at(1)))
    assert (outcome.standing, outcome.undo_until) == (Standing.DEFERRED, None)
    for when, is_there in ((2, False), (3600, True)):
        wanted = FindingFilter(is_open=True, audible_at=at(when))
        listed = {row.id for row in finding_list(ward.store, wanted, 9)}
        assert (turned.id in listed) is is_there
    decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(2), "bo"))
    assert turned.id not in ward.open()
    assert [each.undone_by for each in decision_rows.history(ward.store, 9)] == ["", "bo"]
    with ward.store.reading() as connection:
        row = connection.execute(select(findings).where(findings.c.id == turned.id)).one()
    assert (row.standing, row.wake_at) == ("decided", None)


def test_a_colleague_is_asked_by_name_and_the_finding_stays_open(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    outcome = decide(ward.desk, [seen(turned)], Ask(" bo ", "the liver?"), ward.wish(at(1)))
    assert outcome.standing is Standing.ASKED
    with ward.store.reading() as connection:
        row = connection.execute(select(findings).where(findings.c.id == turned.id)).one()
    assert (row.standing, row.asked) == ("asked", "bo")
    assert turned.id in ward.open()
    kept = decision_rows.decision_of(ward.store, turned.id)
    assert kept is not None
    assert kept.decision.in_words.startswith("asked bo by ana, ")
    assert refused(ward, seen(turned), Ask(" ")).refusal.path == "of"


def test_who_comes_second_is_told_who_was_first(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(1)))
    said = refused(ward, seen(turned), RIGHT, 2, "bo")
    assert "ana decided it at" in str(said)
    assert (said.refusal.kind, said.refusal.who, said.refusal.at) == (
        *(RefusalKind.TAKEN, "ana", at(1)),
    )
    assert len(decision_rows.history(ward.store, 9)) == 1


def test_a_newer_revision_refuses_and_says_what_has_come(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    ward.receive(at=at(5))
    ward.receive(at=at(5))
    said = refused(ward, seen(turned), Accept(), 6)
    assert "revision 2 of its series has come with 2 more objects" in str(said)
    assert (said.refusal.kind, said.refusal.revision, said.refusal.successor) == (
        *(RefusalKind.STALE, 2, None),
    )
    ward.judge(TURNED, at=at(100))
    again = ward.rows()[0]
    assert refused(ward, seen(turned), Accept(), 101).refusal.successor == again.id
    assert refused(ward, Seen(again.id, 1), Accept(), 101).refusal.kind is RefusalKind.STALE
    assert decision_rows.history(ward.store, 9) == ()
    decide(ward.desk, [seen(again)], Accept(), ward.wish(at(102)))


def test_what_cannot_be_decided_says_why(ward: Ward, at: At) -> None:
    ward.judged()
    turned, _, note = ward.rows()
    assert refused(ward, seen(note), Accept()).refusal.kind is RefusalKind.INFO
    assert "queue list" in str(refused(ward, Seen(999_999, 1), Accept()))
    without_words = refused(ward, seen(turned), Reject(RejectReason.OTHER, " "))
    assert without_words.refusal.path == "words"
    with pytest.raises(Refused, match="choose at least one"):
        decide(ward.desk, [], Accept(), ward.wish(at(1)))
    series_rows.recheck(ward.store, SeriesFilter(), Operator("ana", at(1)))
    in_work = refused(ward, seen(turned), Accept(), 2)
    assert in_work.refusal.kind is RefusalKind.IN_WORK
    assert "try again in a moment" in str(in_work)


def test_decisions_go_with_the_series(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0]
    decide(ward.desk, [seen(turned)], Accept(), ward.wish(at(1)))
    (row,) = series_rows.series_list(ward.store, SeriesFilter(), 10)
    series_rows.remove_series(ward.store, row.series_key, Operator("ana", at(2)))
    assert decision_rows.history(ward.store, 9) == ()


def test_many_are_decided_at_one_blow_or_none(ward: Ward, at: At) -> None:
    for number in (1, 2, 3):
        ward.judged(f"1.2.{number}.1", TURNED)
    rows = ward.rows()
    stale = Seen(rows[2].id, 7)
    with pytest.raises(Refused, match=f"finding {rows[2].id}: revision 1"):
        decide(ward.desk, [*map(seen, rows[:2]), stale], Accept(), ward.wish(at(1)))
    assert ward.open() == {row.id for row in rows}
    outcome = decide(ward.desk, [*map(seen, rows), seen(rows[0])], Accept(), ward.wish(at(2)))
    assert outcome.finding_ids == tuple(row.id for row in rows)
    assert {ward.state(f"1.2.{number}.1") for number in (1, 2, 3)} == {SeriesState.DECIDED}
    with ward.store.reading() as connection:
        assert len({row.change_set_uid for row in connection.execute(select(outbox))}) == 3


def test_a_batch_is_bounded_and_refused_where_findings_stand_differently(
    ward: Ward, at: At
) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    decide(ward.desk, [seen(gap)], Defer(), ward.wish(at(1)))
    with pytest.raises(Refused, match="stand alike") as refusal:
        decide(ward.desk, [seen(turned), seen(gap)], RIGHT, ward.wish(at(2)))
    assert refusal.value.refusal.kind is RefusalKind.MIXED
    ward.with_settings(batch_max=1)
    with pytest.raises(Refused, match="at most 1 "):
        decide(ward.desk, [seen(turned), seen(gap)], RIGHT, ward.wish(at(3)))


def test_a_list_survives_its_way_through_a_page(ward: Ward) -> None:
    chosen = (Seen(12, 3), Seen(4, 1))
    assert Selection.read(str(Selection(seen=chosen, standing=Standing.OPEN))) == chosen
    for text in ("12", "12@", "x@1", "1@-1", "1@" + "9" * 30, "\u0661@1"):
        with pytest.raises(InputError, match="12@3"):
            Seen.read(text)
    assert ward.rows() == []


# --- two persons ---------------------------------------------------------------------------------


def test_a_second_person_must_answer_where_the_topic_wants_it(ward: Ward, at: At) -> None:
    ward.with_settings(four_eyes=("laterality",))
    ward.judged("1.2.3.1", SIDE)
    (side,) = ward.rows()
    first = decide(ward.desk, [seen(side)], RIGHT, ward.wish(at(1)))
    assert (first.standing, first.undo_until, first.colleague) == (Standing.AWAITING, None, None)
    assert ward.state() is SeriesState.WAITING
    assert ward.open() == {side.id}
    for who, approves, kind in (
        ("ana", True, RefusalKind.SAME_PERSON),
        ("bo", False, RefusalKind.NEEDS_APPROVER),
    ):
        with pytest.raises(Refused) as refusal:
            decide(ward.desk, [seen(side)], Accept(), ward.wish(at(2), who, approves=approves))
        assert refusal.value.refusal.kind is kind
    second = decide(ward.desk, [seen(side)], Accept(), ward.wish(at(3), "eva", approves=True))
    assert second.standing is Standing.DECIDED
    assert second.undo_until == at(63)
    assert second.colleague is not None
    assert (second.colleague.who, second.colleague.reason) == ("ana", RejectReason.TAGS_RIGHT)
    assert ward.state() is SeriesState.DECIDED
    kept = decision_rows.decision_of(ward.store, side.id)
    assert kept is not None
    assert (kept.decision.who, kept.is_first) == ("eva", False)
    with ward.store.reading() as connection:
        change_set = entry_rows.change_set_of(connection, kept.id)
    assert change_set is not None
    assert (change_set.decided_by, change_set.first_by) == ("eva", "ana")


def test_nothing_leaves_on_the_word_of_the_first_of_two(ward: Ward, at: At) -> None:
    ward.with_settings(four_eyes=("laterality",))
    ward.judged("1.2.3.1", SIDE, GAP)
    decide(ward.desk, [seen(ward.row(SIDE.rule))], Accept(), ward.wish(at(1), approves=True))
    with ward.store.reading() as connection:
        assert connection.execute(select(outbox)).all() == []
    alone = decide(ward.desk, [seen(ward.row(GAP.rule))], Accept(), ward.wish(at(2)))
    assert alone.standing is Standing.DECIDED
