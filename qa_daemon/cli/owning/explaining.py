"""`qa-daemon rules explain`: for one series, why each rule came out as it did."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from rich.text import Text
from rich.tree import Tree

from qa_daemon.cli import tables
from qa_daemon.cli.checking import collect
from qa_daemon.cli.checking.check import progress_bar
from qa_daemon.cli.checking.examination import Checked, Examination
from qa_daemon.cli.checking.ledger import Conditions, Ledger
from qa_daemon.cli.opened import settings_of
from qa_daemon.cli.owning.book import with_folder
from qa_daemon.cli.printable import printable
from qa_daemon.errors import ConfigurationError
from qa_daemon.intake import archive
from qa_daemon.pipeline.engine import Engine, engine
from qa_daemon.predict.client import Request
from qa_daemon.records.series import Series
from qa_daemon.rules.catalogue.explain import Explanation, Part, explained, seen_text
from qa_daemon.rules.catalogue.wording import condition_text, need_text
from qa_daemon.rules.conditions import Trace
from qa_daemon.rules.facts import Context, NotEvaluated, SeriesFacts, StudyFacts
from qa_daemon.rules.schema import FactTest, Outcome, Rule, RulePack

ALL: Final = "all"
#: How a condition over others begins, where that is not the word of the file.
_HEADLINES: Final = {"all": "all of", "any": "one of"}
_STYLES: Final = {
    Outcome.FINDING: "bold red",
    Outcome.PASSED: "green",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.NOT_EVALUATED: "yellow",
    Outcome.FAULT: "magenta",
}


def explain(options: argparse.Namespace) -> int:
    """Explain one rule, or all of them, over the series at the paths; status 2 if none is there."""
    settings = with_folder(settings_of(options), options.rules)
    with engine(settings) as whole, tempfile.TemporaryDirectory(prefix="qa-daemon-") as unpacked:
        rules = _named(whole.pack, options.id)
        bounds = archive.Bounds.of(settings.folder, settings.limits)
        place = collect.Place(Path(unpacked), bounds, settings.limits)
        checked = _checked(whole, options.paths, place)
        return _told(checked, rules, options.paths)


def _named(pack: RulePack, name: str) -> Sequence[Rule]:
    if name == ALL:
        return pack.enabled
    if name not in pack.rules:
        near = get_close_matches(name, pack.rules, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; see: qa-daemon rules list"
        raise ConfigurationError(f"rules explain: there is no rule {name}{hint}")
    return (pack.rules[name],)


def _checked(whole: Engine, paths: Sequence[str], place: collect.Place) -> Checked:
    request = Request(targets=whole.targets, per_instance=False)
    conditions = Conditions(whole.rules_digest, whole.models_digest, request, 0)
    examination = Examination(whole, request, place.limits, Ledger(None, conditions))
    with progress_bar() as progress:
        return examination.checked(collect.named_paths(paths), place, progress)


def _told(checked: Checked, rules: Sequence[Rule], paths: Sequence[str]) -> int:
    console = tables.screen()
    context = Context(datetime.now(UTC).astimezone())
    studies: dict[str, list[Series]] = {}
    for report in checked.series:
        studies.setdefault(report.series.study_instance_uid, []).append(report.series)
    for report in checked.series:
        others = studies[report.series.study_instance_uid]
        siblings = tuple(other for other in others if other is not report.series)
        facts = SeriesFacts(report.series, report.inference, siblings, context)
        console.print(tables.heading(report.series))
        for tree in _trees(rules, facts):
            console.print(tree)
        console.print()
    for uid, series in studies.items():
        trees = list(_trees(rules, StudyFacts(tuple(series), context)))
        if trees:
            console.print(Text(f"Study {printable(uid)}", "bold"))
        for tree in trees:
            console.print(tree)
    if not checked.series:
        raise ConfigurationError(f"{', '.join(paths)}: no readable object is there")
    return 0


def _trees(rules: Sequence[Rule], facts: SeriesFacts | StudyFacts) -> Iterator[Tree]:
    for rule in rules:
        if rule.level in facts.levels:
            yield _tree(explained(rule, facts))


def _tree(explanation: Explanation) -> Tree:
    rule, outcome = explanation.rule, explanation.outcome
    head = Text.assemble(
        (rule.id, "bold"),
        "  ",
        (outcome.replace("_", " "), _STYLES[outcome]),
        f"  {printable(rule.title)}",
    )
    tree = Tree(head, guide_style="dim")
    if explanation.reason:
        tree.add(Text(printable(explanation.reason), "yellow"))
    for part in explanation.parts:
        _grow(tree if not part.instances else _branch_of(tree, part), part, rule)
    for needed in explanation.needs:
        state = ("enough", "green") if needed.is_met else ("not enough", "yellow")
        said = Text.assemble("needs ", need_text(needed.need), ": ", state, "  ")
        tree.add(said.append(printable(needed.seen), "dim"))
    for finding in explanation.findings:
        tree.add(Text(f"found: {printable(finding.message)}", "red"))
    return tree


def _branch_of(tree: Tree, part: Part) -> Tree:
    return tree.add(Text(f"{tables.counted(part.instances, 'instance')} that say the same", "dim"))


def _grow(tree: Tree, part: Part, rule: Rule) -> None:
    if part.applies is not None:
        _add(tree.add(Text("applies when", "dim")), part.applies)
    if part.check is not None:
        _add(tree.add(Text("passes when", "dim")), part.check)
    elif part.applies is None or part.applies.answer is True:
        tree.add(Text.assemble(("passes when ", "dim"), printable(condition_text(rule.check))))


def _add(tree: Tree, trace: Trace) -> None:
    match trace.answer:
        case NotEvaluated(reason):
            answer = ("? ", "yellow")
            why = f"  {reason}"
        case True:
            answer, why = ("yes ", "green"), ""
        case _:
            answer, why = ("no ", "red"), ""
    if isinstance(trace.condition, FactTest):
        line = Text.assemble(answer, printable(condition_text(trace.condition)))
        line.append(f"  {printable(seen_text(trace))}", "dim")
    else:
        line = Text.assemble(answer, _headline(trace))
    line.append(printable(why), "yellow")
    if trace.count > 1:
        line.append(f"  ({trace.count} alike)", "dim")
    branch = tree.add(line)
    for below in trace.below:
        _add(branch, below)


def _headline(trace: Trace) -> str:
    """Return a condition without those below it, which follow line by line."""
    text = printable(condition_text(trace.condition))
    if not trace.below:
        return text
    word = text.removeprefix("{").partition(":")[0]
    return _HEADLINES.get(word, word) + _over(trace)


def _over(trace: Trace) -> str:
    over = getattr(trace.condition, "over", "")
    number = getattr(trace.condition, "number", 0)
    return f" {number} of {over}" if number else f" {over}" if over else ""
