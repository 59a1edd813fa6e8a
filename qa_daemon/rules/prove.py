"""Rules proven by the cases in their own files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import evolve, frozen

from qa_daemon.dicom.encoding.dictionary import tag_of, vr_of
from qa_daemon.records.element import Element, Value
from qa_daemon.records.finding import Finding, Level
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Irregularity, Located, Plane
from qa_daemon.records.prediction import MULTI_LABEL, Abstention, Part, Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import SeriesFacts, StudyFacts
from qa_daemon.rules.schema import Case, CaseSeries, Operand, Outcome, Rule, RulePack
from qa_daemon.rules.source import At, Raw, Reader, frozen_values
from qa_daemon.series.assemble import assemble

# From here on a case's prediction counts as decided; a real one brings its own abstention.
_DECIDED_FROM: Final = 0.9
_ACCEPTED_FROM: Final = 0.5

_NUMERIC_VRS: Final = frozenset({"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_UID_ROOT: Final = "1.2.826.0.1.3680043.10.9999"
_CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"

#: Attaches suggestions to a finding; lives in the room `suggest`, which stands above this one.
Propose: TypeAlias = Callable[[Rule, Finding, SeriesFacts | StudyFacts], Finding]


@frozen
class Failure:
    """A case that did not come out as it says."""

    rule: str
    case: str
    path: str
    wanted: str
    got: str

    def __str__(self) -> str:
        """Return the line that `rules test` shows."""
        return (
            f"{self.path}: rule {self.rule}: case '{self.case}': "
            f"wanted {self.wanted}, got {self.got}"
        )


def prove(pack: RulePack, propose: Propose | None = None) -> tuple[Failure, ...]:
    """Run all cases of all rules, drafts included; return those that failed."""
    failures = []
    for _, rule in sorted(pack.rules.items()):
        for case in rule.cases:
            failures.extend(_proven(rule, case, propose))
    return tuple(failures)


def _proven(rule: Rule, case: Case, propose: Propose | None) -> list[Failure]:
    facts = facts_of(rule, case)
    judgement = judged(rule, facts)

    def failure(wanted: str, got: str) -> Failure:
        return Failure(rule.id, case.name, rule.path, wanted, got)

    if judgement.outcome is not case.outcome:
        reason = f" ({judgement.reason})" if judgement.reason else ""
        return [failure(case.outcome, f"{judgement.outcome}{reason}")]
    failures = []
    severities = sorted({finding.severity.word for finding in judgement.findings})
    if case.severity and severities != [case.severity]:
        failures.append(failure(f"severity {case.severity}", ", ".join(severities) or "none"))
    if case.proposes is not None and propose is not None:
        findings = [propose(rule, finding, facts) for finding in judgement.findings]
        proposed = [text for finding in findings for text in _proposed(finding)]
        if not set(case.proposes) <= set(proposed) or (proposed and not case.proposes):
            failures.append(failure(f"proposes {list(case.proposes)}", str(sorted(set(proposed)))))
    return failures


def _proposed(finding: Finding) -> list[str]:
    if finding.suggestion is None:
        return []
    return [
        "\\".join(str(value) for value in change.proposed or ())
        for change in finding.suggestion.changes
    ]


def facts_of(rule: Rule, case: Case) -> SeriesFacts | StudyFacts:
    """Return the facts that a case describes."""
    series = tuple(case_series(each, number) for number, each in enumerate(case.series, start=1))
    if rule.level in {Level.STUDY, Level.VISIT}:
        return StudyFacts(series)
    inference = Inference(
        predictions=tuple(
            case_prediction(target, labels) for target, labels in case.predictions.items()
        ),
        table_side=case.table_side or None,
    )
    return SeriesFacts(series[0], inference, series[1:])


def case_series(described: CaseSeries, number: int = 1) -> Series:
    """Return a series with the tags of a case; UIDs are made up where it names none."""
    rows: Sequence[Mapping[str, Operand]] = described.instances or ({},)
    instances = [
        _instance({**described.tags, **row}, number, index)
        for index, row in enumerate(rows, start=1)
    ]
    odd = tuple(Irregularity(kind, f"{kind} (case)") for kind in described.irregularities)
    instances[0] = evolve(instances[0], irregularities=odd)
    return assemble(instances)


def _instance(tags: Mapping[str, Operand], series: int, number: int) -> Instance:
    elements = {keyword: _element(keyword, value) for keyword, value in tags.items()}

    def text(keyword: str, default: str) -> str:
        element = elements.get(keyword)
        return str(element.values[0]) if element is not None and element.values else default

    spatial = [keyword in elements for keyword in _PLANE_KEYWORDS]
    return Instance(
        study_instance_uid=text("StudyInstanceUID", f"{_UID_ROOT}.1"),
        series_instance_uid=text("SeriesInstanceUID", f"{_UID_ROOT}.1.{series}"),
        sop_instance_uid=text("SOPInstanceUID", f"{_UID_ROOT}.1.{series}.{number}"),
        sop_class_uid=text("SOPClassUID", _CT_IMAGE),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        elements=elements,
        planes=(Plane(1, *(_located(key, elements) for key in _PLANE_KEYWORDS)),)
        if any(spatial)
        else (),
        number_of_frames=1,
        digest=f"{series}.{number}",
    )


_PLANE_KEYWORDS: Final = ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")


def _located(keyword: str, elements: Mapping[str, Element]) -> Located | None:
    element = elements.get(keyword)
    if element is None:
        return None
    return Located(keyword, element.vr, tuple(str(value) for value in element.values))


def _element(keyword: str, value: Operand) -> Element:
    tag = tag_of(keyword)
    assert tag is not None, f"no such keyword: {keyword}"
    vr = vr_of(tag)
    values = () if value is None else value if isinstance(value, tuple) else (value,)
    return Element(vr, tuple(_value(vr, each) for each in values))


def _value(vr: str, value: Operand) -> Value:
    if isinstance(value, Mapping):
        return {keyword: _element(keyword, each) for keyword, each in value.items()}
    if vr in _NUMERIC_VRS and isinstance(value, int | float):
        return value
    return str(value)


def case_prediction(target: str, labels: Mapping[str, float]) -> Prediction:
    """Return the prediction that a case describes by the probabilities of its labels."""
    if not labels:
        return Prediction(target, "case@1", reason=Abstention.LOW_PROBABILITY)
    best = max(labels, key=lambda name: labels[name])
    part = _orientation_parts(labels) if target.endswith("_orientation") else (None, None)
    is_decided = labels[best] >= (_ACCEPTED_FROM if target in MULTI_LABEL else _DECIDED_FROM)
    accepted = sorted(
        (n for n, p in labels.items() if p >= _ACCEPTED_FROM), key=lambda n: -labels[n]
    )
    return Prediction(
        target=target,
        model="case@1",
        label=best,
        probability=labels[best],
        abstained=not is_decided,
        reason=None if is_decided else Abstention.LOW_PROBABILITY,
        probabilities=labels,
        labels=tuple(accepted) if target in MULTI_LABEL else None,
        turn=part[0],
        mirror=part[1],
    )


def _orientation_parts(labels: Mapping[str, float]) -> tuple[Part, Part]:
    turns = [sum(p for name, p in labels.items() if int(name) % 4 == k) for k in range(4)]
    mirrored = sum(p for name, p in labels.items() if int(name) >= 4)
    turn, mirror = max(turns), max(mirrored, 1 - mirrored)
    return (
        Part(turns.index(turn), turn, turn < _DECIDED_FROM),
        Part(mirrored > 0.5, mirror, mirror < _DECIDED_FROM),
    )


_CASE_KEYS: Final = frozenset(
    {"name", "outcome", "tags", "instances", "irregularities", "series", "predictions"}
    | {"table_side", "severity", "proposes"}
)


def read_case(reader: Reader, raw: Raw, at: At) -> Case | None:
    """Return a case of a rule file; None, with the fault noted, if it is none."""
    if not reader.keys(raw, at, _CASE_KEYS):
        return None
    series = raw.get("series", [{key: raw[key] for key in _SERIES_KEYS if key in raw}])
    predictions, proposes = raw.get("predictions", {}), raw.get("proposes", [])
    outcome = raw.get("outcome")
    said = {
        f"outcome is one of {', '.join(Outcome)}": isinstance(outcome, str)
        and outcome in set(Outcome),
        "series is a list of series": isinstance(series, list) and bool(series),
        "predictions are target: {label: probability}": _are_predictions(predictions),
        "proposes is a list": isinstance(proposes, list),
    }
    for what in (what for what, is_right in said.items() if not is_right):
        reader.fault(at, what)
    if not all(said.values()):
        return None
    # Every series is looked at, so that all faults are told at once.
    if not all(tuple(_is_series(reader, each, at) for each in series)):
        return None
    return Case(
        name=str(raw.get("name", "")),
        outcome=Outcome(outcome),
        series=tuple(map(_case_series, series)),
        predictions=frozen_values(predictions),
        table_side=str(raw.get("table_side", "")),
        severity=str(raw.get("severity", "")),
        proposes=tuple(map(str, proposes)) if "proposes" in raw else None,
    )


_SERIES_KEYS: Final = frozenset({"tags", "instances", "irregularities"})


def _are_predictions(raw: Raw) -> bool:
    return isinstance(raw, dict) and all(
        isinstance(labels, dict)
        and all(isinstance(p, int | float) and 0 <= p <= 1 for p in labels.values())
        and (not str(target).endswith("_orientation") or set(labels) <= set("01234567"))
        for target, labels in raw.items()
    )


def _is_series(reader: Reader, raw: Raw, at: At) -> bool:
    if not reader.keys(raw, at, _SERIES_KEYS):
        return False
    rows, kinds = raw.get("instances", []), raw.get("irregularities", [])
    if not isinstance(rows, list) or not isinstance(kinds, list):
        reader.fault(at, "instances and irregularities are lists")
        return False
    return all(tuple(_are_tags(reader, tags, at) for tags in (raw.get("tags", {}), *rows)))


def _are_tags(reader: Reader, raw: Raw, at: At) -> bool:
    if not isinstance(raw, dict):
        reader.fault(at, "tags are a mapping of keywords to values")
        return False
    wrong = [
        f"{keyword}: no such keyword"
        if not isinstance(keyword, str) or tag_of(keyword) is None
        else f"{keyword}: a value is a text (in quotes if it looks like something else) or a number"
        for keyword, value in raw.items()
        if not isinstance(keyword, str) or tag_of(keyword) is None or not _is_value(value)
    ]
    for what in wrong:
        reader.fault(at, what)
    return not wrong


def _is_value(raw: Raw) -> bool:
    values = raw if isinstance(raw, list) else [raw] if raw is not None else []
    return all(
        all(isinstance(k, str) and tag_of(k) is not None and _is_value(v) for k, v in each.items())
        if isinstance(each, dict)
        else isinstance(each, str | int | float) and not isinstance(each, bool)
        for each in values
    )


def _case_series(raw: Mapping[str, Raw]) -> CaseSeries:
    return CaseSeries(
        tags=frozen_values(raw.get("tags", {})),
        instances=frozen_values(raw.get("instances", [])),
        irregularities=tuple(map(str, raw.get("irregularities", []))),
    )
