"""`qa-daemon queue accept | reject | defer | undo | history`: decisions about findings."""

import argparse
import json
from typing import Final

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.cli.queue import finding_named
from qa_daemon.errors import ConfigurationError
from qa_daemon.records.decision import Decision, RejectReason, Verb
from qa_daemon.report.as_json import suggestion_as_json
from qa_daemon.store.review import decision_rows
from qa_daemon.store.review.decision_rows import DecisionRow

_DONE: Final = {Verb.ACCEPT: "accepted", Verb.REJECT: "rejected", Verb.DEFER: "deferred"}


def accept(options: argparse.Namespace) -> int:
    """Accept the likeliest suggestion of a finding, or another one."""
    rank = options.alternative or 0
    with opened(settings_of(options)) as store:
        row = finding_named(store, options.id)
        offered = (row.finding.suggestion, *row.finding.alternatives)
        if rank >= len(offered):
            others = len(row.finding.alternatives)
            raise ConfigurationError(
                f"--alternative {rank}: finding {row.id} has {others} beside the likeliest"
            )
        who = operator()
        decision = Decision(
            verb=Verb.ACCEPT,
            who=who.who,
            at=who.at,
            revision=row.revision,
            words=options.words,
            suggestion=offered[rank],
        )
        decision_rows.decide(store, row.id, decision, rank)
    changes = 0 if decision.suggestion is None else len(decision.suggestion.changes)
    said = tables.counted(changes, "change") if changes else "nothing to change"
    print(f"finding {row.id}: accepted, {said}; to take it back: qa-daemon queue undo {row.id}")
    return 0


def reject(options: argparse.Namespace) -> int:
    """Say that a finding is none, and why."""
    reason = RejectReason(options.reason)
    if reason is RejectReason.OTHER and not options.words.strip():
        raise ConfigurationError("--reason other: say it in --words")
    return _say(options, Verb.REJECT, reason)


def defer(options: argparse.Namespace) -> int:
    """Leave a finding for later; it stays open."""
    return _say(options, Verb.DEFER, None)


def _say(options: argparse.Namespace, verb: Verb, reason: RejectReason | None) -> int:
    with opened(settings_of(options)) as store:
        row, who = finding_named(store, options.id), operator()
        decision = Decision(
            verb=verb,
            who=who.who,
            at=who.at,
            revision=row.revision,
            reason=reason,
            words=options.words,
        )
        decision_rows.decide(store, row.id, decision, None)
    print(f"finding {row.id}: {_DONE[verb]}; to take it back: qa-daemon queue undo {row.id}")
    return 0


def undo(options: argparse.Namespace) -> int:
    """Take the decision about a finding back."""
    with opened(settings_of(options)) as store:
        decision = decision_rows.undo(store, options.id, operator())
    print(f"finding {options.id}: no longer {_DONE[decision.verb]}; it is open again")
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
