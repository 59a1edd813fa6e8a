"""Claiming, writing, completing and canceling work items; a completed one has recorded a decision.

The state that counts is that of the finding: decided by whomever, its work item is COMPLETED.
"""

import json
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from qa_daemon.queue.deciding import answer
from qa_daemon.queue.deciding.answers import Accept, Answer, Refused, Reject, Seen, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.queue.workitems import contents
from qa_daemon.queue.workitems.contents import DataSet
from qa_daemon.queue.workitems.states import (
    CHANGES,
    FINAL,
    WORDS,
    Status,
    StepRefused,
    StepState,
)
from qa_daemon.records.finding import Severity
from qa_daemon.report.as_json import Json
from qa_daemon.store import result_rows
from qa_daemon.store.database import Transaction
from qa_daemon.store.result_rows import FindingRow
from qa_daemon.store.review import decision_rows
from qa_daemon.store.workitems import step_rows, subscription_rows
from qa_daemon.store.workitems.step_rows import StepRow

#: What of a request is written; a performer that sends more sends something else.
WRITTEN_LENGTH_MAX: Final = 64 << 10


@frozen(kw_only=True)
class Performer:
    """Who works on a step: an account of this service, or its program."""

    who: str
    user_id: int
    may_approve: bool
    at: datetime
    address: str = ""


@frozen
class Standing:
    """A work item as it stands: its finding, what was done with it, and so its state."""

    row: FindingRow
    step: StepRow | None
    state: StepState


def standing(desk: Desk, finding_id: int) -> Standing:
    """Return a work item.

    Raises
    ------
    StepRefused
        If there is none: no such finding, or one that nobody need decide.
    """
    row = result_rows.finding_row(desk.store, finding_id)
    if row is None or row.finding.severity <= Severity.INFO:
        raise refused(Status.UNKNOWN)
    with desk.store.reading() as connection:
        return _standing(connection, row)


def change(
    desk: Desk, finding_id: int, to: StepState, transaction_uid: str, by: Performer
) -> Status:
    """Change the state of a step (PS3.4 CC.2.1); return SUCCESS or a warning.

    Raises
    ------
    StepRefused
        With the failure status; nothing was written.
    """
    if not transaction_uid:
        raise StepRefused(Status.WRONG_TRANSACTION, "The Transaction UID is missing.")
    if not contents.is_uid(transaction_uid):
        raise StepRefused(Status.WRONG_TRANSACTION, "The Transaction UID is not a UID.")
    now = standing(desk, finding_id)
    status = CHANGES[now.state, to]
    if now.state is not StepState.SCHEDULED and to is not StepState.IN_PROGRESS:
        _check_lock(now.step, transaction_uid)
    if status in {Status.ALREADY_COMPLETED, Status.ALREADY_CANCELED}:
        return status
    if status is not Status.SUCCESS:
        raise refused(status)
    if to is StepState.IN_PROGRESS:
        _claim(desk, now.row, transaction_uid, by)
    elif to is StepState.COMPLETED:
        _complete(desk, now, by)
    else:
        _cancel(desk, now, by)
    return Status.SUCCESS


def write(
    desk: Desk, finding_id: int, given: DataSet, transaction_uid: str, by: Performer
) -> tuple[str, ...]:
    """Keep what a performer writes (PS3.4 CC.2.6); return the tags that were left out.

    Raises
    ------
    StepRefused
        If it is not claimed, or claimed with another Transaction UID.
    InputError
        If the data set is not as the standard says.
    """
    kept, left_out = contents.writable(given)
    now = standing(desk, finding_id)
    if now.state in FINAL:
        raise refused(Status.NOT_UPDATABLE)
    if now.step is None or now.state is StepState.SCHEDULED:
        raise refused(Status.NOT_IN_PROGRESS)
    _check_lock(now.step, transaction_uid)
    performed = contents.first_item(kept, "UnifiedProcedureStepPerformedProcedureSequence")
    progress = contents.first_item(kept, "ProcedureStepProgressInformationSequence")
    written = evolve(
        now.step,
        performed=_written(performed) if performed else now.step.performed,
        progress=_written(progress) if progress else now.step.progress,
        changed_at=by.at,
    )
    with desk.store.taking_turns() as connection:
        _check_unchanged(connection, now)
        step_rows.keep(connection, written)
        if progress:
            step_rows.tell(connection, finding_id, "progress", written.progress, by.at)
    return left_out


def ask_to_cancel(desk: Desk, finding_id: int, request: DataSet, by: Performer) -> Status:
    """Ask the performer to cancel (PS3.4 CC.2.2); a step that nobody has claimed is canceled.

    Raises
    ------
    StepRefused
        If it is completed, or its performer cannot be told.
    """
    now = standing(desk, finding_id)
    if now.state is StepState.COMPLETED:
        raise refused(Status.COMPLETED)
    if now.state is StepState.CANCELED:
        return Status.ALREADY_CANCELED
    progress = contents.canceled_on_request(request, by.at)
    with desk.store.taking_turns() as connection:
        _check_unchanged(connection, now)
        if now.state is StepState.IN_PROGRESS:
            if not subscription_rows.is_listened_to(connection, finding_id):
                raise refused(Status.NOT_CONTACTABLE)
            step_rows.tell(connection, finding_id, "cancel", _written(progress), by.at)
            return Status.SUCCESS
        step = StepRow(
            finding_id=finding_id,
            state=StepState.CANCELED.value,
            transaction_uid="",
            who=by.who,
            performed="",
            progress=_written(progress),
            changed_at=by.at,
        )
        for state in (StepState.IN_PROGRESS, StepState.CANCELED):
            step_rows.tell(connection, finding_id, "state", state.value, by.at)
        step_rows.keep(connection, step)
    return Status.SUCCESS


def state_of(step: StepRow | None, *, is_decided: bool) -> StepState:
    """Return the state of a work item by what was done with it and with its finding."""
    if step is not None and step.state in FINAL:
        return StepState(step.state)
    if is_decided:
        return StepState.COMPLETED
    return StepState.SCHEDULED if step is None else StepState(step.state)


def refused(status: Status) -> StepRefused:
    """Return the failure that a status is, in the standard's words."""
    return StepRefused(status, WORDS[status])


def _standing(connection: Transaction, row: FindingRow) -> Standing:
    step = step_rows.step_of(connection, row.id)
    found = decision_rows.in_hand(connection, [row.id]).get(row.id)
    is_decided = found is not None and found.said is not None and found.said.decision.is_final
    return Standing(row, step, state_of(step, is_decided=is_decided))


def _claim(desk: Desk, row: FindingRow, transaction_uid: str, by: Performer) -> None:
    claimed = StepRow(
        finding_id=row.id,
        state=StepState.IN_PROGRESS.value,
        transaction_uid=transaction_uid,
        who=by.who,
        performed="",
        progress="",
        changed_at=by.at,
    )
    with desk.store.taking_turns() as connection:
        if _standing(connection, row).state is not StepState.SCHEDULED:
            raise refused(Status.ALREADY_IN_PROGRESS)
        step_rows.keep(connection, claimed)
        step_rows.tell(connection, row.id, "state", claimed.state, by.at)


def _complete(desk: Desk, now: Standing, by: Performer) -> None:
    """Record the decision, then the end of the step; repeated, both are the same again."""
    assert now.step is not None
    performed = json.loads(now.step.performed or "{}")
    contents.check_completed(performed)
    said = contents.verdict_in(performed)
    answered: Answer = (
        Accept(words=said.words) if said.reason is None else Reject(said.reason, said.words)
    )
    wish = Wish(
        who=by.who,
        number=f"workitem {now.step.transaction_uid}",
        at=by.at,
        may_approve=by.may_approve,
        address=by.address,
    )
    try:
        answer.decide(desk, [Seen(now.row.id, now.row.revision)], answered, wish)
    except Refused as refusal:
        raise StepRefused(Status.NOT_UPDATABLE, str(refusal)) from refusal
    _end(desk, evolve(now.step, state=StepState.COMPLETED.value, changed_at=by.at))


def _cancel(desk: Desk, now: Standing, by: Performer) -> None:
    assert now.step is not None
    contents.check_canceled(json.loads(now.step.progress or "{}"))
    _end(desk, evolve(now.step, state=StepState.CANCELED.value, changed_at=by.at))


def _end(desk: Desk, step: StepRow) -> None:
    with desk.store.taking_turns() as connection:
        step_rows.keep(connection, step)
        step_rows.tell(connection, step.finding_id, "state", step.state, step.changed_at)


def _check_lock(step: StepRow | None, transaction_uid: str) -> None:
    """Refuse who has not claimed it; where a colleague decided elsewhere, nobody has the lock."""
    if step is None or step.transaction_uid != transaction_uid:
        raise refused(Status.WRONG_TRANSACTION)


def _check_unchanged(connection: Transaction, before: Standing) -> None:
    """Refuse what was worked out for a state that is no more."""
    if _standing(connection, before.row).state is not before.state:
        raise refused(Status.NOT_UPDATABLE)


def _written(given: DataSet) -> str:
    text = json.dumps(given, separators=(",", ":"))
    if len(text) > WRITTEN_LENGTH_MAX:
        raise StepRefused(
            Status.NOT_UPDATABLE, f"The data set is longer than {WRITTEN_LENGTH_MAX} characters."
        )
    return text


def read(written: str) -> dict[str, Json]:
    """Return what a performer has written, {} where that is nothing."""
    found: dict[str, Json] = json.loads(written) if written else {}
    return found
