"""Decisions: one in force per finding, the others kept as history.

Where two persons must answer, the first one's stays in force beside the second one's, which counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update

from qa_daemon.records.decision import STANDING_AFTER, Decision, Standing, Verb
from qa_daemon.records.finding import Severity, Topic
from qa_daemon.records.states import TRANSITIONS, SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import documents
from qa_daemon.store.database import Store, Transaction, parts
from qa_daemon.store.tables import decisions, findings, instances, series, suggestions

#: What becomes of the suggestion that a decision speaks of.
_STATES = {
    Verb.ACCEPT: SuggestionState.ACCEPTED,
    Verb.REJECT: SuggestionState.REJECTED,
    Verb.DEFER: SuggestionState.DEFERRED,
    Verb.ASK: SuggestionState.OPEN,
    Verb.REVERSE: SuggestionState.OPEN,
}


@frozen(kw_only=True)
class DecisionRow:
    """A decision, with where it belongs.

    Attributes
    ----------
    finding_id
        None once newer rules no longer find it.
    is_first
        Whether it is the answer of the first of two persons.
    undone_at, undone_by
        None and "" while it is in force.
    """

    id: int
    finding_id: int | None
    series_key: str
    issue_key: str
    rule: str
    decision: Decision
    act_id: int | None
    is_first: bool
    undone_at: datetime | None
    undone_by: str


@frozen(kw_only=True)
class InHand:
    """A finding about which something is to be decided, as it stands in this transaction.

    Attributes
    ----------
    series_key
        "" of a whole study or visit, which has no revisions.
    revision, revision_now
        That it was found in, and that of its series.
    successor
        The finding of the same rule in the newest revision, if there is one.
    new_instances
        Objects that have come since the revision that it was found in.
    first, said
        The answer of the first of two persons; what else is in force.
    """

    id: int
    study_key: str
    series_key: str
    issue_key: str
    rule: str
    topic: Topic
    severity: Severity
    message: str
    revision: int
    revision_now: int
    series_state: SeriesState | None
    standing: Standing
    successor: int | None = None
    new_instances: int = 0
    first: DecisionRow | None = None
    said: DecisionRow | None = None


# --- reading -------------------------------------------------------------------------------------


def decision_of(store: Store, finding_id: int) -> DecisionRow | None:
    """Return the decision in force of a finding; None if it is open."""
    with store.reading() as connection:
        found = list(_in_force(connection, [finding_id]))
    # The answer that counts before that of the first of two persons.
    return min(found, key=lambda row: row.is_first) if found else None


def history(
    store: Store, count_max: int, *, issue_key: str | None = None, finding_id: int | None = None
) -> tuple[DecisionRow, ...]:
    """Return decisions, the latest first, those taken back too."""
    statement = select(decisions).order_by(decisions.c.id.desc()).limit(count_max)
    if issue_key is not None:
        statement = statement.where(decisions.c.issue_key == issue_key)
    if finding_id is not None:
        statement = statement.where(decisions.c.finding_id == finding_id)
    with store.reading() as connection:
        return tuple(_row(row) for row in connection.execute(statement).mappings())


def is_open() -> ColumnElement[bool]:
    """Return the condition that no final decision about a row of `findings` is in force."""
    return findings.c.standing != Standing.DECIDED.value


def is_awake(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a row of `findings` was not deferred to a later time."""
    return or_(findings.c.wake_at.is_(None), findings.c.wake_at <= now)


def in_hand(connection: Transaction, finding_ids: Sequence[int]) -> dict[int, InHand]:
    """Return those findings that exist, by id, held until the end of the transaction."""
    found: dict[int, InHand] = {}
    for part in parts(finding_ids):
        statement = (
            select(
                findings, series.c.revision.label("revision_now"), series.c.state.label("in_state")
            )
            .select_from(findings.outerjoin(series, series.c.series_key == findings.c.series_key))
            .where(findings.c.id.in_(part))
        )
        for row in connection.execute(statement).mappings():
            found[row["id"]] = _in_hand(row)
        for said in _in_force(connection, part):
            assert said.finding_id is not None
            each = found[said.finding_id]
            found[said.finding_id] = (
                evolve(each, first=said) if said.is_first else evolve(each, said=said)
            )
    return {key: _with_successor(connection, each) for key, each in found.items()}


def _in_hand(row: Mapping[Any, Any]) -> InHand:
    now = row["revision_now"]
    return InHand(
        id=row["id"],
        study_key=row["study_key"],
        series_key=row["series_key"] or "",
        issue_key=row["issue_key"],
        rule=row["rule"],
        topic=Topic(row["topic"]),
        severity=Severity(row["severity"]),
        message=row["message"],
        revision=row["revision"],
        revision_now=row["revision"] if now is None else now,
        series_state=None if row["in_state"] is None else SeriesState(row["in_state"]),
        standing=Standing(row["standing"]),
    )


def _with_successor(connection: Transaction, each: InHand) -> InHand:
    if each.revision == each.revision_now:
        return each
    same = (
        select(findings.c.id)
        .where(
            findings.c.series_key == each.series_key,
            findings.c.revision == each.revision_now,
            findings.c.rule == each.rule,
        )
        .order_by(findings.c.id)
        .limit(1)
    )
    came = (
        select(func.count())
        .select_from(instances)
        .where(instances.c.series_key == each.series_key, instances.c.revision > each.revision)
    )
    new_instances = connection.scalar(came) or 0
    return evolve(each, successor=connection.scalar(same), new_instances=new_instances)


def undecided_beside(
    connection: Transaction, finding_id: int, *, of_study: bool
) -> tuple[int, ...]:
    """Return the findings to be decided in the series of a finding, or in its whole study."""
    own = select(findings.c.study_key, findings.c.series_key).where(findings.c.id == finding_id)
    row = connection.execute(own).one_or_none()
    if row is None:
        return ()
    beside = (
        findings.c.study_key == row.study_key
        if of_study or row.series_key is None
        else findings.c.series_key == row.series_key
    )
    statement = (
        select(findings.c.id)
        .select_from(findings.outerjoin(series, series.c.series_key == findings.c.series_key))
        .where(
            beside,
            or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision),
            findings.c.severity > Severity.INFO.value,
            is_open(),
        )
        .order_by(findings.c.id)
    )
    return tuple(connection.scalars(statement))


def _in_force(connection: Transaction, finding_ids: Sequence[int]) -> Iterator[DecisionRow]:
    here = (decisions.c.finding_id.in_(finding_ids), decisions.c.undone_at.is_(None))
    statement = select(decisions).where(*here).order_by(decisions.c.id)
    for row in connection.execute(statement).mappings():
        yield _row(row)


@frozen(kw_only=True)
class Saying:
    """What is said of a finding.

    Attributes
    ----------
    rank
        Of the suggestion that is spoken of, 0 the likeliest; None = of all, -1 = of none of them.
    is_first
        Whether a second person must answer, too.
    """

    decision: Decision
    rank: int | None = None
    is_first: bool = False


# --- writing -------------------------------------------------------------------------------------


def say(connection: Transaction, act_id: int, finding: InHand, saying: Saying) -> int:
    """Keep what is said of a finding, in place of what was in force; return the decision's id."""
    decision = saying.decision
    if finding.said is not None:
        ended = {
            "undone_at": decision.at,
            "undone_by": decision.who,
            "ended_by_act_id": act_id,
        }
        here = decisions.c.id == finding.said.id
        connection.execute(update(decisions).where(here).values(ended))
    values = {
        "finding_id": finding.id,
        "study_key": finding.study_key,
        "series_key": finding.series_key or None,
        "issue_key": finding.issue_key,
        "rule": finding.rule,
        "verb": decision.verb.value,
        "at": decision.at,
        "who": decision.who,
        "document": documents.written(decision),
        "undone_by": "",
        "act_id": act_id,
        "is_first": int(saying.is_first),
    }
    key = connection.execute(insert(decisions).values(values)).inserted_primary_key
    assert key is not None
    _mark(connection, finding.id, saying)
    return int(key.id)


def said_by(connection: Transaction, act_id: int) -> tuple[DecisionRow, ...]:
    """Return the decisions of an act, those taken back too."""
    statement = select(decisions).where(decisions.c.act_id == act_id).order_by(decisions.c.id)
    return tuple(_row(row) for row in connection.execute(statement).mappings())


def unsay(connection: Transaction, act_id: int, at: datetime, who: str) -> None:
    """Take back what an act said, and bring back what it had ended; suggestions follow."""
    own = (decisions.c.act_id == act_id, decisions.c.undone_at.is_(None))
    taken = {"undone_at": at, "undone_by": who}
    connection.execute(update(decisions).where(*own).values(taken))
    back = {"undone_at": None, "undone_by": "", "ended_by_act_id": None}
    ended = decisions.c.ended_by_act_id == act_id
    connection.execute(update(decisions).where(ended).values(back))
    ids = [row.finding_id for row in said_by(connection, act_id) if row.finding_id is not None]
    for part in parts(ids):
        again = {"state": SuggestionState.OPEN.value, "changed_at": at}
        connection.execute(
            update(suggestions).where(suggestions.c.finding_id.in_(part)).values(again)
        )
        in_force: dict[int, DecisionRow] = {}
        for row in _in_force(connection, part):
            assert row.finding_id is not None
            earlier = in_force.get(row.finding_id)
            if earlier is None or earlier.is_first:
                in_force[row.finding_id] = row
        for finding_id in part:
            _restore(connection, finding_id, in_force.get(finding_id))


def _restore(connection: Transaction, finding_id: int, said: DecisionRow | None) -> None:
    if said is None:
        _stand(connection, finding_id, Standing.OPEN)
        return
    rank = None
    if said.decision.verb is Verb.ACCEPT:
        rank = _rank_of(connection, finding_id, said.decision)
    saying = Saying(decision=said.decision, rank=rank, is_first=said.is_first)
    _mark(connection, finding_id, saying)


def _rank_of(connection: Transaction, finding_id: int, decision: Decision) -> int | None:
    offered = select(suggestions.c.rank, suggestions.c.document).where(
        suggestions.c.finding_id == finding_id
    )
    wanted = None if decision.suggestion is None else documents.written(decision.suggestion)
    for row in connection.execute(offered):
        if row.document == wanted:
            return int(row.rank)
    return -1


def _mark(connection: Transaction, finding_id: int, saying: Saying) -> None:
    """Let suggestions and finding say what was decided; an answer that waits marks neither."""
    decision, rank = saying.decision, saying.rank
    if saying.is_first:
        _stand(connection, finding_id, Standing.AWAITING)
        return
    own = suggestions.c.finding_id == finding_id
    spoken_of = own if rank is None else and_(own, suggestions.c.rank == rank)
    if decision.verb is Verb.ACCEPT:
        passed_over = {"state": SuggestionState.REJECTED.value, "changed_at": decision.at}
        connection.execute(update(suggestions).where(own).values(passed_over))
    state = {"state": _STATES[decision.verb].value, "changed_at": decision.at}
    connection.execute(update(suggestions).where(spoken_of).values(state))
    standing = STANDING_AFTER[decision.verb]
    _stand(connection, finding_id, standing, wake_at=decision.until, asked=decision.asked)


def _stand(
    connection: Transaction,
    finding_id: int,
    standing: Standing,
    *,
    wake_at: datetime | None = None,
    asked: str = "",
) -> None:
    values = {"standing": standing.value, "wake_at": wake_at, "asked": asked}
    connection.execute(update(findings).where(findings.c.id == finding_id).values(values))


# --- series --------------------------------------------------------------------------------------


def close(connection: Transaction, series_keys: Iterable[str], now: datetime) -> None:
    """Take those series to `decided` of whose newest revision no finding is open."""
    for key in series_keys:
        left = (
            select(func.count())
            .select_from(findings.join(series, series.c.series_key == findings.c.series_key))
            .where(
                findings.c.series_key == key,
                findings.c.revision == series.c.revision,
                findings.c.severity > Severity.INFO.value,
                is_open(),
            )
        )
        if connection.scalar(left) == 0:
            advance(connection, key, SeriesEvent.DECIDE, now)


def advance(connection: Transaction, series_key: str, event: SeriesEvent, now: datetime) -> None:
    """Take a series along if it stands where `event` can happen."""
    own = series.c.series_key == series_key
    state = connection.scalar(select(series.c.state).where(own))
    if state is not None and (SeriesState(state), event) in TRANSITIONS:
        values = {"state": TRANSITIONS[SeriesState(state), event].value, "state_since": now}
        connection.execute(update(series).where(own).values(values))


def _row(row: Mapping[Any, Any]) -> DecisionRow:
    return DecisionRow(
        id=row["id"],
        finding_id=row["finding_id"],
        series_key=row["series_key"] or "",
        issue_key=row["issue_key"],
        rule=row["rule"],
        decision=documents.read(row["document"], Decision),
        act_id=row["act_id"],
        is_first=bool(row["is_first"]),
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )
