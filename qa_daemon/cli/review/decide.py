"""`qa-daemon queue accept | reject | defer | ask | undo | reverse | history`."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.cli.queue import finding_named
from qa_daemon.errors import ConfigurationError
from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import (
    Accept,
    AcceptClass,
    AcceptEdited,
    Answer,
    Ask,
    Defer,
    Edit,
    Outcome,
    Reject,
    Seen,
    Wish,
)
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.queue.deciding.select import of_series, of_study
from qa_daemon.queue.deciding.undo import reverse as reverse_sent
from qa_daemon.queue.deciding.undo import undo_finding, undo_last
from qa_daemon.records.decision import RejectReason, Standing, Verb
from qa_daemon.report.as_json import suggestion_as_json
from qa_daemon.store.review import decision_rows
from qa_daemon.store.review.decision_rows import DecisionRow

_DONE: Final = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "rejected",
    Verb.DEFER: "deferred",
    Verb.ASK: "asked",
    Verb.REVERSE: "reversed",
}


def accept(options: argparse.Namespace) -> int:
    """Accept the likeliest suggestion of a finding, another one, or one with other values."""
    if options.lies is not None:
        return _say(options, AcceptClass(options.lies, words=options.words))
    rank = options.alternative or 0
    if options.set:
        edits = tuple(map(_edit, options.set))
        return _say(options, AcceptEdited(edits, rank, options.words))
    return _say(options, Accept(rank, options.words))


def _edit(text: str) -> Edit:
    path, sign, value = text.partition("=")
    if not (path and sign):
        raise ConfigurationError(f"--set {text!r}: write PATH=VALUE, BodyPartExamined=CHEST")
    return Edit(path.strip(), tuple(value.split("\\")))


def reject(options: argparse.Namespace) -> int:
    """Say that a finding is none, and why."""
    reason = RejectReason(options.reason)
    if reason is RejectReason.OTHER and not options.words.strip():
        raise ConfigurationError("--reason other: say it in --words")
    return _say(options, Reject(reason, options.words))


def defer(options: argparse.Namespace) -> int:
    """Leave a finding for later; it stays open."""
    until = datetime.now(UTC) + timedelta(days=options.days) if options.days else None
    return _say(options, Defer(until, options.words))


def ask(options: argparse.Namespace) -> int:
    """Ask somebody else to look; it stays open."""
    return _say(options, Ask(options.of, options.words))


def _say(options: argparse.Namespace, answer: Answer) -> int:
    settings = settings_of(options)
    with opened(settings) as store:
        desk = Desk(store, settings)
        seen = _seen(desk, options)
        outcome = decide(desk, seen, answer, _wish())
    print(_told(outcome))
    return 0


def _seen(desk: Desk, options: argparse.Namespace) -> tuple[Seen, ...]:
    """Return the findings meant, at the revision that they are of now."""
    rows = [finding_named(desk.store, number) for number in options.id]
    if options.scope == "finding":
        return tuple(Seen(row.id, row.revision) for row in rows)
    whole = of_series if options.scope == "series" else of_study
    return tuple(each for row in rows for each in whole(desk, row.id).seen)


def _wish() -> Wish:
    """Return who asks: an account of this machine, which may be the second pair of eyes."""
    who = operator()
    return Wish(who=who.who, number=uuid4().hex, at=who.at, may_approve=True)


def _told(outcome: Outcome) -> str:
    numbers = ", ".join(map(str, outcome.finding_ids))
    noun = "finding" if len(outcome.finding_ids) == 1 else "findings"
    said = f"{noun} {numbers}: {_DONE[outcome.verb]}"
    if outcome.standing is Standing.AWAITING:
        said += "; another person, an approver, must answer, too"
    if outcome.undo_until is not None:
        said += f"; it leaves at {outcome.undo_until.astimezone():%H:%M:%S}"
    return f"{said}; to take it back: qa-daemon queue undo {outcome.finding_ids[0]}"


def undo(options: argparse.Namespace) -> int:
    """Take back the decision about a finding, or what this person did last."""
    settings = settings_of(options)
    with opened(settings) as store:
        desk, wish = Desk(store, settings), _wish()
        undone = (
            undo_last(desk, wish) if options.id is None else undo_finding(desk, options.id, wish)
        )
    numbers = ", ".join(map(str, undone.finding_ids))
    plural = len(undone.finding_ids) > 1
    noun, are = ("findings", "they are") if plural else ("finding", "it is")
    print(f"{noun} {numbers}: no longer {_DONE[undone.verb]}; {are} as before")
    return 0


def reverse(options: argparse.Namespace) -> int:
    """Let what was accepted, and has left, be changed back."""
    settings = settings_of(options)
    with opened(settings) as store:
        desk = Desk(store, settings)
        row = finding_named(store, options.id)
        outcome = reverse_sent(desk, Seen(row.id, row.revision), _wish())
    print(_told(outcome))
    return 0


def history(options: argparse.Namespace) -> int:
    """List decisions, the latest first, those taken back too."""
    with opened(settings_of(options)) as store:
        rows = decision_rows.history(store, options.limit)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows]))
        return 0
    console = tables.screen()
    if not rows:
        console.print("Nothing has been decided yet.")
        return 0
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True, justify="right")
    grid.add_column(ratio=1)
    for row in rows:
        number = "-" if row.finding_id is None else str(row.finding_id)
        grid.add_row(number, _summary(row))
    console.print(grid)
    return 0


def _summary(row: DecisionRow) -> Text:
    text = Text(f"{row.rule} {printable(row.decision.in_words)}")
    if row.undone_at is not None:
        by = printable(row.undone_by)
        text.append(f"\ntaken back by {by}, {row.undone_at:%Y-%m-%d %H:%M}", "dim")
    return text


def _as_json(row: DecisionRow) -> dict[str, object]:
    decision = row.decision
    return {
        "finding": row.finding_id,
        "series_key": row.series_key,
        "issue": row.issue_key,
        "rule": row.rule,
        "verb": decision.verb.value,
        "reason": decision.reason and decision.reason.value,
        "words": decision.words,
        "who": decision.who,
        "at": decision.at.isoformat(),
        "revision": decision.revision,
        "suggestion": decision.suggestion and suggestion_as_json(decision.suggestion),
        "undone_at": row.undone_at and row.undone_at.isoformat(),
        "undone_by": row.undone_by,
    }
