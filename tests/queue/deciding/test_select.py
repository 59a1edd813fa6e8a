"""Lists are frozen with an example of each kind; a whole series or study is one of them."""

from collections.abc import Iterable

import pytest

from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import Accept, RefusalKind, Refused
from qa_daemon.queue.deciding.select import freeze, of_series, of_study
from qa_daemon.records.decision import Standing
from qa_daemon.records.finding import Outcomes, Verdict
from tests.queue.deciding.conftest import GAP, NOTE, SIDE, TURNED, At, Ward, seen


def test_a_list_is_counted_in_groups_with_an_example_of_each(ward: Ward) -> None:
    for number in (1, 2):
        ward.judged(f"1.2.{number}.1", TURNED, GAP)
    rows = ward.rows()
    chosen = freeze(ward.desk, [row.id for row in rows])
    assert chosen.standing is Standing.OPEN
    assert {each.finding_id for each in chosen.seen} == {row.id for row in rows}
    told = {group.rule: group for group in chosen.groups}
    assert {rule: group.count for rule, group in told.items()} == {TURNED.rule: 2, GAP.rule: 2}
    assert told[GAP.rule].message == GAP.message
    assert told[GAP.rule].example in chosen.seen


def test_a_whole_series_or_study_is_what_is_undecided_in_it(ward: Ward, at: At) -> None:
    ward.judged("1.2.3.1", TURNED, GAP, NOTE)
    ward.receive("1.2.3.2")
    ward.receive("1.2.9.1")
    ward.judge(SIDE, study=Verdict((GAP,), Outcomes()))
    of_first = {row.id for row in ward.rows() if row.series_instance_uid == "1.2.3.1"}
    turned, gap, note = ward.row(TURNED.rule), ward.row(GAP.rule), ward.row(NOTE.rule)
    in_series = of_series(ward.desk, turned.id)
    assert {each.finding_id for each in in_series.seen} == of_first - {note.id}
    in_study = {each.finding_id for each in of_study(ward.desk, turned.id).seen}
    whole = {
        row.id for row in ward.rows() if row.study_instance_uid == "1.2.3" and row.id != note.id
    }
    assert in_study == whole
    assert len(whole - of_first) == 2  # of the other series, and of the study itself
    decide(ward.desk, [seen(gap)], Accept(), ward.wish(at(1)))
    assert [each.finding_id for each in of_series(ward.desk, turned.id).seen] == [turned.id]


def test_what_cannot_be_decided_together_is_refused_when_it_is_chosen(ward: Ward, at: At) -> None:
    ward.judged()
    turned, gap, _ = ward.rows()
    decide(ward.desk, [seen(gap)], Accept(), ward.wish(at(1)))
    cases: tuple[tuple[Iterable[int], RefusalKind], ...] = (
        ([turned.id, gap.id], RefusalKind.MIXED),
        ([turned.id, 999_999], RefusalKind.UNKNOWN),
        ([], RefusalKind.NOTHING),
        (range(1, 502), RefusalKind.TOO_MANY),
    )
    for ids, kind in cases:
        with pytest.raises(Refused) as refusal:
            freeze(ward.desk, list(ids))
        assert refusal.value.refusal.kind is kind
    ward.receive(at=at(5))
    with pytest.raises(Refused) as refusal:
        freeze(ward.desk, [turned.id])
    assert refusal.value.refusal.kind is RefusalKind.STALE
