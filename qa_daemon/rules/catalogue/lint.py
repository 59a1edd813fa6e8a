"""What is doubtful in rules that can be read: the faults that nobody sees until they cost trust."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from qa_daemon.dicom.encoding.dictionary import tag_of, values_max, vr_of
from qa_daemon.records.finding import Finding, Level, Suggestion
from qa_daemon.rules.catalogue.contradictions import contradictions
from qa_daemon.rules.conditions import tests
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import SeriesFacts, StudyFacts
from qa_daemon.rules.load import is_shipped
from qa_daemon.rules.looks.names import Kind, Step, fact_name
from qa_daemon.rules.operators.patterns import is_match
from qa_daemon.rules.prove import facts_of
from qa_daemon.rules.schema import Case, CaseSeries, FactTest, Outcome, Rule, RulePack

#: Suggestions of a finding that were made and left out, for the check would fail with them too.
Unfit: TypeAlias = Callable[[Rule, Finding, SeriesFacts | StudyFacts], Sequence[Suggestion]]

_NUMERIC_WORDS: Final = frozenset({"at_least", "at_most", "above", "below", "near"})
_NUMERIC_VRS: Final = frozenset({"DS", "IS", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "AS"})
_TIME_WORDS: Final = frozenset({"before", "after", "not_before", "not_after"})
_TIME_VRS: Final = frozenset({"DA", "DT", "TM"})
#: A text that stands in for whatever a sender may write.
_ANYTHING: Final = ("", "x", "A 1-2/3", "Ä" * 70)


@frozen(order=True)
class Remark:
    """One doubt about a rule, and what to do."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        """Return the line that `rules lint` prints."""
        return f"{self.path}: rule {self.rule}: {self.message}"


def lint(pack: RulePack, unfit: Unfit) -> tuple[Remark, ...]:
    """Return every doubt about the rules of a pack, drafts included."""
    remarks = [
        Remark(rule.path, rule.id, message)
        for rule in pack.rules.values()
        for message in _doubts(rule, unfit)
    ]
    remarks += [
        Remark(rule.path, rule.id, message) for rule, message in _doubles(list(pack.rules.values()))
    ]
    return tuple(sorted(remarks))


def _doubts(rule: Rule, unfit: Unfit) -> Iterator[str]:
    yield from _of_words(rule)
    yield from _of_cases(rule)
    yield from contradictions(rule)
    for test in _tests(rule):
        yield from _of_element(test)
        if test.operator == "matches":
            yield from _of_pattern(str(test.operand))
    yield from _of_absence(rule)
    yield from _of_suggestions(rule, unfit)


def _tests(rule: Rule) -> list[FactTest]:
    conditions = [rule.check] if rule.applies_when is None else [rule.check, rule.applies_when]
    return [test for condition in conditions for test in tests(condition)]


def _of_words(rule: Rule) -> Iterator[str]:
    if not re.fullmatch(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*-[0-9]{3}", rule.id):
        yield "an id is capitals, a dash and three digits, as in SITE-001; it is permanent"
    # A site's own rule rests on what the site has agreed.
    if is_shipped(rule.path) and not re.search(r"PS3\.[0-9]+", rule.rationale):
        yield "the rationale names no part of the standard, as in (PS3.3 C.7.3.1)"


def _of_cases(rule: Rule) -> Iterator[str]:
    fires = [case.outcome is Outcome.FINDING for case in rule.cases]
    if not any(fires):
        yield "no case shows it fire; add one with outcome: finding"
    if all(fires):
        yield "no case shows it hold its peace; add one with outcome: passed or not_applicable"
    names = [case.name for case in rule.cases]
    for name in sorted({name for name in names if names.count(name) > 1 or not name}):
        yield f"two cases are named '{name}'" if name else "a case has no name"
    if rule.needs and not any(case.outcome is Outcome.NOT_EVALUATED for case in rule.cases):
        yield "it needs a prediction, and no case shows what comes of an unsure one"


def _of_element(test: FactTest) -> Iterator[str]:
    name = fact_name(test.fact)
    if name.kind not in {Kind.TAG, Kind.ITEM, Kind.FRAME}:
        return
    last: Step = name.steps[-1]
    tag = tag_of(last.keyword)
    vr = "" if tag is None else vr_of(tag)
    most = None if tag is None else values_max(tag)
    if last.number and most is not None and last.number > most and vr != "SQ":
        yield f"{test.fact} never has a value: {last.keyword} has {most} at most (PS3.6)"
    if test.operator in _NUMERIC_WORDS and vr and vr not in _NUMERIC_VRS:
        yield f"'{test.operator}' asks for numbers, and {last.keyword} ({vr}) is none"
    if test.operator in _TIME_WORDS and vr and vr not in _TIME_VRS:
        yield f"'{test.operator}' asks for a date or time, and {last.keyword} ({vr}) is none"


def _of_pattern(pattern: str) -> Iterator[str]:
    if pattern.startswith("^") or pattern.endswith("$"):
        yield f"'{pattern}': a pattern is held against the whole value; ^ and $ say nothing"
    if all(is_match(pattern, text) for text in _ANYTHING):
        yield f"'{pattern}' fits every text"
    if re.search(r"[0-9]\.[0-9]", pattern):
        yield f"'{pattern}': a dot stands for any sign; for the dot of a UID write \\."


def _of_absence(rule: Rule) -> Iterator[str]:
    """Doubt a rule that fires over objects without any element, if no case says it should."""
    if rule.level in {Level.STUDY, Level.VISIT}:
        return
    bare = Case("bare", Outcome.PASSED, (CaseSeries(),))
    if judged(rule, facts_of(rule, bare)).outcome is not Outcome.FINDING:
        return
    looked_at = {keyword for test in tests(rule.check) for keyword in fact_name(test.fact).keywords}
    meant = (
        case.outcome is Outcome.FINDING
        and any(not looked_at & _given(series) for series in case.series)
        for case in rule.cases
    )
    if not any(meant):
        yield (
            "it fires where the element is absent; guard it with "
            "applies_when: {fact: ..., filled: true}, or add a case without the element"
        )


def _given(series: CaseSeries) -> set[str]:
    rows = [series.tags, *series.instances]
    return {keyword for row in rows for keyword, value in row.items() if value is not None}


def _of_suggestions(rule: Rule, unfit: Unfit) -> Iterator[str]:
    if rule.suggest is None:
        return
    for case in rule.cases:
        if case.outcome is not Outcome.FINDING or case.proposes == ():
            continue
        facts = facts_of(rule, case)
        for finding in judged(rule, facts).findings:
            for suggestion in unfit(rule, finding, facts):
                written = ", ".join(
                    f"{change.attribute} -> {_values(change.proposed)}"
                    for change in suggestion.changes
                )
                yield f"case '{case.name}': with {written} the check would not pass"
    if not any(case.proposes for case in rule.cases):
        yield "no case shows what it suggests; add proposes: [VALUE] to one that fires"


def _values(proposed: Sequence[object] | None) -> str:
    return "nothing" if proposed is None else "\\".join(map(str, proposed))


def _doubles(rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
    """Yield rules that ask the same as another one."""
    alike: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        alike[repr((rule.level, rule.applies_when, rule.needs, rule.check))].append(rule)
    for first, *others in alike.values():
        for other in others:
            yield other, f"it asks the same as {first.id}"
