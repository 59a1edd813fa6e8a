"""What `check`, `series`, `queue` and `demo` print for people, at any width from 60 columns on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from qa_daemon.cli.printable import printable
from qa_daemon.geometry.orientation import CLASS_BOTTOM_SIDES
from qa_daemon.habits.usual import plane_letters
from qa_daemon.records.finding import (
    Action,
    Change,
    Display,
    Finding,
    JsonValue,
    Rejection,
    Severity,
    Suggestion,
)
from qa_daemon.records.prediction import Abstention, Prediction
from qa_daemon.records.series import Series
from qa_daemon.report.as_text import HYPOTHESES
from qa_daemon.report.summary import SeriesReport, StudyReport, VisitReport

STYLES: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.MAJOR: "bold red",
    Severity.MINOR: "bold yellow",
    Severity.INFO: "cyan",
}
BADGE_WIDTH: Final = max(len(severity.word) for severity in Severity)
INDENT: Final = 2
#: A value is cut beyond this; the suggestion files hold all of it.
VALUE_LENGTH_MAX: Final = 400
#: In a list a value is cut beyond this, and so many attributes of a suggestion are named.
BRIEF_LENGTH_MAX: Final = 32
CHANGES_SHOWN: Final = 2
TARGET_NAMES: Final = {"axial_orientation": "orientation", "body_region": "region"}
#: Words for the reasons of the contract why a model says nothing.
REASONS: Final = {
    "low_probability": "unsure",
    "out_of_distribution": "unlike anything learnt",
    "not_axial": "not an axial image",
    "no_pixels": "no pixels",
    "not_applicable": "does not apply",
    "model_unavailable": "no model",
    "limit": "over a limit",
}


_BESIDE_THE_POINT: Final = frozenset({Abstention.NOT_APPLICABLE, Abstention.NOT_AXIAL})


class Screen(Console):
    """Standard output for people."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command's end: a reader that has gone is no finding and no failure."""
        raise BrokenPipeError


def screen() -> Screen:
    """Return standard output; words are coloured by us only, never by what they look like."""
    return Screen(highlight=False)


def series_section(report: SeriesReport) -> RenderableType:
    """Return one series: heading, what its pixels show, findings with their suggestions."""
    series = report.series
    lines: list[RenderableType] = [heading(series)]
    shown = pixels_show(report.inference.predictions)
    if shown:
        lines.append(_indented(Text(f"pixels show  {shown}", style="dim")))
    if not report.verdict.findings:
        lines.append(_indented(Text("no finding", style="green")))
    lines += [
        _indented(finding_block(finding, len(series.instances)))
        for finding in report.verdict.findings
    ]
    lines += [
        _indented(Text(f"rule {fault.rule} is broken: {fault.reason}", style="magenta"))
        for fault in report.verdict.outcomes.fault
    ]
    return Group(*lines, "")


def study_section(report: StudyReport | VisitReport) -> RenderableType:
    """Return what was found over a study, or over a medium and its studies."""
    if isinstance(report, StudyReport):
        name = f"Study {report.study_instance_uid}"
    else:
        name = report.subject
    blocks = [_indented(finding_block(finding)) for finding in report.verdict.findings]
    return Group(Text(printable(name), style="bold"), *blocks, "")


def heading(series: Series) -> Text:
    """Return the line over a series."""
    return Text.assemble(
        (printable(series.modality) or "no modality", "bold"),
        f"  {counted(len(series.instances), 'instance')}  ",
        (printable(series.series_instance_uid), "dim"),
        overflow="fold",
    )


def finding_block(finding: Finding, instances: int | None = None) -> RenderableType:
    """Return one finding: severity, words, rule and certainty, the first suggestion.

    Parameters
    ----------
    instances
        How many the series has; None where that says nothing.
    """
    facts = [finding.rule]
    if finding.confidence is not None:
        facts.append(f"{finding.confidence:.0%} sure")
    concerned = len(finding.sop_instance_uids)
    if instances is not None and concerned:
        facts.append(f"{concerned} of {counted(instances, 'instance')}")
    parts: list[RenderableType] = [
        Text(printable(finding.message)),
        Text(" · ".join(facts), style="dim"),
    ]
    if finding.suggestion is not None:
        parts.append(suggestion_block(finding.suggestion, "suggested"))
        if finding.alternatives:
            more = counted(len(finding.alternatives), "alternative")
            parts.append(Text(f"and {more}, in full with --json", style="dim"))
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=BADGE_WIDTH, no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(badge(finding.severity), Group(*parts))
    return grid


def badge(severity: Severity) -> Text:
    """Return the word for a severity in its colour."""
    return Text(severity.word.upper(), style=STYLES[severity])


def suggestion_block(suggestion: Suggestion, title: str) -> RenderableType:
    """Return the changes of a suggestion, for each attribute the value now and then."""
    why = "" if suggestion.hypothesis is None else f", if {HYPOTHESES[suggestion.hypothesis]}"
    lines: list[RenderableType] = [Text(f"{title}{why}:", style="green")]
    for changes in _by_attribute(suggestion.changes).values():
        lines += [_indented(line) for line in _change(changes)]
    if suggestion.display is not None:
        lines.append(_indented(Text(f"on the screen  {_turn(suggestion.display)}", style="dim")))
    return Group(*lines)


def change_line(suggestion: Suggestion) -> Text:
    """Return what a suggestion writes in a line or two: attribute, value now, value then."""
    # A position that stays is part of a suggestion about the orientation, and no news in a list.
    groups = _by_attribute(each for each in suggestion.changes if each.current != each.proposed)
    line = Text(overflow="fold")
    for name, changes in list(groups.items())[:CHANGES_SHOWN]:
        first = changes[0]
        then = "(removed)" if first.action is Action.REMOVE else _brief(name, first.proposed)
        line.append("; " if line.plain else "")
        line.append(f"{printable(name)} {_brief(name, first.current)} -> ")
        line.append(then, "green")
    more = len(groups) - CHANGES_SHOWN
    return line.append(f"; and {counted(more, 'attribute')} more", "dim") if more > 0 else line


def _brief(name: str, given: tuple[JsonValue, ...] | None) -> str:
    """Return a value short enough for a list; directions as letters."""
    if name == "ImageOrientationPatient" and given:
        return plane_letters(tuple(map(str, given))) or "malformed"
    text = values(given)
    return (
        text
        if len(text) <= BRIEF_LENGTH_MAX
        else f"{text[:BRIEF_LENGTH_MAX]}\N{HORIZONTAL ELLIPSIS}"
    )


def rejection_block(rejected: Sequence[Rejection]) -> RenderableType:
    """Return what could not be taken in, and why."""
    lines: list[RenderableType] = [Text("Not taken in", style="bold")]
    for each in rejected:
        lines.append(_indented(Text(printable(each.path), overflow="fold")))
        said = Text.assemble((each.reason, "yellow"), ": ", printable(each.message))
        lines.append(_indented(_indented(said)))
    return Group(*lines, "")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun; `series` stays as it is."""
    plural = noun if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def tally(findings: Iterable[Finding]) -> str:
    """Return how many findings there are of each severity, the worst first."""
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for finding in findings:
        counts[finding.severity] += 1
    return ", ".join(f"{count:,} {severity.word}" for severity, count in counts.items() if count)


def values(given: tuple[JsonValue, ...] | None) -> str:
    """Return the values of a change as they stand in a data set."""
    if given is None:
        return "(absent)"
    text = printable("\\".join(_plain(value) for value in given))
    return (text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…") or "(empty)"


@frozen
class Values:
    """Values of one element, broken after a backslash rather than within a number."""

    text: str
    style: str = ""

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield one line after the other."""
        yield Text("\n".join(self._lines(options.max_width)), style=self.style, overflow="fold")

    def _lines(self, width: int) -> Iterator[str]:
        line = ""
        first, *others = self.text.split("\\")
        for part in (first, *(f"\\{other}" for other in others)):
            if line and len(line) + len(part) > width:
                yield line
                line = ""
            line += part
        yield line


def _change(changes: Sequence[Change]) -> Iterator[RenderableType]:
    """Yield the attribute and where it stands, then the values now and then."""
    first = changes[0]
    # Items of sequences are mappings, which no set takes.
    differ = any(
        (change.current, change.proposed) != (first.current, first.proposed) for change in changes
    )
    where = f"in the whole {first.scope}"
    if first.sop_instance_uid is not None:
        noun = "instance" if first.path == first.attribute else "frame"
        where = f"in {counted(len(changes), noun)}"
        where += ", for example" if differ else ""
    yield Text.assemble((printable(first.attribute), "bold"), (f"  {where}", "dim"))
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    if not differ and first.current == first.proposed:
        grid.add_row("  stays", Values(values(first.current)))
    else:
        proposed = "(removed)" if first.action is Action.REMOVE else values(first.proposed)
        grid.add_row("  now", Values(values(first.current)))
        grid.add_row("  then", Values(proposed, "green"))
    yield grid


def _turn(display: Display) -> str:
    turned = f"turn by {display.image_rotation}° clockwise" if display.image_rotation else ""
    flipped = "flip left to right" if display.image_horizontal_flip == "Y" else ""
    return ", then ".join(filter(None, (turned, flipped))) or "as it is"


def _leaves(item: Mapping[str, object]) -> Iterator[str]:
    for element in item.values():
        held = element.get("Value", ()) if isinstance(element, Mapping) else ()
        yield from (_plain(each) for each in held)


def _plain(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return str(value.get("Alphabetic") or f"(item: {', '.join(_leaves(value))})")
    return "" if value is None else str(value)


def _indented(content: RenderableType) -> RenderableType:
    return Padding(content, (0, 0, 0, INDENT))


def _is_whole(prediction: Prediction) -> bool:
    return prediction.sop_instance_uid is None


def pixels_show(predictions: Iterable[Prediction]) -> str:
    """Return one line of what models said of a series as a whole, and where there is no model."""
    asked = [each for each in predictions if _is_whole(each)]
    # Targets of other modalities and planes would bury those that say something.
    telling = [each for each in asked if each.reason not in _BESIDE_THE_POINT] or asked[:1]
    lacking = [each for each in telling if each.reason is Abstention.MODEL_UNAVAILABLE]
    told = [_shown(each) for each in telling if each not in lacking]
    if lacking:
        told.append(f"no model: {', '.join(map(_name, lacking))}")
    return "   ".join(told)


def _name(prediction: Prediction) -> str:
    return TARGET_NAMES.get(prediction.target, prediction.target.replace("_", " "))


def _shown(prediction: Prediction) -> str:
    name = _name(prediction)
    if prediction.labels:
        accepted = ", ".join(f"{x} {prediction.probabilities[x]:.0%}" for x in prediction.labels)
        return f"{name}: {accepted}"
    if prediction.label is None or prediction.probability is None:
        return f"{name}: {_why(prediction)}"
    if prediction.turn is not None and prediction.mirror is not None:
        return f"{name}: {_orientation(prediction)}"
    if prediction.target == "image_quality" and not prediction.abstained:
        return f"{name}: good"  # no fault reached its threshold
    note = f" ({_why(prediction)})" if prediction.abstained else ""
    return f"{name}: {prediction.label} {prediction.probability:.0%}{note}"


def _turn_in_words(target: str, turn: int) -> str:
    if target == "axial_orientation":
        return f"spine at the {CLASS_BOTTOM_SIDES[turn]}"
    return f"turned by {90 * turn} degrees" if turn else "upright"


def _orientation(prediction: Prediction) -> str:
    turn, mirror = prediction.turn, prediction.mirror
    assert turn is not None
    assert mirror is not None
    if turn.abstained and mirror.abstained:
        return _why(prediction)
    spine = f"{_turn_in_words(prediction.target, int(turn.value))} {turn.probability:.0%}"
    side = f"{'mirrored' if mirror.value else 'not mirrored'} {mirror.probability:.0%}"
    return ", ".join(
        (
            "turn undecided" if turn.abstained else spine,
            "mirror undecided" if mirror.abstained else side,
        )
    )


def _why(prediction: Prediction) -> str:
    return REASONS.get(str(prediction.reason), str(prediction.reason))


def _by_attribute(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.attribute, []).append(change)
    return groups
