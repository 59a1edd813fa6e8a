"""The catalogue of rules as one HTML file: nothing is fetched, it can be sent and printed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from qa_daemon.records.finding import Topic
from qa_daemon.rules.catalogue.style import SCRIPT, STYLE
from qa_daemon.rules.catalogue.wording import condition_text, need_text, suggest_text
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.conditions import registered
from qa_daemon.rules.schema import Case, CaseSeries, Operand, Rule, RulePack

#: Cells of a case that are longer are cut; the file has all of it.
_CELL_LENGTH_MAX: Final = 160


def page(pack: RulePack) -> str:
    """Return the page over all rules, those that are off included."""
    by_topic = {
        topic: [rule for _, rule in sorted(pack.rules.items()) if rule.topic is topic]
        for topic in Topic
    }
    filled = {topic: rules for topic, rules in by_topic.items() if rules}
    return "".join(
        (
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width,initial-scale=1'>",
            "<title>qa-daemon: rules</title>",
            f"<style>{STYLE}</style></head><body>",
            _aside(filled),
            f"<main><header><h1>Rules</h1><p>{_summary(pack)}</p></header>",
            *(_section(topic, rules) for topic, rules in filled.items()),
            "<p id='none' hidden>No rule has these words.</p></main>",
            f"<script>{SCRIPT}</script></body></html>\n",
        )
    )


def _summary(pack: RulePack) -> str:
    digest = f"<code>{pack.digest[:12]}</code>"
    return f"{len(pack.enabled)} in force of {len(pack.rules)}, digest {digest}"


def _aside(by_topic: Mapping[Topic, Sequence[Rule]]) -> str:
    links = (
        f"<li><a href='#{topic}'>{_words(topic)}<span>{len(rules)}</span></a></li>"
        for topic, rules in by_topic.items()
    )
    return (
        "<aside><strong>qa-daemon</strong>"
        "<input id='filter' type='search' placeholder='Find a rule' aria-label='Find a rule'>"
        f"<nav><ul>{''.join(links)}</ul></nav></aside>"
    )


def _words(name: str) -> str:
    return "UIDs" if name == "uid" else escape(name.replace("_", " ").capitalize())


def _section(topic: Topic, rules: Sequence[Rule]) -> str:
    cards = "".join(map(_card, rules))
    return f"<section id='{topic}'><h2>{_words(topic)}</h2>{cards}</section>"


def _card(rule: Rule) -> str:
    state = "" if rule.is_enabled else " off"
    marks = [rule.severity.word, f"level {rule.level}", rule.status.value]
    marks += ["quick"] * rule.quick + ["off"] * (not rule.is_enabled)
    badges = "".join(f"<b class='{escape(mark.split()[0])}'>{escape(mark)}</b>" for mark in marks)
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in _rows(rule) if text)
    return (
        f"<article class='{rule.severity.word}{state}' id='{escape(rule.id)}'>"
        f"<h3><a href='#{escape(rule.id)}'>{escape(rule.id)}</a> {escape(rule.title)}</h3>"
        f"<p class='marks'>{badges}</p><p>{escape(rule.rationale)}</p><dl>{rows}</dl>"
        f"{_cases(rule.cases)}</article>"
    )


def _rows(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.message:
        yield "Message", f"“{escape(rule.message)}”"
    if rule.applies_when is not None:
        yield "Applies when", _code(condition_text(rule.applies_when))
    yield "Needs", "<br>".join(escape(need_text(need)) for need in rule.needs)
    yield "Passes when", _code(condition_text(rule.check)) + _told(rule)
    yield "Options", _code(_value(rule.options)) if rule.options else ""
    if rule.suggest is not None:
        ways = (rule.suggest, *rule.alternatives)
        yield "Suggests", "".join(_code(suggest_text(each)) for each in ways)
    yield "Known false alarms", "<br>".join(map(escape, rule.known_false_positives))
    yield "Left out", "<br>".join(_excepted(rule))
    yield "File", _code(f"{rule.path}, version {rule.version}")


def _excepted(rule: Rule) -> Iterator[str]:
    for each in rule.exceptions:
        where = "; ".join(f"{name} {', '.join(texts)}" for name, texts in each.where.items())
        yield escape(f"{where}: {each.reason} ({each.owner}, until {each.until})")


def _told(rule: Rule) -> str:
    """Return what the registered checks of a rule say of themselves."""
    checks = {**SERIES_CHECKS, **STUDY_CHECKS}
    said = (
        (checks[each.name].__doc__ or "").strip().partition("\n")[0]
        for each in registered(rule.check)
    )
    return "".join(f"<em>{escape(text)}</em>" for text in said)


def _code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _cases(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = "".join(
        f"<tr><td>{escape(case.name)}</td><td>{_described(case)}</td>"
        f"<td class='{case.outcome}'>{escape(case.outcome.replace('_', ' '))}</td>"
        f"<td>{escape(', '.join(case.proposes or ()))}</td></tr>"
        for case in cases
    )
    head = "<tr><th>case</th><th>with</th><th>outcome</th><th>proposes</th></tr>"
    return (
        f"<details><summary>{len(cases)} cases</summary><div class='wide'><table>"
        f"<thead>{head}</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _described(case: Case) -> str:
    parts = [text for series in case.series for text in _of_series(series)]
    parts += [f"{target}: {_value(labels)}" for target, labels in case.predictions.items()]
    if case.order is not None:
        parts.append(f"order: {_value(case.order)}")
    return "<br>".join(escape(_cut(part)) for part in parts)


def _of_series(series: CaseSeries) -> Iterable[str]:
    if series.tags:
        yield _value(series.tags)
    for row in series.instances:
        yield f"instance: {_value(row)}"
    if series.irregularities:
        yield ", ".join(series.irregularities)
    if series.transfer_syntax:
        yield series.transfer_syntax


def _value(value: "Operand | Mapping[str, float]") -> str:
    match value:
        case Mapping():
            return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
        case tuple():
            return "\\".join(
                f"({_value(each)})" if isinstance(each, Mapping) else _value(each) for each in value
            )
        case None | "":
            return "(empty)"
        case _:
            return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _CELL_LENGTH_MAX else f"{text[:_CELL_LENGTH_MAX]}…"
