"""A decision as an instruction that leaves; no input or output."""

import uuid
from typing import Final

from qa_daemon.queue.deciding.answers import Wish
from qa_daemon.records.change_set import ChangeKind, ChangeSet
from qa_daemon.records.decision import Decision, Verb
from qa_daemon.store.result_rows import FindingRow

#: Names change sets apart from all else that is named by a UUID of a text.
_NAMESPACE: Final = uuid.UUID("6f0c1f0e-5d1b-4c5e-9b7a-0d8a3c0f5b21")


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
