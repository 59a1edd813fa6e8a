"""What orders ask for, and which orders the images themselves tell of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from qa_daemon.orders.lexicon.read import regions_named, regions_of_snomed
from qa_daemon.records.element import Elements, Value, first_text
from qa_daemon.records.order import (
    Code,
    Issuer,
    NamedRegion,
    Order,
    OrderKey,
    OrderSource,
    ScheduledStep,
)
from qa_daemon.records.series import Series

#: Schemes whose codes PS3.16 Annex L uses.
_SNOMED = frozenset({"SCT", "SNM3", "99SDM"})


def with_regions(order: Order) -> Order:
    """Return the order with the regions that its words and codes ask for."""
    return evolve(order, regions=_regions(order))


def with_meanings(order: Order, meanings: Mapping[str, str]) -> Order:
    """Return the order with the regions of codes that a site has put into words.

    They alone, where there are any: who writes down what a code means knows it best.

    Parameters
    ----------
    meanings
        `VALUE^SCHEME` -> a text as the lexicon reads it.
    """
    texts = [meanings.get(f"{code.value}^{code.scheme}", "") for code in order.codes]
    named = _strongest(each for text in texts for each in regions_named(text))
    return evolve(order, regions=named) if named else order


def _regions(order: Order) -> tuple[NamedRegion, ...]:
    coded = [
        NamedRegion(region, None, 1.0)
        for code in order.codes
        if code.scheme in _SNOMED
        for region in regions_of_snomed(code.value)
    ]
    steps = [step.description for step in order.steps]
    for texts in ((order.description,), [code.meaning for code in order.codes], steps):
        named = _strongest([*coded, *(each for text in texts for each in regions_named(text))])
        if named:
            return named
    return ()


def _strongest(named: Iterable[NamedRegion]) -> tuple[NamedRegion, ...]:
    best: dict[str, NamedRegion] = {}
    for each in named:
        known = best.get(each.region)
        side = each.side or (known.side if known else None)
        weight = max(each.weight, known.weight if known else 0.0)
        best[each.region] = NamedRegion(each.region, side, weight)
    return tuple(sorted(best.values(), key=lambda each: -each.weight))


def keys_of(series: Series) -> tuple[OrderKey, ...]:
    """Return the orders that a series names: those of its request items, else its accession.

    An empty accession beside several request items is a group case (PS3.17 J.4), and legal.
    """
    found = [key for elements in _elements(series) for key in _keys(elements)]
    return tuple(dict.fromkeys(found))


def step_ids_of(series: Series) -> tuple[str, ...]:
    """Return the scheduled procedure steps that a series names in its request items."""
    items = _items(series.shared, "RequestAttributesSequence")
    found = (first_text(item, "ScheduledProcedureStepID") for item in items)
    return tuple(dict.fromkeys(filter(None, found)))


def _elements(series: Series) -> Sequence[Elements]:
    differing = {"AccessionNumber", "RequestAttributesSequence"} & series.conflicting
    return [each.elements for each in series.instances] if differing else [series.shared]


def _keys(elements: Elements) -> Iterator[OrderKey]:
    requests = [_key(item) for item in _items(elements, "RequestAttributesSequence")]
    listed = [key for key in requests if key.accession_number]
    own = _key(elements)
    if len(listed) > 1 or not own.accession_number:
        yield from listed
    elif own.accession_number:
        yield own


def _key(elements: Elements) -> OrderKey:
    issuers = _items(elements, "IssuerOfAccessionNumberSequence")
    issuer = _issuer(issuers[0]) if issuers else Issuer()
    return OrderKey(first_text(elements, "AccessionNumber"), issuer)


def _issuer(item: Elements) -> Issuer:
    return Issuer(
        first_text(item, "LocalNamespaceEntityID"),
        first_text(item, "UniversalEntityID"),
        first_text(item, "UniversalEntityIDType"),
    )


def _items(elements: Elements, keyword: str) -> list[Elements]:
    element = elements.get(keyword)
    values: tuple[Value, ...] = () if element is None else element.values
    return [value for value in values if isinstance(value, Mapping)]


def told_by_images(visit: Iterable[Series]) -> tuple[Order, ...]:
    """Return the orders that the images of a visit name, each once, with all that they say."""
    found: dict[OrderKey, Order] = {}
    for series in visit:
        for key in keys_of(series):
            told = _told(series, key)
            known = found.get(key)
            found[key] = told if known is None else known.filled_from(told)
    return tuple(with_regions(order) for order in found.values())


def with_told(known: Sequence[Order], visit: Iterable[Series]) -> tuple[Order, ...]:
    """Return the orders known of, filled up by the images, and those that only images name."""
    orders = list(known)
    for told in told_by_images(visit):
        place = next((n for n, each in enumerate(orders) if each.key.means(told.key)), None)
        if place is None:
            orders.append(told)
        else:
            orders[place] = orders[place].filled_from(told)
    return tuple(orders)


def _told(series: Series, key: OrderKey) -> Order:
    shared = series.shared
    requests = _items(shared, "RequestAttributesSequence")
    own = next((item for item in requests if _key(item).accession_number == key.accession_number),
               requests[0] if len(requests) == 1 else {})  # fmt: skip
    admission = _items(shared, "IssuerOfAdmissionIDSequence")
    is_single = len(requests) < 2
    return Order(
        key=key,
        source=OrderSource.IMAGES,
        patient_id=first_text(shared, "PatientID"),
        issuer_of_patient_id=first_text(shared, "IssuerOfPatientID"),
        requested_procedure_id=first_text(own, "RequestedProcedureID")
        or (first_text(shared, "StudyID") if is_single else ""),
        description=first_text(own, "RequestedProcedureDescription")
        or (first_text(shared, "StudyDescription") if is_single else ""),
        codes=codes_of(own, "RequestedProcedureCodeSequence")
        or (codes_of(shared, "ProcedureCodeSequence") if is_single else ()),
        study_instance_uid=series.study_instance_uid,
        steps=(_step(own, series.modality),),
        admission_id=first_text(shared, "AdmissionID"),
        issuer_of_admission_id=_issuer(admission[0]) if admission else Issuer(),
        referring_physician=first_text(shared, "ReferringPhysicianName"),
    )


def _step(item: Elements, modality: str) -> ScheduledStep:
    return ScheduledStep(
        id=first_text(item, "ScheduledProcedureStepID"),
        description=first_text(item, "ScheduledProcedureStepDescription"),
        codes=codes_of(item, "ScheduledProtocolCodeSequence"),
        modality=modality,
    )


def codes_of(elements: Elements, keyword: str) -> tuple[Code, ...]:
    """Return the codes of a code sequence (PS3.3 8)."""
    return tuple(
        Code(
            first_text(item, "CodeValue")
            or first_text(item, "LongCodeValue")
            or first_text(item, "URNCodeValue"),
            first_text(item, "CodingSchemeDesignator"),
            first_text(item, "CodeMeaning"),
        )
        for item in _items(elements, keyword)
    )
