"""Findings, and what they suggest."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.withheld import without_patient
from qa_daemon.records.finding import Finding, Severity, Topic
from qa_daemon.report.as_json import finding_as_json, suggestion_as_dicom_json
from qa_daemon.store.audit.entries import note_view
from qa_daemon.store.feed import page_rows
from qa_daemon.store.feed.page_rows import FindingPage
from qa_daemon.store.result_rows import FindingFilter, FindingRow, finding_row
from qa_daemon.web.api.operations import DICOM_JSON, Answered, Operation, json_answer
from qa_daemon.web.api.parameters import (
    COUNT,
    CURSOR,
    NUMBER_MAX,
    TIME,
    Parameter,
    choice,
    cursor_of,
    number,
    numbers_in,
    text,
)
from qa_daemon.web.endpoints import desk, visitor

FINDING_ID: Final = Parameter(
    name="finding_id",
    schema=number(1, NUMBER_MAX),
    description="Number of the finding.",
    place="path",
    required=True,
)
RANK: Final = Parameter(
    name="rank",
    schema=number(0, 1000),
    description="0 is the likeliest suggestion.",
    place="path",
    required=True,
)
SERIES_KEY: Final = text("^[0-9a-f]{24}$", 24)
_FILTERS: Final = (
    Parameter(name="rule", schema=text(), description="Id of the rule."),
    Parameter(name="topic", schema=choice(*Topic), description="What the finding is about."),
    Parameter(
        name="severity_min",
        schema=choice(*(each.word for each in Severity)),
        description="This severity and worse.",
    ),
    Parameter(name="series_key", schema=SERIES_KEY, description="Key of the series."),
    Parameter(name="study_instance_uid", schema=text(length_max=64), description="Of the study."),
    Parameter(name="issue_key", schema=SERIES_KEY, description="Key of the issue."),
    Parameter(name="since", schema=TIME, description="Made since then."),
    Parameter(
        name="open",
        schema={"type": "boolean"},
        description="`true` leaves out what is decided.",
        default=False,
    ),
)


def _list(request: Request, given: Mapping[str, Any]) -> Response:
    wanted = FindingFilter(
        topics=() if given["topic"] is None else (Topic(given["topic"]),),
        severity_min=_severity(given["severity_min"]),
        rule=given["rule"],
        series_key=given["series_key"],
        study_instance_uid=given["study_instance_uid"],
        since=given["since"],
        issue_key=given["issue_key"],
        is_open=given["open"],
    )
    before = None if given["cursor"] is None else numbers_in(given["cursor"], 1)[0]
    page: FindingPage = page_rows.finding_page(desk(request).store, wanted, before, given["limit"])
    told = [as_told(request, row) for row in page.rows]
    following = cursor_of(page.rows[-1].id) if page.has_more else None
    return json_answer({"items": told, "next": following})


def _show(request: Request, given: Mapping[str, Any]) -> Response:
    row = _row(request, given["finding_id"])
    if row.series_key and visitor(request).sees_patients:
        operator = visitor(request).operator(desk(request).now())
        note_view(desk(request).store, operator, row.series_key)
    return json_answer(as_told(request, row))


def _suggest(request: Request, given: Mapping[str, Any]) -> Response:
    row = _row(request, given["finding_id"])
    finding = _finding(request, row)
    offered = () if finding.suggestion is None else (finding.suggestion, *finding.alternatives)
    if given["rank"] >= len(offered):
        raise HTTPException(404)
    named = (row.study_instance_uid, row.series_instance_uid)
    data_sets = suggestion_as_dicom_json(named, offered[given["rank"]])
    return json_answer(data_sets, media_type=DICOM_JSON)


def as_told(request: Request, row: FindingRow) -> dict[str, Any]:
    """Return a finding as this visitor may see it."""
    return {
        "id": row.id,
        "revision": row.revision,
        "series_key": row.series_key or None,
        "study_instance_uid": row.study_instance_uid or None,
        "series_instance_uid": row.series_instance_uid or None,
        "modality": row.modality,
        "calling_ae": row.calling_ae,
        "created_at": _time(row.created_at),
        "state": None if row.state is None else row.state.value,
        "finding": finding_as_json(_finding(request, row)),
    }


def _row(request: Request, finding_id: int) -> FindingRow:
    row = finding_row(desk(request).store, finding_id)
    if row is None:
        raise HTTPException(404)
    return row


def _finding(request: Request, row: FindingRow) -> Finding:
    return row.finding if visitor(request).sees_patients else without_patient(row.finding)


def _severity(word: str | None) -> Severity | None:
    return None if word is None else Severity[word.upper()]


def _time(at: datetime) -> str:
    return at.isoformat()


OPERATIONS: Final = (
    Operation(
        id="listFindings",
        path="/findings",
        summary="Findings of current revisions, the latest first",
        tag="findings",
        permission=Permission.SEE,
        answer=_list,
        answered=(Answered(status=200, description="A page of them.", schema="FindingPage"),),
        parameters=(*_FILTERS, CURSOR, COUNT),
        description=(
            "Suggestions are left out here. Readers who may not see who patients are get "
            "`(hidden)` in place of what tells it."
        ),
    ),
    Operation(
        id="getFinding",
        path="/findings/{finding_id}",
        summary="One finding, with its suggestions",
        tag="findings",
        permission=Permission.SEE,
        answer=_show,
        answered=(Answered(status=200, description="The finding.", schema="FindingRow"),),
        parameters=(FINDING_ID,),
    ),
    Operation(
        id="getSuggestion",
        path="/findings/{finding_id}/suggestions/{rank}",
        summary="One suggestion as data sets of the DICOM JSON model (PS3.18 Annex F)",
        tag="findings",
        permission=Permission.SEE,
        answer=_suggest,
        answered=(
            Answered(
                status=200,
                description="Proposed values; an element without Value is to be emptied.",
                schema="DataSets",
                media_type=DICOM_JSON,
            ),
        ),
        parameters=(FINDING_ID, RANK),
    ),
)
