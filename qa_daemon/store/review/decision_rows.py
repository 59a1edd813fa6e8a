"""Decisions: one in force per finding, the others kept as history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from qa_daemon.errors import InputError
from qa_daemon.records.decision import FINAL, Decision, Verb
from qa_daemon.records.finding import Severity
from qa_daemon.records.states import TRANSITIONS, SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import documents
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import Operator, note_audit
from qa_daemon.store.tables import decisions, findings, series, suggestions

#: What becomes of the suggestion that a decision speaks of; the others are passed over.
_STATES = {
    Verb.ACCEPT: SuggestionState.ACCEPTED,
    Verb.REJECT: SuggestionState.REJECTED,
    Verb.DEFER: SuggestionState.DEFERRED,
}


class Undecidable(InputError):  # noqa: N818  it says what the finding is
    """A decision that cannot be kept; nothing was written."""


@frozen(kw_only=True)
class DecisionRow:
    """A decision, with where it belongs.

    Attributes
    ----------
    finding_id
        None once newer rules no longer find it.
    undone_at, undone_by
        None and "" while it is in force.
    """

    id: int
    finding_id: int | None
    series_key: str
    issue_key: str
    rule: str
    decision: Decision
    undone_at: datetime | None
    undone_by: str


def decide(store: Store, finding_id: int, decision: Decision, rank: int | None = 0) -> None:
    """Keep a decision; take the series to `decided` once none of its findings is open.

    Parameters
    ----------
    rank
        Of the suggestion that is spoken of, 0 the likeliest; None = of all.

    Raises
    ------
    Undecidable
        If there is no such finding, a newer revision has come, somebody was faster, or nobody
        need decide it.
    """
    with store.taking_turns() as connection:
        row = _decidable(connection, finding_id, decision)
        earlier = _in_force(connection, finding_id)
        if earlier is not None:
            if earlier.verb in FINAL:
                raise Undecidable(
                    f"finding {finding_id}: {earlier.who} decided it at {earlier.at:%Y-%m-%d %H:%M}"
                    f" ({earlier.verb}); look at it, and undo that first if it is wrong"
                )
            _take_back(connection, earlier.id, decision.at, decision.who)
        values = {
            "finding_id": finding_id,
            "study_key": row.study_key,
            "series_key": row.series_key,
            "issue_key": row.issue_key,
            "rule": row.rule,
            "verb": decision.verb.value,
            "at": decision.at,
            "who": decision.who,
            "document": documents.written(decision),
            "undone_by": "",
        }
        connection.execute(insert(decisions).values(values))
        _mark(connection, finding_id, decision, rank)
        who = Operator(decision.who, decision.at)
        note_audit(connection, who, decision.verb.value, f"finding {finding_id}")
        if decision.is_final and row.series_key is not None:
            _close(connection, row.series_key, decision.at)


def undo(store: Store, finding_id: int, operator: Operator) -> Decision:
    """Take back the decision in force and return it; the finding is open again.

    Raises
    ------
    Undecidable
        If none is in force, or what it says has left already.
    """
    with store.taking_turns() as connection:
        row = _in_force(connection, finding_id)
        if row is None:
            raise Undecidable(f"finding {finding_id}: no decision is in force")
        if row.series_key is not None:
            state = _state(connection, row.series_key)
            if state is SeriesState.DELIVERED:
                raise Undecidable(f"finding {finding_id}: what was decided has left already")
            _advance(connection, row.series_key, SeriesEvent.UNDO, operator.at)
        _take_back(connection, row.id, operator.at, operator.who)
        open_again = {"state": SuggestionState.OPEN.value, "changed_at": operator.at}
        own = suggestions.c.finding_id == finding_id
        connection.execute(update(suggestions).where(own).values(open_again))
        note_audit(connection, operator, "undo", f"finding {finding_id}")
        return documents.read(row.document, Decision)


def decision_of(store: Store, finding_id: int) -> DecisionRow | None:
    """Return the decision in force of a finding; None if it is open."""
    with store.reading() as connection:
        row = _in_force(connection, finding_id)
    return None if row is None else _row(row._mapping)  # noqa: SLF001  SQLAlchemy's public name


def history(
    store: Store, count_max: int, *, issue_key: str | None = None
) -> tuple[DecisionRow, ...]:
    """Return decisions, the latest first, those taken back too."""
    statement = select(decisions).order_by(decisions.c.id.desc()).limit(count_max)
    if issue_key is not None:
        statement = statement.where(decisions.c.issue_key == issue_key)
    with store.reading() as connection:
        return tuple(_row(row) for row in connection.execute(statement).mappings())


def is_open() -> ColumnElement[bool]:
    """Return the condition that no final decision about a row of `findings` is in force."""
    final = select(decisions.c.finding_id).where(
        decisions.c.finding_id.is_not(None),
        decisions.c.undone_at.is_(None),
        decisions.c.verb.in_(FINAL),
    )
    return findings.c.id.not_in(final)


def _decidable(connection: Connection, finding_id: int, decision: Decision) -> Any:
    statement = (
        select(findings, series.c.revision.label("now"), series.c.state.label("series_state"))
        .select_from(findings.outerjoin(series, series.c.series_key == findings.c.series_key))
        .where(findings.c.id == finding_id)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise Undecidable(f"finding {finding_id}: there is none; see: qa-daemon queue list")
    if row.severity <= Severity.INFO.value:
        raise Undecidable(f"finding {finding_id}: is an info, which nobody need decide")
    is_newest = row.series_key is None or row.now == row.revision
    if not is_newest or decision.revision != row.revision:
        raise Undecidable(
            f"finding {finding_id}: revision {row.now} of its series has come; "
            "look at what is found in it"
        )
    if row.series_key is not None and row.series_state != SeriesState.WAITING:
        raise Undecidable(
            f"finding {finding_id}: its series is {row.series_state}; try again in a moment"
        )
    return row


def _in_force(connection: Connection, finding_id: int) -> Any:
    own = (decisions.c.finding_id == finding_id, decisions.c.undone_at.is_(None))
    return connection.execute(select(decisions).where(*own)).one_or_none()


def _take_back(connection: Connection, decision_id: int, at: datetime, who: str) -> None:
    own = decisions.c.id == decision_id
    connection.execute(update(decisions).where(own).values(undone_at=at, undone_by=who))


def _mark(connection: Connection, finding_id: int, decision: Decision, rank: int | None) -> None:
    own = suggestions.c.finding_id == finding_id
    state = _STATES[decision.verb]
    spoken_of = own if rank is None else and_(own, suggestions.c.rank == rank)
    if decision.verb is Verb.ACCEPT:
        passed_over = {"state": SuggestionState.REJECTED.value, "changed_at": decision.at}
        connection.execute(update(suggestions).where(own).values(passed_over))
    said = {"state": state.value, "changed_at": decision.at}
    connection.execute(update(suggestions).where(spoken_of).values(said))


def _close(connection: Connection, series_key: str, now: datetime) -> None:
    left = (
        select(func.count())
        .select_from(findings.join(series, series.c.series_key == findings.c.series_key))
        .where(
            findings.c.series_key == series_key,
            findings.c.revision == series.c.revision,
            findings.c.severity > Severity.INFO.value,
            is_open(),
        )
    )
    if connection.scalar(left) == 0:
        _advance(connection, series_key, SeriesEvent.DECIDE, now)


def _advance(connection: Connection, series_key: str, event: SeriesEvent, now: datetime) -> None:
    """Take a series along if it stands where `event` can happen."""
    state = _state(connection, series_key)
    if state is not None and (state, event) in TRANSITIONS:
        values = {"state": TRANSITIONS[state, event].value, "state_since": now}
        connection.execute(update(series).where(series.c.series_key == series_key).values(values))


def _state(connection: Connection, series_key: str) -> SeriesState | None:
    own = series.c.series_key == series_key
    text = connection.scalar(select(series.c.state).where(own))
    return None if text is None else SeriesState(text)


def _row(row: Mapping[Any, Any]) -> DecisionRow:
    return DecisionRow(
        id=row["id"],
        finding_id=row["finding_id"],
        series_key=row["series_key"] or "",
        issue_key=row["issue_key"],
        rule=row["rule"],
        decision=documents.read(row["document"], Decision),
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )
