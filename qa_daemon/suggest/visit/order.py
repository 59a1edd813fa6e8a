"""What must be written so that images belong to another order of their visit.

Everything that names the order is changed together (the attributes that an archive takes from a
worklist item, PS3.3 C.7.2.1, C.7.3.4, 10.6): the accession alone would leave images that say two
things. What the source of the order does not tell stays as it is. The Study Instance UID is a step
of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve

from qa_daemon.dicom.json_model import json_data_set, json_values, tag_and_vr
from qa_daemon.dicom.regions import body_part, is_defined_term
from qa_daemon.orders.anatomy import overlap
from qa_daemon.orders.asked import keys_of
from qa_daemon.orders.evidence import FITS_FROM
from qa_daemon.orders.proposal import Kind, Move
from qa_daemon.records.element import Element, Elements, first_text
from qa_daemon.records.finding import Action, Change, Finding, JsonValue, Scope, Suggestion
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import Code, Issuer, Order
from qa_daemon.records.series import Series
from qa_daemon.rules.checks.visit.assigned import proposal_of
from qa_daemon.rules.facts import VisitFacts
from qa_daemon.suggest.region import body_part_for
from qa_daemon.suggest.values import removing

#: The check whose findings propose another study.
_OF_STUDY: Final = "study_of_the_order"


def with_order(check: str, finding: Finding, facts: VisitFacts) -> Finding:
    """Return a finding about a visit with all changes that would mend it, of every series."""
    concerned = set(finding.sop_instance_uids)
    series = {
        each.series_instance_uid: each
        for each in facts.series
        if concerned.intersection(instance.sop_instance_uid for instance in each.instances)
    }
    proposal = proposal_of(facts, series) if series else None
    if proposal is None:
        return finding
    changes: list[Change] = []
    for move in {each.series_instance_uid: each for each in proposal.moves}.values():
        one = series.get(move.series_instance_uid)
        if one is not None:
            made = _of_move(check, proposal.kind, one, move, facts)
            changes += made if len(series) == 1 else _per_instance(one, made)
    if not changes:
        return finding
    return evolve(finding, suggestion=Suggestion(tuple(changes), confidence=finding.confidence))


def _per_instance(series: Series, changes: Iterable[Change]) -> Iterator[Change]:
    """Name every instance: where several series change, "every instance" would mean all of them."""
    for change in changes:
        if change.scope is Scope.INSTANCE:
            yield change
            continue
        for instance in series.instances:
            yield evolve(change, scope=Scope.INSTANCE, sop_instance_uid=instance.sop_instance_uid)


def _of_move(
    check: str, kind: Kind, series: Series, move: Move, facts: VisitFacts
) -> tuple[Change, ...]:
    if check == _OF_STUDY:
        return _written(series, {"StudyInstanceUID": (move.target.study_instance_uid,)})
    if kind is Kind.SHARE:
        return _written(series, {"RequestAttributesSequence": _requests(series, facts)})
    inference = facts.inferences.get(series.series_instance_uid, Inference())
    return order_changes(series, move.target, inference)


def order_changes(series: Series, order: Order, inference: Inference) -> tuple[Change, ...]:
    """Return the changes that file a series under an order, within its study."""
    values = {**_of_order(order), **_echoed(series, order), **_part(series, order, inference)}
    return (*_written(series, values), *_outdated(series, order))


def _of_order(order: Order) -> dict[str, tuple[JsonValue, ...]]:
    """Return the values that the source of the order tells, by keyword."""
    texts = {
        "AccessionNumber": order.key.accession_number,
        "ReferringPhysicianName": order.referring_physician,
        "StudyDescription": order.description,
        "StudyID": order.requested_procedure_id,
        "AdmissionID": order.admission_id,
    }
    values: dict[str, tuple[JsonValue, ...]] = {
        keyword: (text,) for keyword, text in texts.items() if text
    }
    if order.key.issuer != Issuer():
        values["IssuerOfAccessionNumberSequence"] = (_item(_issuer(order.key.issuer)),)
    if order.admission_id and order.issuer_of_admission_id != Issuer():
        values["IssuerOfAdmissionIDSequence"] = (_item(_issuer(order.issuer_of_admission_id)),)
    if order.codes:
        values["ProcedureCodeSequence"] = tuple(_item(_code(code)) for code in order.codes)
    request = _request(order)
    if len(request) > 1:  # more than the accession, which needs no item of its own
        values["RequestAttributesSequence"] = (_item(request),)
    return values


def _echoed(series: Series, order: Order) -> dict[str, tuple[JsonValue, ...]]:
    """Return what is written only where the images say it already, of the order that they leave.

    Older systems repeat the request at the top level, and name it though it has one number only.
    """
    codes: tuple[JsonValue, ...] = tuple(_item(_code(code)) for code in order.codes)
    description: tuple[JsonValue, ...] = (order.description,) if order.description else ()
    number: tuple[JsonValue, ...] = (
        (order.requested_procedure_id,) if order.requested_procedure_id else ()
    )
    candidates = {
        "RequestedProcedureDescription": description,
        "RequestedProcedureCodeSequence": codes,
        "RequestedProcedureID": number,
        "RequestAttributesSequence": (_item(_request(order)),),
    }
    return {
        keyword: values
        for keyword, values in candidates.items()
        if values and _has(series, keyword) and keyword not in _of_order(order)
    }


def _has(series: Series, keyword: str) -> bool:
    return keyword in series.conflicting or (
        keyword in series.shared and series.shared[keyword].is_filled
    )


def _outdated(series: Series, order: Order) -> Iterator[Change]:
    """Yield the removal of codes that say what the old order was, where the new one has none."""
    if order.description and not order.codes and _has(series, "ProcedureCodeSequence"):
        yield from removing(series, "ProcedureCodeSequence")


def _request(order: Order) -> dict[str, Element]:
    """Return the item of Request Attributes Sequence (PS3.3 10.6)."""
    step = order.steps[0] if order.steps else None
    texts = {
        "AccessionNumber": order.key.accession_number,
        "RequestedProcedureID": order.requested_procedure_id,
        "RequestedProcedureDescription": order.description,
        "ReasonForTheRequestedProcedure": order.reason,
        "ScheduledProcedureStepID": "" if step is None else step.id,
        "ScheduledProcedureStepDescription": "" if step is None else step.description,
    }
    item = {keyword: Element(tag_and_vr(keyword)[1], (text,))
            for keyword, text in texts.items() if text}  # fmt: skip
    if order.key.issuer != Issuer():
        item["IssuerOfAccessionNumberSequence"] = Element("SQ", (_issuer(order.key.issuer),))
    if order.codes:
        item["RequestedProcedureCodeSequence"] = Element("SQ", tuple(map(_code, order.codes)))
    if step is not None and step.codes:
        item["ScheduledProtocolCodeSequence"] = Element("SQ", tuple(map(_code, step.codes)))
    return item


def _requests(series: Series, facts: VisitFacts) -> tuple[JsonValue, ...]:
    """Return an item for each order that a series names, and for each that it serves besides."""
    named = [order for order in facts.orders if any(order.key.means(k) for k in keys_of(series))]
    served = [
        move.target
        for proposal in facts.proposals
        if proposal.kind is Kind.SHARE
        for move in proposal.moves
        if move.series_instance_uid == series.series_instance_uid
    ]
    return tuple(_item(_request(order)) for order in dict.fromkeys([*named, *served]))


def _issuer(issuer: Issuer) -> dict[str, Element]:
    texts = {
        "LocalNamespaceEntityID": ("UT", issuer.namespace),
        "UniversalEntityID": ("UT", issuer.universal_id),
        "UniversalEntityIDType": ("CS", issuer.universal_id_type),
    }
    return {keyword: Element(vr, (text,)) for keyword, (vr, text) in texts.items() if text}


def _code(code: Code) -> dict[str, Element]:
    return {
        "CodeValue": Element("SH", (code.value,)),
        "CodingSchemeDesignator": Element("SH", (code.scheme,)),
        "CodeMeaning": Element("LO", (code.meaning,)),
    }


def _item(elements: Elements) -> JsonValue:
    return json_data_set(elements)


def _part(series: Series, order: Order, inference: Inference) -> dict[str, tuple[JsonValue, ...]]:
    """Return the Body Part Examined that was seen, where another order's is written."""
    written = body_part(first_text(series.shared, "BodyPartExamined"))
    if written is None or any(
        overlap(written.term, each.region) >= FITS_FROM for each in order.regions
    ):
        return {}
    prediction = inference.of("body_part") or inference.of("body_region")
    labels = () if prediction is None or prediction.abstained else prediction.labels or ()
    term = body_part_for(labels)
    return {} if term is None or not is_defined_term(term) else {"BodyPartExamined": (term,)}


def _written(series: Series, values: Mapping[str, Sequence[JsonValue]]) -> tuple[Change, ...]:
    return tuple(
        change
        for keyword, proposed in values.items()
        for change in _changes(series, keyword, tuple(proposed))
    )


def _changes(series: Series, keyword: str, proposed: tuple[JsonValue, ...]) -> Iterator[Change]:
    """Yield one change for the series, or one per instance where they say different things."""
    tag, vr = tag_and_vr(keyword)
    if keyword in series.conflicting:
        holders = [(each.sop_instance_uid, each.elements) for each in series.instances]
    else:
        holders = [("", series.shared)]
    for uid, elements in holders:
        current = json_values(elements.get(keyword))
        if keyword == "StudyInstanceUID" and current is None:
            current = (series.study_instance_uid,)
        if current != proposed:
            yield Change(
                scope=Scope.INSTANCE if uid else Scope.SERIES,
                action=Action.ADD if current is None else Action.REPLACE,
                attribute=keyword,
                tag=tag,
                path=keyword,
                vr=vr,
                current=current,
                proposed=proposed,
                sop_instance_uid=uid or None,
            )
