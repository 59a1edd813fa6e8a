"""A ward whose findings are worked on as work items."""

from datetime import datetime, timedelta

import pytest

from qa_daemon.queue.workitems.contents import DataSet
from qa_daemon.queue.workitems.service import Performer
from qa_daemon.report.as_workitem import (
    REASON,
    VERDICT,
    Concept,
    code_item,
    content_item,
    data_set,
    element,
)
from tests.queue.deciding.conftest import cluster, prepared_sqlite, store, url, ward
from tests.store.conftest import NOON

__all__ = ["cluster", "prepared_sqlite", "store", "url", "ward"]

TRANSACTION = "2.25.111"


def performer(minutes: float = 1, who: str = "ris") -> Performer:
    at: datetime = NOON + timedelta(minutes=minutes)
    return Performer(who=who, user_id=1, may_approve=False, at=at)


def performed(verdict: str = "ACCEPT", reason: str = "", words: str = "") -> DataSet:
    """Return what a performer writes before it completes a step."""
    said = [content_item(VERDICT, code=Concept(verdict, "said"))]
    if reason:
        said.append(content_item(REASON, code=Concept(reason, "why")))
    item = data_set(
        element("PerformedStationNameCodeSequence", code_item(Concept("RIS1", "RIS", "99SITE"))),
        element("PerformedWorkitemCodeSequence", code_item(Concept("QA-DECIDE", "Decide"))),
        element("PerformedProcedureStepStartDateTime", "20260301120000+0000"),
        element("PerformedProcedureStepEndDateTime", "20260301120100+0000"),
        element("PerformedProcessingParametersSequence", *said),
        element("CommentsOnThePerformedProcedureStep", *([words] if words else [])),
        element("OutputInformationSequence"),
    )
    return element("UnifiedProcedureStepPerformedProcedureSequence", item)


@pytest.fixture
def transaction() -> str:
    return TRANSACTION
