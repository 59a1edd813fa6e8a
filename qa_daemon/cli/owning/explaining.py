"""`qa-daemon rules explain`: for one series, why each rule came out as it did."""

import argparse
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from qa_daemon.cli import tables
from qa_daemon.cli.opened import settings_of
from qa_daemon.cli.owning.book import with_folder
from qa_daemon.cli.owning.gathering import Told, gathered
from qa_daemon.cli.printable import printable
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.engine import engine
from qa_daemon.rules.catalogue.explain import Explanation, Part, explained, seen_text
from qa_daemon.rules.catalogue.wording import condition_text, need_text
from qa_daemon.rules.conditions import Trace
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts, StudyFacts
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
    """Explain rules over what lies at paths or was received; status 2 if nothing is there."""
    settings = with_folder(settings_of(options), options.rules)
    with engine(settings) as whole:
        names, subjects = _asked(whole.pack, options.words)
        rules = _named(whole.pack, names)
        console = tables.screen()
        for each in gathered(whole, subjects, settings):
            _tell(console, rules, each)
    return 0


def _asked(pack: RulePack, words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Part ids from subjects: the first word is an id, and those after it that are one."""
    count = next((at for at, word in enumerate(words) if at and word not in pack.rules), len(words))
    if count == len(words):
        raise ConfigurationError(
            "rules explain: name what is to be explained after the rules: a file, a folder, "
            "an archive, or the key or UID of a series or study that was received"
        )
    return words[:count], words[count:]


def _named(pack: RulePack, names: Sequence[str]) -> Sequence[Rule]:
    if list(names) == [ALL]:
        return pack.enabled
    for name in names:
        if name not in pack.rules:
            near = get_close_matches(name, pack.rules, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; see: qa-daemon rules list"
            raise ConfigurationError(f"rules explain: there is no rule {name}{hint}")
    return tuple(pack.rules[name] for name in names)


def _tell(console: Console, rules: Sequence[Rule], told: Told) -> None:
    trees = list(_trees(rules, told.facts))
    if trees:
        console.print(told.heading)
        for tree in trees:
            console.print(tree)
        console.print()


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
