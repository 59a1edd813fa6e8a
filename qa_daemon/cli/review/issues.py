"""`qa-daemon queue issues | mute | resolve`: what recurs, and what people say of it."""

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.cli.queue import age, named_issue
from qa_daemon.errors import ConfigurationError
from qa_daemon.habits.trend import BEFORE, RECENT, causes, state_of
from qa_daemon.records.issue import Issue, IssueState, Ruling, RulingKind
from qa_daemon.store.review import issue_rows
from qa_daemon.store.review.issue_rows import Spans

#: A mute must end: what is silent for ever is forgotten.
MUTED_DAYS_MAX: Final = 366
#: As much of a key as tells it from all others in practice.
KEY_SHOWN: Final = 8
#: Issues among which those of one cause are looked for.
ISSUES_MAX: Final = 10_000
#: Issues that nobody need look at now.
_AT_REST: Final = frozenset({IssueState.MUTED, IssueState.RESOLVED})
_STYLES: Final = {
    IssueState.NEW: "cyan",
    IssueState.ESCALATING: "bold red",
    IssueState.REGRESSED: "bold magenta",
    IssueState.MUTED: "dim",
    IssueState.RESOLVED: "green",
}


def list_issues(options: argparse.Namespace) -> int:
    """List what recurs, the worst first; muted and resolved ones with `--all`."""
    now = datetime.now(UTC)
    with opened(settings_of(options)) as store:
        found = issue_rows.issue_list(store, _spans(now), options.limit)
    states = {issue.key: state_of(issue.sightings, issue.ruling, now) for issue in found}
    shown = [issue for issue in found if options.all or states[issue.key] not in _AT_REST]
    covered = causes(shown)
    if options.json:
        print(json.dumps([_as_json(issue, states[issue.key], covered) for issue in shown]))
        return 0
    console = tables.screen()
    if not shown:
        console.print("Nothing recurs." if not found else "All issues are at rest; see --all.")
        return 0
    console.print(_table(shown, states, covered, now))
    console.print(Text(_footer(shown, found, covered), style="dim"))
    return 0


def mute(options: argparse.Namespace) -> int:
    """Leave the findings of an issue out of the queue for some days."""
    if options.days > MUTED_DAYS_MAX:
        raise ConfigurationError(f"--days {options.days}: at most {MUTED_DAYS_MAX}; mute it again")
    until = datetime.now(UTC) + timedelta(days=options.days)
    key = _rule(options, RulingKind.MUTE, until)
    print(f"{key}: muted until {until:%Y-%m-%d}; its findings stay in the store")
    return 0


def resolve(options: argparse.Namespace) -> int:
    """Say that the cause of an issue is mended; seen again, it comes back as regressed."""
    key = _rule(options, RulingKind.RESOLVE, None)
    print(f"{key}: resolved; if it is seen again it comes back as regressed")
    return 0


def _rule(options: argparse.Namespace, kind: RulingKind, until: datetime | None) -> str:
    if not options.reason.strip():
        raise ConfigurationError("--reason: say why; whoever comes after you will ask")
    who = operator()
    ruling = Ruling(kind, options.reason.strip(), who.who, who.at, until)
    with opened(settings_of(options)) as store:
        key = named_issue(store, options.key)
        covered = causes(issue_rows.issue_list(store, _spans(who.at), ISSUES_MAX))
        children = [each for each, cause in covered.items() if cause == key]
        for each in (key, *children):
            issue_rows.rule_on(store, each, ruling)
    more = tables.counted(len(children), "other protocol") if children else ""
    return f"{key[:KEY_SHOWN]} and {more} of this station" if more else key[:KEY_SHOWN]


def _spans(now: datetime) -> Spans:
    return Spans(now=now, recent=RECENT, before=BEFORE)


def _table(
    shown: Sequence[Issue],
    states: Mapping[str, IssueState],
    covered: Mapping[str, str],
    now: datetime,
) -> Table:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(no_wrap=True, width=tables.BADGE_WIDTH)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(ratio=1)
    for issue in shown:
        if issue.key not in covered:
            others = sum(cause == issue.key for cause in covered.values())
            grid.add_row(
                issue.key[:KEY_SHOWN],
                tables.badge(issue.severity),
                f"{issue.sightings.count:,} x",
                _summary(issue, states[issue.key], others, now),
            )
    return grid


def _summary(issue: Issue, state: IssueState, others: int, now: datetime) -> Text:
    practice, sightings = issue.fingerprint.practice, issue.sightings
    place = " ".join(filter(None, (practice.modality, practice.station or "unknown station")))
    facts = [place, practice.protocol, issue.fingerprint.rule]
    facts.append(f"last {age(now - sightings.last_at)} ago")
    facts.append(f"first {age(now - sightings.first_at)} ago")
    lines = [printable(issue.message), "\n"]
    if issue.fingerprint.change:
        lines += [printable(issue.fingerprint.change), "\n"]
    text = Text.assemble(*lines, (state.value, _STYLES.get(state, "")))
    text.append(" · " + " · ".join(printable(each) for each in facts if each), "dim")
    if others:
        more = tables.counted(others, "other protocol")
        text.append(f"\nalso under {more} of this station: look for one cause there", "yellow")
    if issue.ruling is not None:
        text.append(f"\n{_ruled(issue.ruling)}", "dim")
    return text


def _ruled(ruling: Ruling) -> str:
    until = "" if ruling.until is None else f" until {ruling.until:%Y-%m-%d}"
    verb = {RulingKind.MUTE: "muted", RulingKind.RESOLVE: "resolved"}[ruling.kind]
    return f"{verb} {ruling.at:%Y-%m-%d}{until} by {printable(ruling.who)}: " + printable(
        ruling.reason
    )


def _footer(shown: Sequence[Issue], found: Sequence[Issue], covered: Mapping[str, str]) -> str:
    count = tables.counted(len(shown) - len(covered), "issue")
    findings = tables.counted(sum(issue.sightings.count for issue in shown), "finding")
    resting = len(found) - len(shown)
    more = f"; {resting} muted or resolved, see --all" if resting else ""
    return f"{count}, {findings}{more}. Their findings: qa-daemon queue list --issue KEY"


def _as_json(issue: Issue, state: IssueState, covered: Mapping[str, str]) -> dict[str, object]:
    practice, ruling = issue.fingerprint.practice, issue.ruling
    said = ruling and {
        "kind": ruling.kind.value,
        "reason": ruling.reason,
        "who": ruling.who,
        "at": ruling.at.isoformat(),
        "until": ruling.until and ruling.until.isoformat(),
    }
    return {
        "key": issue.key,
        "rule": issue.fingerprint.rule,
        "modality": practice.modality,
        "station": practice.station,
        "protocol": practice.protocol,
        "change": issue.fingerprint.change,
        "severity": issue.severity.word,
        "message": issue.message,
        "state": state.value,
        "count": issue.sightings.count,
        "first_at": issue.sightings.first_at.isoformat(),
        "last_at": issue.sightings.last_at.isoformat(),
        "recent_count": issue.sightings.recent_count,
        "before_count": issue.sightings.before_count,
        "cause": covered.get(issue.key),
        "ruling": said,
    }
