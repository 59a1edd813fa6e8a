"""What was found out about a series: predictions, findings, suggestions.

Every result belongs to a series at a revision and replaces what an earlier attempt left there.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen, validators
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, or_, select, update

from qa_daemon.records.finding import Finding, Outcomes, Severity, Suggestion, Topic, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.issue import Fingerprint, Note, Observation, Practice
from qa_daemon.records.states import SeriesEvent, SuggestionState
from qa_daemon.store import documents, tables
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Lease, advance
from qa_daemon.store.listing import listed_rows
from qa_daemon.store.listing.listed_rows import Subject
from qa_daemon.store.review import decision_rows, habit_rows, issue_rows, note_rows
from qa_daemon.store.tables import findings, issues, results, series, study_results, suggestions
from qa_daemon.store.trends import score_rows
from qa_daemon.store.visits import news_rows


def _no_issue(_finding: Finding) -> None:
    """Let every finding stand for itself."""


@frozen(kw_only=True)
class Judgement:
    """The outcome of the step that judges.

    Attributes
    ----------
    event
        PASS or FLAG.
    rule_pack, models
        Digest of the rules; id@version to digest of the models that took part.
    study
        The verdict about the whole study as it lies there now; None leaves an older one.
    visit
        The same of the whole visit.
    fingerprint_of
        Gives findings, of the series and of the study, the issue that they belong to.
    practice, observed, notes
        Where and how a series was made, what it writes by habit, and how later ones find it.
    subject
        What lists say beside each finding.
    """

    event: SeriesEvent = field(validator=validators.in_((SeriesEvent.PASS, SeriesEvent.FLAG)))
    verdict: Verdict
    rule_pack: str = ""
    models: Mapping[str, str] = field(factory=dict)
    study: Verdict | None = None
    visit: Verdict | None = None
    fingerprint_of: Callable[[Finding], Fingerprint | None] = _no_issue
    practice: Practice = field(factory=Practice)
    observed: tuple[Observation, ...] = ()
    notes: tuple[Note, ...] = ()
    subject: Subject = field(factory=Subject)


@frozen(kw_only=True)
class Result:
    """What is known about a series at a revision."""

    inference: Inference | None
    outcomes: Outcomes | None
    models: Mapping[str, str]
    rule_pack: str
    predicted_at: datetime | None
    judged_at: datetime | None


@frozen(kw_only=True)
class FindingFilter:
    """Which findings to list; what is None or empty does not matter."""

    topics: tuple[Topic, ...] = ()
    severity_min: Severity | None = None
    rule: str | None = None
    series_key: str | None = None
    study_instance_uid: str | None = None
    suggestion_states: tuple[SuggestionState, ...] = ()
    since: datetime | None = None
    issue_key: str | None = None
    audible_at: datetime | None = None  # leaves out those of issues that are muted then
    is_open: bool = False  # leaves out the decided, and with `audible_at` those deferred till later


@frozen(kw_only=True)
class FindingRow:
    """A finding of the current revision, as a list shows it.

    Attributes
    ----------
    series_key
        "" for findings of a whole study or visit.
    state, finding
        State of the likeliest suggestion, if any; suggestions are filled in by `finding_row`.
    """

    id: int
    series_key: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    calling_ae: str
    revision: int
    created_at: datetime
    state: SuggestionState | None
    finding: Finding


def save_inference(store: Store, lease: Lease, inference: Inference, now: datetime) -> bool:
    """Keep the predictions and take the series to `predicted`; False if the lease was lost."""
    with store.writing() as connection:
        if not advance(connection, lease, SeriesEvent.PREDICT, now):
            return False
        values = {"inference": documents.written(inference), "predicted_at": now}
        _keep_result(connection, lease, values)
        score_rows.replace(connection, lease.series_key, inference.predictions, now)
    return True


def save_judgement(store: Store, lease: Lease, judgement: Judgement, now: datetime) -> bool:
    """Keep the verdict and take the series to `clean` or `waiting`; False if it was lost."""
    # Two series of a study may be judged at once, and both replace what is said of the study.
    with store.taking_turns() as connection:
        if not advance(connection, lease, judgement.event, now):
            return False
        values = {
            "outcomes": documents.written(judgement.verdict.outcomes),
            "models": documents.written(judgement.models),
            "rule_pack": judgement.rule_pack,
            "judged_at": now,
        }
        _keep_result(connection, lease, values)
        subject = {
            "study_key": tables.study_key(lease.study_instance_uid),
            "series_key": lease.series_key,
            "revision": lease.revision,
        }
        _replace_findings(connection, subject, judgement.verdict, judgement, now)
        practice, observed = judgement.practice, judgement.observed
        habit_rows.replace(connection, lease.series_key, practice, observed, now)
        note_rows.add(connection, lease.series_key, judgement.notes)
        if judgement.study is not None:
            _keep_larger(connection, subject["study_key"], judgement.study, judgement, now)
        if judgement.visit is not None:
            own = series.c.series_key == lease.series_key
            visit_key = connection.scalar(select(series.c.visit_key).where(own))
            if visit_key:
                before = _moves_of(connection, visit_key)
                _keep_larger(connection, visit_key, judgement.visit, judgement, now)
                others = before ^ _moves_of(connection, visit_key)
                uids = {uid for uid, _ in others} - {lease.series_instance_uid}
                news_rows.moved_otherwise(connection, visit_key, uids, now)
    return True


def _moves_of(connection: Connection, visit_key: str) -> set[tuple[str, str]]:
    """Return each series that findings of a visit move, with the order that it belongs to."""
    lying = select(findings.c.document).where(findings.c.study_key == visit_key)
    told = (documents.read(text, Finding).assignment for text in connection.scalars(lying))
    return {
        (move.series_instance_uid, each.orders[move.target].accession_number)
        for each in told
        if each is not None
        for move in each.moves
    }


def _keep_result(connection: Connection, lease: Lease, values: Mapping[str, Any]) -> None:
    own = {"series_key": lease.series_key, "revision": lease.revision}
    here = and_(*(results.c[name] == value for name, value in own.items()))
    if connection.execute(update(results).where(here).values(**values)).rowcount == 0:
        empty = {"inference": "", "outcomes": "", "models": "{}", "rule_pack": ""}
        connection.execute(insert(results).values(empty | own | dict(values)))


def _keep_larger(
    connection: Connection, key: Any, verdict: Verdict, judgement: Judgement, now: datetime
) -> None:
    """Keep what is said of a whole study, or of a whole visit under the visit's key."""
    connection.execute(delete(study_results).where(study_results.c.study_key == key))
    values = {
        "study_key": key,
        "outcomes": documents.written(verdict.outcomes),
        "rule_pack": judgement.rule_pack,
        "judged_at": now,
    }
    connection.execute(insert(study_results).values(values))
    subject = {"study_key": key, "series_key": None, "revision": 0}
    _replace_findings(connection, subject, verdict, judgement, now)


def _replace_findings(
    connection: Connection,
    subject: Mapping[str, Any],
    verdict: Verdict,
    judgement: Judgement,
    now: datetime,
) -> None:
    """Keep the rows of findings that came out the same: people may have decided about them."""
    here = and_(*(findings.c[name] == value for name, value in subject.items()))
    lying = {
        row.fingerprint: row.id
        for row in connection.execute(select(findings.c.id, findings.c.fingerprint).where(here))
    }
    wanted = {_whole(finding): finding for finding in verdict.findings}
    gone = [lying[whole] for whole in lying.keys() - wanted.keys()]
    touched = listed_rows.keys_of(connection, lying.values())
    if gone:
        connection.execute(delete(findings).where(findings.c.id.in_(gone)))
    for whole, finding in wanted.items():
        recurring = judgement.fingerprint_of(finding)
        key = "" if recurring is None else issue_rows.note(connection, finding, recurring, now)
        if whole in lying:
            finding_id = lying[whole]
            again = update(findings).where(findings.c.id == finding_id)
            connection.execute(again.values(issue_key=key))
        else:
            row = _finding_values(finding) | {
                "fingerprint": whole,
                "issue_key": key,
                "created_at": now,
            }
            finding_id = _add_finding(connection, row | dict(subject), finding, now)
            issue_rows.note_sighting(connection, key, now)
        listed_rows.note(connection, finding_id, finding, key, judgement.subject)
        touched.add(key)
    listed_rows.recount(connection, touched)


def _whole(finding: Finding) -> str:
    """Return what is equal for findings that are the same in every word."""
    return hashlib.sha256(documents.written(finding).encode("ascii")).hexdigest()


def _finding_values(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "topic": finding.topic.value,
        "severity": finding.severity.value,
        "level": finding.level.value,
        "message": finding.message,
        "confidence": finding.confidence,
        "document": documents.written(evolve(finding, suggestion=None, alternatives=())),
    }


def _add_finding(
    connection: Connection, row: Mapping[str, Any], finding: Finding, now: datetime
) -> int:
    key = connection.execute(insert(findings).values(row)).inserted_primary_key
    assert key is not None
    offered = () if finding.suggestion is None else (finding.suggestion, *finding.alternatives)
    rows = [
        {
            "finding_id": key.id,
            "rank": rank,
            "hypothesis": suggestion.hypothesis and suggestion.hypothesis.value,
            "confidence": suggestion.confidence,
            "state": SuggestionState.OPEN.value,
            "document": documents.written(suggestion),
            "changed_at": now,
        }
        for rank, suggestion in enumerate(offered)
    ]
    if rows:
        connection.execute(insert(suggestions), rows)
    return int(key.id)


def result_of(store: Store, series_key: str, revision: int) -> Result | None:
    """Return what is known about a series at a revision; None if nothing is yet."""
    here = (results.c.series_key == series_key, results.c.revision == revision)
    with store.reading() as connection:
        row = connection.execute(select(results).where(*here)).one_or_none()
    if row is None:
        return None
    return Result(
        inference=documents.read(row.inference, Inference) if row.inference else None,
        outcomes=documents.read(row.outcomes, Outcomes) if row.outcomes else None,
        models=documents.read(row.models, dict[str, str]),
        rule_pack=row.rule_pack,
        predicted_at=row.predicted_at,
        judged_at=row.judged_at,
    )


def finding_list(store: Store, wanted: FindingFilter, count_max: int) -> tuple[FindingRow, ...]:
    """Return findings of current revisions, the worst first, then the latest."""
    order = (findings.c.severity.desc(), findings.c.created_at.desc(), findings.c.id)
    statement = findings_wanted(wanted).order_by(*order).limit(count_max)
    with store.reading() as connection:
        return tuple(row_of_finding(row) for row in connection.execute(statement).mappings())


def finding_row(store: Store, finding_id: int) -> FindingRow | None:
    """Return one finding, of any revision, with its suggestions; None if there is none."""
    one = _joined().where(findings.c.id == finding_id)
    offered = (
        select(suggestions.c.document)
        .where(suggestions.c.finding_id == finding_id)
        .order_by(suggestions.c.rank)
    )
    with store.reading() as connection:
        row = connection.execute(one).mappings().one_or_none()
        if row is None:
            return None
        said = [documents.read(text, Suggestion) for text in connection.scalars(offered)]
    found = row_of_finding(row)
    return evolve(found, finding=_with_suggestions(found.finding, said))


@frozen(kw_only=True)
class DueReport:
    """A judged series whose report files do not show its judgement yet."""

    series_key: str
    revision: int
    inference: Inference
    verdict: Verdict
    rule_pack: str
    judged_at: datetime


def reports_due(store: Store, count_max: int) -> tuple[DueReport, ...]:
    """Return judgements of current revisions that no report file shows, the oldest first."""
    current = and_(
        series.c.series_key == results.c.series_key, series.c.revision == results.c.revision
    )
    due = (
        select(results)
        .join(series, current)
        .where(
            results.c.judged_at.is_not(None),
            or_(results.c.reported_at.is_(None), results.c.reported_at < results.c.judged_at),
        )
        .order_by(results.c.judged_at, results.c.series_key)
        .limit(count_max)
    )
    with store.reading() as connection:
        rows = connection.execute(due).mappings().all()
        return tuple(_due_report(connection, row) for row in rows)


def verdict_of(store: Store, series_key: str, revision: int) -> Verdict | None:
    """Return findings, suggestions and outcomes of a judged series; None if it is not judged."""
    here = (results.c.series_key == series_key, results.c.revision == revision)
    with store.reading() as connection:
        row = connection.execute(select(results).where(*here)).mappings().one_or_none()
        return None if row is None or not row["outcomes"] else _verdict(connection, row)


def report_written(store: Store, due: DueReport) -> None:
    """Note that the report files show this judgement."""
    with store.writing() as connection:
        connection.execute(
            update(results)
            .where(results.c.series_key == due.series_key, results.c.revision == due.revision)
            .values(reported_at=due.judged_at)
        )


def _due_report(connection: Connection, row: Any) -> DueReport:
    return DueReport(
        series_key=row["series_key"],
        revision=row["revision"],
        # A rule pack may judge what no model was asked about.
        inference=documents.read(row["inference"] or "{}", Inference),
        verdict=_verdict(connection, row),
        rule_pack=row["rule_pack"],
        judged_at=row["judged_at"],
    )


def _verdict(connection: Connection, row: Any) -> Verdict:
    own = (
        select(findings.c.id, findings.c.document, suggestions.c.document.label("suggested"))
        .select_from(findings.outerjoin(suggestions))
        .where(findings.c.series_key == row["series_key"], findings.c.revision == row["revision"])
        .order_by(findings.c.severity.desc(), findings.c.rule, findings.c.id, suggestions.c.rank)
    )
    found: dict[int, Finding] = {}
    offered: dict[int, list[Suggestion]] = {}
    for each in connection.execute(own):
        found.setdefault(each.id, documents.read(each.document, Finding))
        if each.suggested is not None:
            offered.setdefault(each.id, []).append(documents.read(each.suggested, Suggestion))
    return Verdict(
        tuple(_with_suggestions(finding, offered.get(key, [])) for key, finding in found.items()),
        documents.read(row["outcomes"], Outcomes),
    )


def _with_suggestions(finding: Finding, offered: Sequence[Suggestion]) -> Finding:
    if not offered:
        return finding
    return evolve(finding, suggestion=offered[0], alternatives=tuple(offered[1:]))


def study_outcomes(store: Store, study_instance_uid: str) -> Outcomes | None:
    """Return which rules passed for a study; None if it has not been judged."""
    key = tables.study_key(study_instance_uid)
    statement = select(study_results.c.outcomes).where(study_results.c.study_key == key)
    with store.reading() as connection:
        text = connection.scalar(statement)
    return None if text is None else documents.read(text, Outcomes)


def _joined() -> Select[Any]:
    # A study has no row of its own: any of its series knows its UID.
    of_study = series.alias("of_study").c
    study_uid = (
        select(of_study.study_instance_uid)
        .where(of_study.study_key == findings.c.study_key)
        .limit(1)
        .scalar_subquery()
    )
    likeliest = and_(suggestions.c.finding_id == findings.c.id, suggestions.c.rank == 0)
    return select(
        findings.c.id,
        findings.c.series_key,
        findings.c.revision,
        findings.c.created_at,
        findings.c.document,
        study_uid.label("study_instance_uid"),
        series.c.series_instance_uid,
        series.c.modality,
        series.c.calling_ae,
        suggestions.c.state,
    ).select_from(
        findings.outerjoin(series, series.c.series_key == findings.c.series_key).outerjoin(
            suggestions, likeliest
        )
    )


def _current() -> Select[Any]:
    return _joined().where(
        or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision)
    )


def findings_wanted(wanted: FindingFilter) -> Select[Any]:
    """Return the statement that finds them, in no order."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.topics:
        conditions.append(findings.c.topic.in_(wanted.topics))
    if wanted.suggestion_states:
        conditions.append(suggestions.c.state.in_(wanted.suggestion_states))
    if wanted.severity_min is not None:
        conditions.append(findings.c.severity >= wanted.severity_min.value)
    if wanted.since is not None:
        conditions.append(findings.c.created_at >= wanted.since)
    if wanted.study_instance_uid is not None:
        conditions.append(findings.c.study_key == tables.study_key(wanted.study_instance_uid))
    conditions += _in_the_queue(wanted)
    for name in ("rule", "series_key", "issue_key"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(findings.c[name] == value)
    return _current().where(*conditions)


def _in_the_queue(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.audible_at is not None:
        muted = select(issues.c.issue_key).where(issues.c.muted_until > wanted.audible_at)
        conditions.append(findings.c.issue_key.not_in(muted))
    if wanted.is_open:
        conditions.append(decision_rows.is_open())
        if wanted.audible_at is not None:
            conditions.append(decision_rows.is_awake(wanted.audible_at))
    return conditions


def row_of_finding(row: Any) -> FindingRow:
    """Return a row of `findings_wanted` as a value."""
    return FindingRow(
        id=row["id"],
        series_key=row["series_key"] or "",
        study_instance_uid=row["study_instance_uid"] or "",
        series_instance_uid=row["series_instance_uid"] or "",
        modality=row["modality"] or "",
        calling_ae=row["calling_ae"] or "",
        revision=row["revision"],
        created_at=row["created_at"],
        state=SuggestionState(row["state"]) if row["state"] else None,
        finding=documents.read(row["document"], Finding),
    )
