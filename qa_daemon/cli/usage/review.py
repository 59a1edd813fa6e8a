"""The usage of what people say of issues and findings: `qa-daemon queue ...`."""

import argparse

from qa_daemon.cli.usage.words import (
    Commands,
    command,
    count,
    group,
    with_configuration,
    with_json,
    with_limit,
)


def add_issues(actions: Commands) -> None:
    """Add what can be said of issues."""
    listing = command(
        actions,
        "issues",
        "list what recurs: findings of one cause, with their count and trend",
        "review.issues:list_issues",
        more="Findings of one rule, station, protocol and proposed change are one issue.",
    )
    listing.add_argument("--all", action="store_true", help="muted and resolved ones, too")
    with_limit(with_json(with_configuration(listing)))
    mute = command(
        actions, "mute", "leave an issue out of the queue for a while", "review.issues:mute"
    )
    mute.add_argument("key", metavar="KEY", help="as `queue issues` shows it")
    mute.add_argument(
        "--days", type=count, required=True, metavar="N", help="for so long; then it is back"
    )
    with_configuration(_with_reason(mute))
    resolve = command(
        actions, "resolve", "say that the cause of an issue is mended", "review.issues:resolve"
    )
    resolve.add_argument("key", metavar="KEY", help="as `queue issues` shows it")
    with_configuration(_with_reason(resolve))


def add_decisions(actions: Commands) -> None:
    """Add what can be said of findings, and taken back."""
    accept = _decision(actions, "accept", "accept what is suggested for a finding")
    accept.add_argument(
        "--alternative", type=count, metavar="N", help="the N-th other suggestion instead"
    )
    accept.add_argument(
        "--class",
        dest="lies",
        metavar="N",
        help="the picture lies as class N, 0 to 7, of the orientation that is suggested",
    )
    accept.add_argument(
        "--set",
        action="append",
        metavar="PATH=VALUE",
        help="this value instead of the suggested one, several divided by \\; may repeat",
    )
    reject = _decision(actions, "reject", "say that a finding is none, and why")
    reject.add_argument(
        "--reason",
        required=True,
        metavar="R",
        choices=["tags_right", "other_fault", "anatomy", "test", "untellable", "other"],
        help="tags_right, other_fault, anatomy, test, untellable, or other (needs --words)",
    )
    defer = _decision(actions, "defer", "leave a finding for later")
    defer.add_argument("--days", type=count, metavar="N", help="out of the queue for so long")
    ask = _decision(actions, "ask", "ask somebody else to look at a finding")
    ask.add_argument("--of", required=True, metavar="NAME", help="an account or a role")
    undo = command(
        actions,
        "undo",
        "take a decision back, with all that was decided at one blow with it",
        "review.decide:undo",
        more="Without ID: what you decided last; again: what you decided before it.",
    )
    undo.add_argument("id", type=count, nargs="?", metavar="ID", help="of the finding")
    with_configuration(undo)
    reverse = command(
        actions,
        "reverse",
        "let what was accepted, and has left, be changed back",
        "review.decide:reverse",
        more="Before it has left, undo it instead.",
    )
    reverse.add_argument("id", type=count, metavar="ID", help="of the finding")
    with_configuration(reverse)
    history = command(
        actions, "history", "list decisions, the latest first", "review.decide:history"
    )
    with_limit(with_json(with_configuration(history)))


def add_outbox(commands: Commands) -> None:
    """Add what can be done with what leaves."""
    actions = group(
        commands,
        "outbox",
        "what was decided and is to leave, has left, or was refused",
        more="An entry is a change set for one place (service.yaml, export).",
    )
    listing = command(actions, "ls", "list entries, the latest first", "review.outbox:list_entries")
    listing.add_argument(
        "--in",
        dest="in_state",
        metavar="STATE",
        choices=["queued", "sent", "refused", "withdrawn", "superseded", "dropped"],
        help="queued, sent, refused, withdrawn, superseded or dropped",
    )
    with_limit(with_json(with_configuration(listing)))
    for name, purpose in (
        ("show", "show one entry with its change set and the answer of its place"),
        ("retry", "try an entry again that was refused, or waits for its next try"),
        ("drop", "give up an entry that has not left; the decision stays"),
    ):
        action = command(actions, name, purpose, f"review.outbox:{name}")
        action.add_argument("id", type=count, metavar="ID", help="as `outbox ls` shows it")
        with_configuration(action)
        if name == "show":
            with_json(action)


def _decision(actions: Commands, name: str, purpose: str) -> argparse.ArgumentParser:
    parser = command(
        actions,
        name,
        purpose,
        f"review.decide:{name}",
        more="Several IDs are decided at one blow, all of them or none, and undone as one.",
    )
    parser.add_argument("id", type=count, nargs="+", metavar="ID", help="as `queue list` shows it")
    parser.add_argument(
        "--scope",
        default="finding",
        metavar="S",
        choices=["finding", "series", "study"],
        help="finding (default), or all that is undecided in its series or study",
    )
    parser.add_argument("--words", default="", metavar="TEXT", help="what others should know")
    return with_configuration(parser)


def _with_reason(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the audit")
    return parser
