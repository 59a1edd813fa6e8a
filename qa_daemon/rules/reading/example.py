"""The subject that a case of a rule file describes, made up as if it had been received."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

from attrs import evolve

from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.dicom.encoding.dictionary import tag_of, vr_of
from qa_daemon.dicom.header import planes_of
from qa_daemon.orders.asked import with_regions, with_told
from qa_daemon.records.element import Element, Elements, Value
from qa_daemon.records.finding import Level
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Irregularity, Located, Plane
from qa_daemon.records.issue import Habit
from qa_daemon.records.order import Issuer, Order, OrderKey, OrderSource, ScheduledStep
from qa_daemon.records.prediction import MULTI_LABEL, Abstention, Part, Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import Context, SeriesFacts, StudyFacts, VisitFacts
from qa_daemon.rules.operators.times import moment
from qa_daemon.rules.reading.remembered import with_store
from qa_daemon.rules.schema import Case, CaseSeries, Operand, Rule
from qa_daemon.series.assemble import assemble

# From here on a case's prediction counts as decided; a real one brings its own abstention.
_DECIDED_FROM: Final = 0.9
_ACCEPTED_FROM: Final = 0.5

_NUMERIC_VRS: Final = frozenset({"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_UID_ROOT: Final = "1.2.826.0.1.3680043.10.9999"
_CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
_EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"


def facts_of(rule: Rule, case: Case) -> SeriesFacts | StudyFacts:
    """Return the facts that a case describes."""
    series = tuple(case_series(each, number) for number, each in enumerate(case.series, start=1))
    habits = tuple(Habit(keyword, counts) for keyword, counts in case.habits.items())
    known = Context(_received(case.received), _order(case.order), habits=habits)
    context = with_store(known, case.store)
    if rule.level is Level.STUDY:
        return StudyFacts(series, context)
    if rule.level is Level.VISIT:
        return _visit(case, series)
    inference = Inference(
        predictions=tuple(
            case_prediction(target, labels) for target, labels in case.predictions.items()
        ),
        table_side=case.table_side or None,
    )
    return SeriesFacts(series[0], inference, series[1:], context)


def _visit(case: Case, series: tuple[Series, ...]) -> VisitFacts:
    inferences = {
        made.series_instance_uid: Inference(
            tuple(case_prediction(target, labels) for target, labels in each.predictions.items())
        )
        for made, each in zip(series, case.series, strict=True)
    }
    told = with_told(tuple(map(_visit_order, case.orders)), series)
    return VisitFacts(series, inferences=inferences, orders=told)


def _visit_order(said: Mapping[str, str]) -> Order:
    return with_regions(
        Order(
            OrderKey(said.get("accession", ""), Issuer(said.get("issuer", ""))),
            OrderSource.WORKLIST,
            requested_procedure_id=said.get("procedure_id", ""),
            description=said.get("procedure", ""),
            study_instance_uid=said.get("study", ""),
            steps=(ScheduledStep(modality=said.get("modality", "")),),
        )
    )


def _received(text: str) -> datetime | None:
    read = moment(text) if text else None
    if read is None:
        return None
    return read.begins.replace(tzinfo=timezone(timedelta(seconds=read.offset_s or 0)))


def _order(given: Mapping[str, Operand] | None) -> Mapping[str, tuple[str, ...]] | None:
    if given is None:
        return None
    return {
        name: tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)
        for name, value in given.items()
    }


def case_series(described: CaseSeries, number: int = 1) -> Series:
    """Return a series with the tags of a case; UIDs are made up where it names none."""
    rows: Sequence[Mapping[str, Operand]] = described.instances or ({},)
    instances = [
        _instance({**described.tags, **row}, number, index, described)
        for index, row in enumerate(rows, start=1)
    ]
    odd = tuple(Irregularity(kind, f"{kind} (case)") for kind in described.irregularities)
    instances[0] = evolve(instances[0], irregularities=odd)
    return assemble(instances)


def elements_of(tags: Mapping[str, Operand]) -> Elements:
    """Return the elements that the tags of a case stand for."""
    return {keyword: _element(keyword, value) for keyword, value in tags.items()}


def _instance(
    tags: Mapping[str, Operand], series: int, number: int, described: CaseSeries
) -> Instance:
    elements = elements_of(tags)

    def text(keyword: str, default: str) -> str:
        element = elements.get(keyword)
        return str(element.values[0]) if element is not None and element.values else default

    sop_class = text("SOPClassUID", _CT_IMAGE)
    frames = described.frames
    if frames is None:
        declared = text("NumberOfFrames", "1")
        frames = int(declared) if declared.isdecimal() else 1
    return Instance(
        study_instance_uid=text("StudyInstanceUID", f"{_UID_ROOT}.1"),
        series_instance_uid=text("SeriesInstanceUID", f"{_UID_ROOT}.1.{series}"),
        sop_instance_uid=text("SOPInstanceUID", f"{_UID_ROOT}.1.{series}.{number}"),
        sop_class_uid=sop_class,
        transfer_syntax_uid=described.transfer_syntax or _EXPLICIT_LITTLE,
        elements=elements,
        planes=_planes(elements, sop_class, frames),
        number_of_frames=frames,
        digest=f"{series}.{number}",
    )


def _planes(elements: Elements, sop_class: str, frames: int) -> tuple[Plane, ...]:
    """Return the planes that the tags name; a case need not spell out those of every CT."""
    if PER_FRAME in elements or SHARED in elements:
        return planes_of(elements, sop_class, frames)
    if not any(keyword in elements for keyword in _PLANE_KEYWORDS):
        return ()
    return (Plane(1, *(_located(key, elements) for key in _PLANE_KEYWORDS)),)


_PLANE_KEYWORDS: Final = ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")


def _located(keyword: str, elements: Mapping[str, Element]) -> Located | None:
    element = elements.get(keyword)
    if element is None:
        return None
    return Located(keyword, element.vr, tuple(str(value) for value in element.values))


def _element(keyword: str, value: Operand) -> Element:
    tag = tag_of(keyword)
    vr = "LO" if tag is None else vr_of(tag)
    values = () if value is None else value if isinstance(value, tuple) else (value,)
    return Element(vr, tuple(_value(vr, each) for each in values))


def _value(vr: str, value: Operand) -> Value:
    if isinstance(value, Mapping):
        return elements_of(value)
    if vr in _NUMERIC_VRS and isinstance(value, int | float):
        return value
    return str(value)


def case_prediction(target: str, labels: Mapping[str, float]) -> Prediction:
    """Return the prediction that a case describes by the probabilities of its labels.

    Beside the label of a side marker `mirrored: 1` or `mirrored: 0` says how it is written.
    """
    mirrored = labels.get("mirrored")
    labels = {name: p for name, p in labels.items() if name != "mirrored"}
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
        mirrored=None if mirrored is None else mirrored >= _ACCEPTED_FROM,
    )


def _orientation_parts(labels: Mapping[str, float]) -> tuple[Part, Part]:
    turns = [sum(p for name, p in labels.items() if int(name) % 4 == k) for k in range(4)]
    mirrored = sum(p for name, p in labels.items() if int(name) >= 4)
    turn, mirror = max(turns), max(mirrored, 1 - mirrored)
    return (
        Part(turns.index(turn), turn, turn < _DECIDED_FROM),
        Part(mirrored > 0.5, mirror, mirror < _DECIDED_FROM),
    )
