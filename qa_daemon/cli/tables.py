"""What `check`, `queue` and `demo` print for people."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from qa_daemon.records.finding import Change, Finding, JsonValue, Rejection, Severity, Suggestion
from qa_daemon.records.prediction import Prediction
from qa_daemon.report.as_text import HYPOTHESES
from qa_daemon.report.summary import SeriesReport, StudyReport

STYLES: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.MAJOR: "bold red",
    Severity.MINOR: "yellow",
    Severity.INFO: "cyan",
}
# A value that is longer is cut on the screen; the suggestion files hold all of it.
VALUE_WIDTH: Final = 44
TARGET_NAMES: Final = {"axial_orientation": "orientation", "body_region": "region"}


def print_checked(
    series: Sequence[SeriesReport], studies: Sequence[StudyReport], rejected: Sequence[Rejection]
) -> None:
    """Print everything that `check` found out."""
    console = Console(highlight=False)
    for report in series:
        console.print(series_section(report))
    for study in studies:
        if study.verdict.findings:
            console.print(Text(f"Study {study.study_instance_uid}", style="bold"))
            for finding in study.verdict.findings:
                console.print(Padding(finding_block(finding), (0, 0, 0, 2)))
    if rejected:
        console.print(rejection_table(rejected))
    console.print(_summary(series, studies, rejected))


def series_section(report: SeriesReport) -> RenderableType:
    """Return one series: heading, predictions, findings with their suggestions."""
    series = report.series
    count = len(series.instances)
    heading = Text.assemble(
        (f"{series.modality or '??':<3}", "bold"),
        f" {count} instance{'s' if count != 1 else ''}  ",
        (printable(series.series_instance_uid), "dim"),
    )
    lines: list[RenderableType] = [heading]
    said = "   ".join(_told(each) for each in report.inference.predictions if _is_of_series(each))
    if said:
        lines.append(Padding(Text(said, style="dim"), (0, 0, 0, 4)))
    if not report.verdict.findings:
        lines.append(Padding(Text("no finding", style="green"), (0, 0, 0, 4)))
    lines.extend(
        Padding(finding_block(finding), (0, 0, 0, 4)) for finding in report.verdict.findings
    )
    lines.extend(
        Padding(Text(f"fault: {fault.rule}: {fault.reason}", style="magenta"), (0, 0, 0, 4))
        for fault in report.verdict.outcomes.fault
    )
    return Group(*lines, "")


def finding_block(finding: Finding) -> RenderableType:
    """Return one finding: severity, rule, words, confidence, the first suggestion."""
    sure = "" if finding.confidence is None else f"  ({finding.confidence:.0%} sure)"
    line = Text.assemble(
        (f" {finding.severity.word.upper()} ", STYLES[finding.severity]),
        (f" {finding.rule}  ", "bold"),
        printable(finding.message),
        (sure, "dim"),
    )
    if finding.suggestion is None:
        return line
    more = len(finding.alternatives)
    note = f"  and {more} alternative{'s' if more > 1 else ''}" if more else ""
    return (
        Group(
            line,
            Padding(suggestion_table(finding.suggestion), (0, 0, 0, 2)),
            Text(note, style="dim"),
        )
        if more
        else Group(line, Padding(suggestion_table(finding.suggestion), (0, 0, 0, 2)))
    )


def suggestion_table(suggestion: Suggestion) -> Table:
    """Return the changes of a suggestion, one line per attribute."""
    title = "suggested"
    if suggestion.hypothesis is not None:
        title = f"suggested, if {HYPOTHESES[suggestion.hypothesis]}"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False)
    for name in ("attribute", "as tagged", "as suggested", "where"):
        table.add_column(name, header_style="dim", overflow="fold")
    for first, count in _by_attribute(suggestion.changes):
        where = "every instance" if first.sop_instance_uid is None else f"{count} instance(s)"
        table.add_row(first.attribute, values(first.current), values(first.proposed), where)
    return table


def rejection_table(rejected: Sequence[Rejection]) -> Table:
    """Return what could not be taken in, and why."""
    table = Table(title="Not taken in", title_justify="left", box=None, pad_edge=False)
    table.add_column("path", overflow="fold")
    table.add_column("reason", style="yellow")
    table.add_column("what to do", overflow="fold")
    for each in rejected:
        table.add_row(printable(each.path), each.reason, printable(each.message))
    return table


def values(given: tuple[JsonValue, ...] | None) -> str:
    """Return the values of a change as they stand in a data set."""
    if given is None:
        return "(absent)"
    text = printable("\\".join("" if value is None else str(value) for value in given))
    return (text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 1] + "…") or "(empty)"


def printable(text: str) -> str:
    """Return text that cannot drive the terminal: control characters become U+FFFD."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _is_of_series(prediction: Prediction) -> bool:
    return prediction.sop_instance_uid is None


def _told(prediction: Prediction) -> str:
    name = TARGET_NAMES.get(prediction.target, prediction.target)
    if prediction.labels:
        shown = ", ".join(f"{x} {prediction.probabilities[x]:.2f}" for x in prediction.labels)
        return f"{name}: {shown}"
    if prediction.label is None or prediction.probability is None:
        return f"{name}: none ({prediction.reason})"
    if prediction.turn is None or prediction.mirror is None:
        note = f" (undecided: {prediction.reason})" if prediction.abstained else ""
        return f"{name}: {prediction.label} {prediction.probability:.2f}{note}"
    turn = (
        "turn undecided"
        if prediction.turn.abstained
        else f"turn {int(prediction.turn.value)} {prediction.turn.probability:.2f}"
    )
    side = "mirrored" if prediction.mirror.value else "not mirrored"
    mirror = (
        "mirror undecided"
        if prediction.mirror.abstained
        else f"{side} {prediction.mirror.probability:.2f}"
    )
    return f"{name}: {turn}, {mirror}"


def _by_attribute(changes: Iterable[Change]) -> Iterator[tuple[Change, int]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.attribute, []).append(change)
    for group in groups.values():
        yield group[0], len(group)


def _summary(
    series: Sequence[SeriesReport], studies: Sequence[StudyReport], rejected: Sequence[Rejection]
) -> Text:
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    verdicts = [*(each.verdict for each in series), *(each.verdict for each in studies)]
    for verdict in verdicts:
        for finding in verdict.findings:
            counts[finding.severity] += 1
    said = ", ".join(f"{count} {severity.word}" for severity, count in counts.items() if count)
    return Text(
        f"{len(series)} series: {said or 'no findings'}; {len(rejected)} not taken in",
        style="bold",
    )
