"""The report of one series for a person: what was found, why, and what would mend it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from qa_daemon.records.finding import Change, Finding, Hypothesis, JsonValue, Scope, Suggestion
from qa_daemon.records.prediction import Abstention, Prediction
from qa_daemon.report.summary import INTENDED_USE, SeriesReport

HYPOTHESES: Final[Mapping[Hypothesis, str]] = {
    Hypothesis.IOP_WRONG: "the pixels are as acquired, only the orientation tag is wrong",
    Hypothesis.FRAME_WRONG: "the patient position was entered wrongly, all coordinates are turned",
    Hypothesis.PIXELS_TURNED: "the pixels were turned after acquisition and the tags were not",
}

# Instances listed in full in a table of changes; the rest are in the suggestion file.
_ROWS_MAX: Final = 5
# Six decimal strings of 16 characters: no proposed orientation is cut.
_VALUE_LENGTH_MAX: Final = 6 * 16 + 5


def series_text(report: SeriesReport, *, rules: str = "", version: str = "") -> str:
    """Return the readable report of a series.

    Parameters
    ----------
    rules
        Digest of the rule pack.
    version
        Version of the product.
    """
    lines = [
        *_heading(report),
        "",
        *_predictions(report.inference.predictions),
        "",
        *_findings(report.verdict.findings, len(report.series.instances)),
        *_unjudged(report),
        "",
        *_versions(report, rules, version),
        INTENDED_USE,
    ]
    return "\n".join(map(_printable, lines)) + "\n"


def _printable(line: str) -> str:
    """Replace control and direction characters: a name must not drive the reader's terminal."""
    return "".join(each if each.isprintable() else "\ufffd" for each in line)


def _heading(report: SeriesReport) -> Iterator[str]:
    series = report.series
    yield f"Series      {series.series_instance_uid}"
    yield f"Study       {series.study_instance_uid}"
    yield f"Modality    {series.modality or '(none)'}"
    yield f"Instances   {len(series.instances)} (revision {series.revision})"


def _predictions(predictions: Sequence[Prediction]) -> Iterator[str]:
    of_series = [each for each in predictions if each.sop_instance_uid is None]
    yield "What the pixels show"
    if not of_series:
        yield "  nothing was asked"
    # Targets of other modalities would bury those that say something.
    telling = [each for each in of_series if each.reason is not Abstention.NOT_APPLICABLE]
    for each in sorted(telling or of_series[:1], key=lambda each: each.target):
        yield f"  {each.target:24}{_said(each)}"


def _said(prediction: Prediction) -> str:
    if prediction.label is None:
        return f"not known ({prediction.reason})"
    label = ", ".join(prediction.labels or ()) or prediction.label
    said = f"{label}  probability {prediction.probability or 0.0:.3f}"
    return f"{said}, not used ({prediction.reason})" if prediction.abstained else said


def _findings(findings: Sequence[Finding], instances: int) -> Iterator[str]:
    if not findings:
        yield "No findings."
        return
    yield f"Findings: {len(findings)}"
    for number, finding in enumerate(findings, start=1):
        yield ""
        yield from _finding(number, finding, instances)


def _finding(number: int, finding: Finding, instances: int) -> Iterator[str]:
    concerned = len(finding.sop_instance_uids) or instances
    confidence = "" if finding.confidence is None else f", confidence {finding.confidence:.3f}"
    yield f"{number}. [{finding.severity.word}] {finding.rule} ({finding.topic}){confidence}"
    yield f"   {finding.message}"
    yield f"   Concerns {concerned} of {instances} instances."
    for name, value in sorted(finding.evidence.items()):
        yield f"   - {name}: {value}"
    if finding.suggestion is not None:
        yield from _suggestion("Suggested", finding.suggestion)
        for each in finding.alternatives:
            yield from _suggestion("Or else", each)


def _suggestion(title: str, suggestion: Suggestion) -> Iterator[str]:
    why = "" if suggestion.hypothesis is None else f" if {HYPOTHESES[suggestion.hypothesis]}"
    confidence = (
        "" if suggestion.confidence is None else f" (confidence {suggestion.confidence:.3f})"
    )
    yield f"   {title}{why}{confidence}:"
    for attribute, changes in _by_attribute(suggestion.changes).items():
        yield from _table(attribute, changes)
    if suggestion.display is not None:
        flip = ", then flip left-right" if suggestion.display.image_horizontal_flip == "Y" else ""
        yield f"     on screen: turn {suggestion.display.image_rotation} degrees clockwise{flip}"


def _by_attribute(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.attribute, []).append(change)
    return grouped


def _table(attribute: str, changes: Sequence[Change]) -> Iterator[str]:
    """One row per distinct pair of values, with the number of places where it stands."""
    rows: dict[str, int] = {}
    for change in changes:
        row = _row(change)
        rows[row] = rows.get(row, 0) + 1
    yield f"     {attribute} ({changes[0].tag})"
    for row, count in list(rows.items())[:_ROWS_MAX]:
        everywhere = changes[0].scope is not Scope.INSTANCE
        places = f"every instance of the {changes[0].scope}" if everywhere else _places(count)
        yield f"       {row}   [{places}]"
    if len(rows) > _ROWS_MAX:
        yield f"       and {len(rows) - _ROWS_MAX} more; all stand in the suggestion file"


def _row(change: Change) -> str:
    if change.current == change.proposed:
        return f"stays {_value(change.current)}"
    return f"{_value(change.current)}  ->  {_value(change.proposed)}"


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"


def _value(values: tuple[JsonValue, ...] | None) -> str:
    if values is None:
        return "(absent)"
    text = "\\".join(_plain(value) for value in values) or "(empty)"
    return text if len(text) <= _VALUE_LENGTH_MAX else f"{text[:_VALUE_LENGTH_MAX]}..."


def _plain(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return str(value.get("Alphabetic", "(item)"))
    return "" if value is None else str(value)


def _unjudged(report: SeriesReport) -> Iterator[str]:
    outcomes = report.verdict.outcomes
    yield ""
    yield (
        f"Rules: {len(outcomes.passed)} passed, {len(outcomes.finding)} fired, "
        f"{len(outcomes.not_applicable)} not applicable, {len(outcomes.not_evaluated)} not "
        f"evaluated, {len(outcomes.fault)} broken"
    )
    for each in outcomes.not_evaluated:
        yield f"  not evaluated: {each.rule} ({each.reason})"
    for each in outcomes.fault:
        yield f"  broken: {each.rule} ({each.reason})"


def _versions(report: SeriesReport, rules: str, version: str) -> Iterator[str]:
    models = sorted({each.model for each in report.inference.predictions if each.model})
    yield f"Models      {', '.join(models) or '(none)'}"
    if rules:
        yield f"Rules       {rules[:16]}"
    if version:
        yield f"qa-daemon   {version}"
