"""Work items follow the standard's table of states, and a completed one is a decision."""

import pytest

from qa_daemon.errors import InputError
from qa_daemon.queue.deciding import answer
from qa_daemon.queue.deciding.answers import Accept, Seen, Wish
from qa_daemon.queue.workitems import service
from qa_daemon.queue.workitems.states import Status, StepRefused, StepState
from qa_daemon.records.decision import RejectReason, Verb
from qa_daemon.report.as_workitem import (
    Concept,
    code_item,
    data_set,
    element,
)
from qa_daemon.store.review import decision_rows
from qa_daemon.store.workitems import list_rows, step_rows, subscription_rows
from qa_daemon.store.workitems.list_rows import WorklistFilter
from tests.queue.deciding.conftest import GAP, Ward
from tests.queue.workitems.conftest import TRANSACTION, performed, performer

SCHEDULED, IN_PROGRESS = StepState.SCHEDULED, StepState.IN_PROGRESS
COMPLETED, CANCELED = StepState.COMPLETED, StepState.CANCELED


def one(ward: Ward) -> int:
    """Judge a series and return the finding of one rule of it."""
    ward.judged()
    return next(row.id for row in ward.rows() if row.finding.rule == GAP.rule)


def claim(ward: Ward, finding_id: int, transaction: str = TRANSACTION) -> None:
    status = service.change(ward.desk, finding_id, IN_PROGRESS, transaction, performer())
    assert status is Status.SUCCESS


def complete(ward: Ward, finding_id: int, transaction: str = TRANSACTION) -> Status:
    return service.change(ward.desk, finding_id, COMPLETED, transaction, performer(3))


def refusal(ward: Ward, finding_id: int, to: StepState, transaction: str = TRANSACTION) -> Status:
    with pytest.raises(StepRefused) as refused:
        service.change(ward.desk, finding_id, to, transaction, performer(5))
    return refused.value.status


def state(ward: Ward, finding_id: int) -> StepState:
    """Return the state, which the worklist has to tell alike."""
    found = service.standing(ward.desk, finding_id).state
    for each in StepState:
        page = list_rows.worklist(ward.store, WorklistFilter(states=(each.value,)), 0, 100)
        assert (finding_id in page.finding_ids) == (each is found)
    return found


def test_a_claimed_step_that_says_accept_accepts_the_finding(ward: Ward) -> None:
    finding_id = one(ward)
    assert state(ward, finding_id) is SCHEDULED
    claim(ward, finding_id)
    assert state(ward, finding_id) is IN_PROGRESS
    left_out = service.write(ward.desk, finding_id, performed(), TRANSACTION, performer(2))
    assert left_out == ()
    assert complete(ward, finding_id) is Status.SUCCESS
    assert state(ward, finding_id) is COMPLETED
    row = decision_rows.decision_of(ward.store, finding_id)
    assert row is not None
    assert (row.decision.verb, row.decision.who) == (Verb.ACCEPT, "ris")


def test_a_rejection_brings_its_reason_and_its_words(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    said = performed("REJECT", "OTHER", "a phantom of the physicist")
    service.write(ward.desk, finding_id, said, TRANSACTION, performer(2))
    complete(ward, finding_id)
    row = decision_rows.decision_of(ward.store, finding_id)
    assert row is not None
    assert row.decision.reason is RejectReason.OTHER
    assert row.decision.words == "a phantom of the physicist"


def test_completing_again_is_told_and_decides_nothing_again(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    service.write(ward.desk, finding_id, performed(), TRANSACTION, performer(2))
    complete(ward, finding_id)
    assert complete(ward, finding_id) is Status.ALREADY_COMPLETED
    assert len(decision_rows.history(ward.store, 10, finding_id=finding_id)) == 1


def test_only_who_has_claimed_a_step_can_write_or_end_it(ward: Ward) -> None:
    finding_id = one(ward)
    assert refusal(ward, finding_id, COMPLETED) is Status.NOT_IN_PROGRESS
    claim(ward, finding_id)
    assert refusal(ward, finding_id, IN_PROGRESS, "2.25.222") is Status.ALREADY_IN_PROGRESS
    assert refusal(ward, finding_id, COMPLETED, "2.25.222") is Status.WRONG_TRANSACTION
    assert refusal(ward, finding_id, COMPLETED, "") is Status.WRONG_TRANSACTION
    assert refusal(ward, finding_id, COMPLETED, "no uid") is Status.WRONG_TRANSACTION
    assert refusal(ward, finding_id, SCHEDULED) is Status.NOT_BY_ACTION
    with pytest.raises(StepRefused) as refused:
        service.write(ward.desk, finding_id, performed(), "2.25.222", performer(2))
    assert refused.value.status is Status.WRONG_TRANSACTION
    assert state(ward, finding_id) is IN_PROGRESS


def test_nothing_can_be_written_to_what_nobody_has_claimed_or_what_has_ended(ward: Ward) -> None:
    finding_id = one(ward)
    with pytest.raises(StepRefused) as refused:
        service.write(ward.desk, finding_id, performed(), TRANSACTION, performer())
    assert refused.value.status is Status.NOT_IN_PROGRESS
    claim(ward, finding_id)
    service.write(ward.desk, finding_id, performed(), TRANSACTION, performer(2))
    complete(ward, finding_id)
    with pytest.raises(StepRefused) as refused:
        service.write(ward.desk, finding_id, performed(), TRANSACTION, performer(4))
    assert refused.value.status is Status.NOT_UPDATABLE
    assert refusal(ward, finding_id, CANCELED) is Status.NOT_UPDATABLE


@pytest.mark.parametrize(
    "said",
    [performed("PERHAPS"), performed("REJECT"), performed("REJECT", "OTHER"),
     element("UnifiedProcedureStepPerformedProcedureSequence", {})],
    ids=["unknown verdict", "no reason", "no words", "nothing"],
)  # fmt: skip
def test_a_step_cannot_be_completed_without_what_its_final_state_needs(
    ward: Ward, said: dict[str, object]
) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    service.write(ward.desk, finding_id, said, TRANSACTION, performer(2))
    assert refusal(ward, finding_id, COMPLETED) is Status.FINAL_STATE_NOT_MET
    assert state(ward, finding_id) is IN_PROGRESS
    assert decision_rows.decision_of(ward.store, finding_id) is None


def test_a_canceled_step_needs_a_reason_and_leaves_the_finding_open(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    assert refusal(ward, finding_id, CANCELED) is Status.FINAL_STATE_NOT_MET
    reason = code_item(Concept("110501", "Equipment failure", "DCM"))
    item = data_set(
        element("ProcedureStepCancellationDateTime", "20260301121000+0000"),
        element("ProcedureStepDiscontinuationReasonCodeSequence", reason),
    )
    held = element("ProcedureStepProgressInformationSequence", item)
    service.write(ward.desk, finding_id, held, TRANSACTION, performer(2))
    status = service.change(ward.desk, finding_id, CANCELED, TRANSACTION, performer(3))
    assert status is Status.SUCCESS
    assert state(ward, finding_id) is CANCELED
    assert decision_rows.decision_of(ward.store, finding_id) is None


def test_what_a_person_decides_in_the_queue_completes_the_step(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    row = next(each for each in ward.rows() if each.id == finding_id)
    wish = Wish(who="ana", number="1", at=performer(2).at)
    answer.decide(ward.desk, [Seen(row.id, row.revision)], Accept(), wish)
    assert state(ward, finding_id) is COMPLETED
    assert complete(ward, finding_id) is Status.ALREADY_COMPLETED
    kept = decision_rows.decision_of(ward.store, finding_id)
    assert kept is not None
    assert kept.decision.who == "ana"


def test_who_asks_to_cancel_ends_what_nobody_has_claimed(ward: Ward) -> None:
    finding_id = one(ward)
    status = service.ask_to_cancel(ward.desk, finding_id, {}, performer())
    assert (status, state(ward, finding_id)) == (Status.SUCCESS, CANCELED)
    again = service.ask_to_cancel(ward.desk, finding_id, {}, performer(2))
    assert again is Status.ALREADY_CANCELED


def test_a_performer_is_asked_to_cancel_only_if_somebody_can_tell_it(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    with pytest.raises(StepRefused) as refused:
        service.ask_to_cancel(ward.desk, finding_id, {}, performer(2))
    assert refused.value.status is Status.NOT_CONTACTABLE
    before = step_rows.last_event(ward.store)
    assert subscribed(ward, finding_id)
    assert service.ask_to_cancel(ward.desk, finding_id, {}, performer(3)) is Status.SUCCESS
    assert state(ward, finding_id) is IN_PROGRESS
    (event,) = step_rows.events_after(ward.store, before, 10)
    assert event.kind == "cancel"


def test_a_completed_step_is_not_canceled(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    service.write(ward.desk, finding_id, performed(), TRANSACTION, performer(2))
    complete(ward, finding_id)
    with pytest.raises(StepRefused) as refused:
        service.ask_to_cancel(ward.desk, finding_id, {}, performer(4))
    assert refused.value.status is Status.COMPLETED


def test_what_nobody_need_decide_is_no_step(ward: Ward) -> None:
    ward.judged()
    info = next(row.id for row in ward.rows() if row.finding.severity == 0)
    for finding_id in (info, 10_000):
        with pytest.raises(StepRefused) as refused:
            service.standing(ward.desk, finding_id)
        assert refused.value.status is Status.UNKNOWN


def test_what_is_not_a_performers_is_left_out_and_told(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    given = {**performed(), **element("PatientID", "OTHER"), **element("WorklistLabel", "x")}
    left_out = service.write(ward.desk, finding_id, given, TRANSACTION, performer(2))
    assert left_out == ("00100020", "00741202")


@pytest.mark.parametrize(
    "given",
    [
        {"00741216": {"vr": "LO", "Value": ["x"]}},
        {"00741216": {"vr": "SQ", "Value": "x"}},
        {"00741216": {"vr": "SQ", "Value": ["x"]}},
        {"00741216": {"vr": "SQ", "Value": [{}, {}]}},
    ],
)
def test_a_data_set_that_is_built_otherwise_is_refused(
    ward: Ward, given: dict[str, object]
) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    with pytest.raises(InputError):
        service.write(ward.desk, finding_id, given, TRANSACTION, performer(2))


def test_more_than_a_step_can_hold_is_refused(ward: Ward) -> None:
    finding_id = one(ward)
    claim(ward, finding_id)
    item = {"00400280": {"vr": "ST", "Value": ["x" * service.WRITTEN_LENGTH_MAX]}}
    held = element("UnifiedProcedureStepPerformedProcedureSequence", item)
    with pytest.raises(StepRefused, match="longer"):
        service.write(ward.desk, finding_id, held, TRANSACTION, performer(2))


def subscribed(ward: Ward, finding_id: int) -> bool:
    """Subscribe a title of a user who exists."""
    from sqlalchemy import text  # noqa: PLC0415  the one row that accounts would make

    with ward.store.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO users (id, name_key, name, full_name, role, password, language, "
                "created_at, failures) VALUES (1, 'ris', 'ris', '', 'technician', '', '', "
                "'2026-03-01 12:00:00+00:00', 0)"
            )
        )
    return subscription_rows.subscribe(ward.store, "RIS", finding_id, 1, performer().at)
