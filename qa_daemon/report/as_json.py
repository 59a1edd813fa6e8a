"""The document of `check --json` (contract, section 2) and the suggestion file of a series."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import asdict

from qa_daemon.dicom.json_model import tag_and_vr
from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    Outcomes,
    Rejection,
    Suggestion,
    Unjudged,
    Verdict,
)
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import MULTI_LABEL, ORIENTATIONS, Box, Part, Prediction
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport, StudyReport, VisitReport, first_suggestions

VERSION: Final = 1

#: The target that says where it found its answer.
_MARKER: Final = "side_marker"

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_STEP: Final = re.compile(r"([0-9A-Za-z]+)\[([1-9][0-9]*)\]")


def document(
    series: Iterable[SeriesReport],
    studies: Iterable[StudyReport] = (),
    visits: Iterable[VisitReport] = (),
    rejected: Iterable[Rejection] = (),
) -> str:
    """Return the document of `check --json`, arrays sorted, without NaN or lone surrogates."""
    studies = sorted(studies, key=lambda each: each.study_instance_uid)
    visits = sorted(visits, key=lambda each: sorted(each.study_instance_uids))
    outcomes = _of_larger(studies, visits)
    return as_text(
        {
            "version": VERSION,
            "series": [
                _series(report, outcomes.get(report.series.study_instance_uid, Outcomes()))
                for report in sorted(series, key=_series_order)
            ],
            "studies": [
                {
                    "study_instance_uid": study.study_instance_uid,
                    "findings": _findings(study.verdict),
                }
                for study in studies
            ],
            "visits": [
                {
                    "study_instance_uids": sorted(visit.study_instance_uids),
                    "findings": _findings(visit.verdict),
                }
                for visit in visits
                if visit.verdict.findings
            ],
            "rejected": [
                {"path": each.path, "reason": each.reason, "message": each.message}
                for each in sorted(rejected, key=lambda each: (each.path, each.reason))
            ],
        }
    )


def _of_larger(
    studies: Iterable[StudyReport], visits: Iterable[VisitReport]
) -> dict[str, Outcomes]:
    """Return by study what rules of level study and visit came to."""
    found = {study.study_instance_uid: study.verdict.outcomes for study in studies}
    for visit in visits:
        for uid in visit.study_instance_uids:
            found[uid] = found.get(uid, Outcomes()).and_those(visit.verdict.outcomes)
    return found


def as_text(value: Json) -> str:
    """Return JSON text; what UTF-8 cannot carry becomes U+FFFD."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATES.sub("\ufffd", text)


def _finite(value: Json) -> Json:
    """Write numbers that JSON does not know as texts (PS3.18 F.2.3 allows no others)."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(each) for each in value]
    return value


def _series_order(report: SeriesReport) -> tuple[str, str]:
    return report.series.study_instance_uid, report.series.series_instance_uid


def _series(report: SeriesReport, of_study: Outcomes) -> Json:
    series = report.series
    return {
        "study_instance_uid": series.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "instances": len(series.instances),
        "predictions": [
            _prediction(each)
            for each in sorted(report.inference.predictions, key=_prediction_order)
        ],
        "findings": _findings(report.verdict),
        "rules": _rules(report.verdict.outcomes, of_study),
    }


def _prediction_order(prediction: Prediction) -> tuple[str, str, int]:
    return prediction.target, prediction.sop_instance_uid or "", prediction.frame or 0


def _prediction(prediction: Prediction) -> Json:
    written: dict[str, Json] = {
        "target": prediction.target,
        "sop_instance_uid": prediction.sop_instance_uid,
        "frame": prediction.frame,
        "label": prediction.label,
        "probability": prediction.probability,
        "abstained": prediction.abstained,
        "reason": None if prediction.reason is None else str(prediction.reason),
        "model": prediction.model,
        "probabilities": dict(sorted(prediction.probabilities.items())),
    }
    # What a target adds is there too where nothing was computed, so that readers need not ask.
    if prediction.labels is not None or prediction.target in MULTI_LABEL:
        written["labels"] = list(prediction.labels or ())
    if prediction.turn is not None or prediction.target in ORIENTATIONS:
        written["turn"] = _part(prediction.turn)
    if prediction.mirror is not None or prediction.target in ORIENTATIONS:
        written["mirror"] = _part(prediction.mirror)
    if prediction.target == _MARKER:
        written["box"] = _box(prediction.box)
        written["mirrored"] = prediction.mirrored
    return written


def _box(box: Box | None) -> Json:
    """Return left, top, right, bottom in pixels, the corner of the first pixel at (0, 0)."""
    return None if box is None else [box.left, box.top, box.right, box.bottom]


def _part(part: Part | None) -> Json:
    if part is None:
        return {"value": None, "probability": None, "abstained": True}
    return {"value": part.value, "probability": part.probability, "abstained": part.abstained}


def _findings(verdict: Verdict) -> list[Json]:
    return [
        finding_as_json(each)
        for each in sorted(verdict.findings, key=lambda each: (-each.severity, each.rule))
    ]


def finding_as_json(finding: Finding) -> Json:
    """Return one finding in the form of the contract, section 2."""
    written: dict[str, Json] = {
        "rule": finding.rule,
        "topic": str(finding.topic),
        "severity": finding.severity.word,
        "level": str(finding.level),
        "message": finding.message,
        "confidence": finding.confidence,
        "sop_instance_uids": sorted(finding.sop_instance_uids),
        "evidence": dict(sorted(finding.evidence.items())),
        "suggestion": None
        if finding.suggestion is None
        else suggestion_as_json(finding.suggestion),
        "alternatives": (
            []
            if finding.suggestion is None
            else [suggestion_as_json(each) for each in finding.alternatives]
        ),
    }
    if finding.assignment is not None:
        written["assignment"] = asdict(finding.assignment)
    return written


def suggestion_as_json(suggestion: Suggestion) -> Json:
    """Return one suggestion in the form of the contract, section 2."""
    written: dict[str, Json] = {
        "hypothesis": None if suggestion.hypothesis is None else str(suggestion.hypothesis),
        "confidence": suggestion.confidence,
        "changes": [_change(each) for each in suggestion.changes],
    }
    if suggestion.display is not None:
        written["display"] = {
            "image_rotation": suggestion.display.image_rotation,
            "image_horizontal_flip": suggestion.display.image_horizontal_flip,
        }
    return written


def _change(change: Change) -> Json:
    return {
        "scope": str(change.scope),
        "sop_instance_uid": change.sop_instance_uid,
        "action": str(change.action),
        "attribute": change.attribute,
        "tag": change.tag,
        "path": change.path,
        "vr": change.vr,
        "current": None if change.current is None else _values(change.current),
        "proposed": None if change.proposed is None else _values(change.proposed),
    }


def _values(values: Iterable[object]) -> list[Json]:
    return [_value(value) for value in values]


def _value(value: object) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    assert value is None or isinstance(value, str | int | float)
    return value


def _rules(own: Outcomes, of_study: Outcomes) -> Json:
    return {
        "passed": sorted((*own.passed, *of_study.passed)),
        "finding": sorted((*own.finding, *of_study.finding)),
        "not_applicable": sorted((*own.not_applicable, *of_study.not_applicable)),
        "not_evaluated": _unjudged((*own.not_evaluated, *of_study.not_evaluated)),
        "fault": _unjudged((*own.fault, *of_study.fault)),
    }


def _unjudged(unjudged: Iterable[Unjudged]) -> Json:
    return [
        {"rule": each.rule, "reason": each.reason}
        for each in sorted(unjudged, key=lambda each: each.rule)
    ]


def suggestion_as_dicom_json(series: tuple[str, str], suggestion: Suggestion) -> list[Json]:
    """Return one suggestion as data sets of the DICOM JSON model, as in the suggestion file.

    Parameters
    ----------
    series
        Study and Series Instance UID; "" where a whole study or visit is meant.

    Returns
    -------
    list
        One data set per instance that alone is meant, and one without SOP Instance UID for what is
        the same in every instance.
    """
    for_one: dict[str, list[Change]] = {}
    for change in suggestion.changes:
        for_one.setdefault(change.sop_instance_uid or "", []).append(change)
    return [_changed((*series, uid), changes) for uid, changes in sorted(for_one.items())]


def suggestions_as_dicom_json(series: Series, verdict: Verdict) -> str:
    """Return the suggestion file of a series: a DICOM JSON Model array (PS3.18 Annex F).

    One data set per instance that would change, in the order of the series. Each holds Study,
    Series and SOP Instance UID and, with their proposed values, the elements of the likeliest
    suggestion of every finding; where two findings touch one element, the worse finding counts. An
    element without `Value` would be emptied or removed. Within a sequence the items keep their
    places; those that stay as they are stand as empty objects.
    """
    changes = [c for _, suggestion in first_suggestions(verdict) for c in suggestion.changes]
    return as_text(data_sets_after(series.instances, changes))


def data_sets_after(instances: Sequence[Instance], changes: Sequence[Change]) -> list[Json]:
    """Return per instance that would change its data set with the proposed values, as above."""
    data_sets = []
    for_all = [change for change in changes if change.sop_instance_uid is None]
    for_one: dict[str, list[Change]] = {}
    for change in changes:
        if change.sop_instance_uid is not None:
            for_one.setdefault(change.sop_instance_uid, []).append(change)
    for instance in instances:
        concerned = [*for_one.get(instance.sop_instance_uid, ()), *for_all]
        if concerned:
            named = (instance.study_instance_uid, instance.series_instance_uid)
            data_sets.append(_changed((*named, instance.sop_instance_uid), concerned))
    return data_sets


def _changed(named: tuple[str, str, str], changes: Iterable[Change]) -> Json:
    """Return a data set with the UIDs of study, series and instance that are known."""
    data_set: dict[str, Json] = {
        tag: {"vr": "UI", "Value": [uid]}
        for tag, uid in zip(("0020000D", "0020000E", "00080018"), named, strict=True)
        if uid
    }
    written = set[str]()
    for change in changes:
        if change.path not in written:
            written.add(change.path)
            _write(data_set, change)
    return dict(sorted(data_set.items()))


def _write(data_set: dict[str, Json], change: Change) -> None:
    """Put the proposed value at the path of the change, opening sequences on the way."""
    *steps, _ = change.path.split(".")
    for step in steps:
        match = _STEP.fullmatch(step)
        assert match, f"a path of sequences counts its items: {change.attribute}"
        data_set = _item(data_set, tag_and_vr(match[1])[0], int(match[2]))
    element: dict[str, Json] = {"vr": change.vr}
    if change.proposed and change.action is not Action.REMOVE:
        element["Value"] = _values(change.proposed)
    data_set[change.tag] = element


def _item(data_set: dict[str, Json], tag: str, number: int) -> dict[str, Json]:
    items: list[dict[str, Json]]
    sequence = data_set.setdefault(tag, {"vr": "SQ", "Value": []})
    assert isinstance(sequence, dict)
    items = sequence["Value"]
    items.extend({} for _ in range(number - len(items)))
    return items[number - 1]
