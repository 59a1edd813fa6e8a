"""`qa-daemon rules list | test | lint | docs | schema`: the rules themselves."""

import argparse
import json
import sys
from pathlib import Path

from attrs import evolve
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds.rulebook import rulebook, rules_as_written, today
from qa_daemon.rules.catalogue.json_schema import rule_schema
from qa_daemon.rules.catalogue.lint import lint
from qa_daemon.rules.catalogue.page import page
from qa_daemon.rules.catalogue.reference import reference
from qa_daemon.rules.prove import prove
from qa_daemon.suggest.propose import propose, unfit


def list_rules(options: argparse.Namespace) -> int:
    """List the rules in force."""
    pack = rulebook(_with_folder(options), today()).pack
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(no_wrap=True, width=tables.BADGE_WIDTH)
    grid.add_column(ratio=1)
    for rule in (pack.rules[name] for name in sorted(pack.rules)):
        facts = f"\n{rule.topic.value}, level {rule.level.value}, {rule.status.value}"
        facts += ", quick" if rule.quick else ""
        facts += "" if rule.is_enabled else ", off"
        title = Text.assemble(printable(rule.title), (facts, "dim"))
        grid.add_row(rule.id, tables.badge(rule.severity), title)
    console = tables.screen()
    console.print(grid)
    console.print(Text(f"{len(pack.enabled)} rules in force, digest {pack.digest[:12]}", "dim"))
    return 0


def test_rules(options: argparse.Namespace) -> int:
    """Run the cases that stand beside the rules, as they are written; status 1 if one fails."""
    pack = rules_as_written(_with_folder(options))
    failures = prove(pack, propose)
    for failure in failures:
        print(printable(str(failure)))
    cases = sum(len(rule.cases) for rule in pack.rules.values())
    bare = [rule for _, rule in sorted(pack.rules.items()) if not rule.cases]
    for rule in bare:
        print(printable(f"{rule.path}: rule {rule.id}: has no case, so nothing proves it"))
    print(f"{cases} cases of {len(pack.rules)} rules: {len(failures)} failed")
    return 1 if failures else 0


def lint_rules(options: argparse.Namespace) -> int:
    """Tell what is doubtful in the rules, and what of the site has ended; status 1 for either."""
    settings = _with_folder(options)
    pack = rules_as_written(settings)
    said = [str(remark) for remark in lint(pack, unfit)]
    said += [f"service.yaml: {ended}" for ended in rulebook(settings, today()).expired]
    for line in said:
        print(printable(line))
    print(f"{len(pack.rules)} rules: {len(said) or 'no'} remarks")
    return 1 if said else 0


def write_docs(options: argparse.Namespace) -> int:
    """Write the catalogue of the rules in force as one HTML file, or the reference as Markdown."""
    text = reference() if options.reference else _catalogue(options)
    if options.out is None:
        sys.stdout.buffer.write(text.encode())
        return 0
    try:
        options.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"--out {options.out}: cannot be written: {error.strerror}"
        ) from error
    print(f"{options.out}: written; open it in a browser")
    return 0


def _catalogue(options: argparse.Namespace) -> str:
    return page(rulebook(_with_folder(options), today()).pack)


def print_schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of rule files."""
    print(json.dumps(rule_schema(), indent=2))
    return 0


def _with_folder(options: argparse.Namespace) -> Settings:
    """Return the configuration, with the folder of `--rules` behind those of the site."""
    return with_folder(settings_of(options), options.rules)


def with_folder(settings: Settings, folder: Path | None) -> Settings:
    """Return settings with one more rule folder."""
    if folder is None:
        return settings
    folders = (*settings.rules.folders, folder.absolute())
    return evolve(settings, rules=evolve(settings.rules, folders=folders))
