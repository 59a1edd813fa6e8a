"""The arguments of `qa-daemon rules`."""

import argparse
from pathlib import Path

from qa_daemon.cli.usage.words import (
    Commands,
    command,
    count,
    group,
    with_configuration,
    with_json,
)


def add_rules(commands: Commands) -> None:
    """Declare the commands about rules."""
    actions = group(
        commands,
        "rules",
        "the rules in force: list, test, explain and try them",
        more="A rule is a YAML file with its cases; docs/rules.md has every word. Folders of the\n"
        "site stand in service.yaml; --rules DIR adds one for this call only.",
    )
    for name, purpose, function in (
        ("list", "list the rules", "list_rules"),
        ("test", "run the cases that stand beside the rules; status 1 if one fails", "test_rules"),
        ("lint", "tell what is doubtful in the rules; status 1 if anything is", "lint_rules"),
    ):
        _with_rules(command(actions, name, purpose, f"owning.book:{function}"))
    _add_docs(actions)
    explain = _with_rules(
        command(
            actions,
            "explain",
            "tell why rules fired, passed or said nothing over series, with what they saw",
            "owning.explaining:explain",
            more="  qa-daemon rules explain REGION-001 study.zip\n"
            "  qa-daemon rules explain all FOLDER\n"
            "  qa-daemon rules explain ORDER-020 ORDER-021 --state DIR 3f2a9c\n"
            "What was received is named by the key of a series (series list), or by the UID of a\n"
            "series or study; it is explained beside its study and its visit, with its orders.",
        )
    )
    explain.add_argument(
        "words",
        nargs="+",
        metavar="ID... SUBJECT",
        help="rules, or all; then files, folders, archives, keys or UIDs",
    )
    replay = _with_rules(
        command(
            actions,
            "replay",
            "judge what was received in the last days by other rules; show what differs",
            "owning.replaying:replay",
            more="With --rules DIR that folder is tried over the rules in force; without it the\n"
            "rules in force are held against what was said then. Nothing is written.",
        )
    )
    replay.add_argument("--days", type=count, required=True, metavar="N", help="how far back")
    with_json(replay)


def _add_docs(actions: Commands) -> None:
    docs = _with_rules(
        command(
            actions,
            "docs",
            "write the catalogue of the rules as one HTML page",
            "owning.book:write_docs",
        )
    )
    docs.add_argument("--out", type=Path, metavar="FILE", help="where to (default: the output)")
    docs.add_argument(
        "--reference", action="store_true", help="the words of rule files instead, as Markdown"
    )
    command(
        actions,
        "schema",
        "print the JSON Schema of rule files, for editors",
        "owning.book:print_schema",
    )


def _with_rules(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--rules", type=Path, metavar="DIR", help="a folder of rules to be added to the others"
    )
    return with_configuration(parser)
