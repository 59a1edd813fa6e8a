"""Attributes that must be there, and numbers that must make sense."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final

from attrs import frozen

from qa_daemon.dicom import terms
from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.dicom.iods.required import required
from qa_daemon.dicom.regions import is_defined_term
from qa_daemon.geometry.decimals import decimals
from qa_daemon.records.element import Element
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series, words
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, uids, values_of

_NO_WINDOW: Final = ("0", "0")
#: What is not read cannot be called absent.
_READ: Final = frozenset(KEYWORDS)


@of_series
def attributes_filled(facts: SeriesFacts, options: Options) -> Answer:
    """Check that every instance has the listed attributes with a value (type 1, PS3.5 7.4.1)."""
    return _lacking(facts, dict.fromkeys(words(options, "keywords"), ""), _IS_FILLED)


@of_series
def required_filled(facts: SeriesFacts, options: Options) -> Answer:
    """Check that what is type 1 in the modules of the SOP class has a value (PS3.5 7.4.1)."""
    return _lacking(facts, _required(facts, 1, options), _IS_FILLED)


@of_series
def required_present(facts: SeriesFacts, options: Options) -> Answer:
    """Check that what is type 2 in the modules of the SOP class is there (PS3.5 7.4.3)."""
    return _lacking(facts, _required(facts, 2, options), _IS_PRESENT)


def _required(facts: SeriesFacts, kind: int, options: Options) -> Mapping[str, str]:
    """Return keyword -> module for the most frequent SOP class, but for those left to others."""
    left_out = words(options, "except")
    classes = Counter(each.sop_class_uid for each in facts.series.instances)
    return {
        each.keyword: each.module
        for sop_class_uid, _ in classes.most_common(1)
        for each in required(sop_class_uid)
        if each.type == kind and each.keyword in _READ and each.keyword not in left_out
    }


@frozen
class _Demand:
    """What is asked of an attribute, and how its lack is told."""

    is_met: Callable[[Element], bool]
    message: str


_IS_FILLED: Final = _Demand(
    lambda element: element.is_filled, "Without a value, though the standard demands one:"
)
_IS_PRESENT: Final = _Demand(
    lambda _: True, "Absent, though the standard wants them at least empty:"
)


def _lacking(facts: SeriesFacts, modules: Mapping[str, str], demand: _Demand) -> Answer:
    """Return one hit for all attributes that an instance lacks, told by module."""
    whole = facts.series.instances
    lacking: dict[str, list[Instance]] = {}
    for keyword in modules:
        shared = facts.series.shared.get(keyword)
        if shared is not None and demand.is_met(shared):
            continue
        without = [
            each
            for each in whole
            if (element := each.elements.get(keyword)) is None or not demand.is_met(element)
        ]
        if without:
            lacking[keyword] = without
    if not lacking:
        return PASSED
    concerned = {each.sop_instance_uid: each for group in lacking.values() for each in group}
    message = f"{demand.message} {_by_module(lacking, modules)}."
    return (Hit(message, uids(concerned.values(), whole)),)


def _by_module(lacking: Iterable[str], modules: Mapping[str, str]) -> str:
    grouped: dict[str, list[str]] = defaultdict(list)
    for keyword in sorted(lacking):
        grouped[modules[keyword]].append(keyword)
    return "; ".join(
        ", ".join(keywords) + (f" ({module})" if module else "")
        for module, keywords in sorted(grouped.items())
    )


@of_series
def modality_defined(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Modality is a defined term, current or retired (PS3.3 C.7.3.1.1.1)."""
    modality = facts.text("Modality")
    if not modality:
        return NotApplicable()
    return PASSED if terms.is_modality(modality) else (Hit(evidence={"Modality": modality}),)


@of_series
def modality_fits_class(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Modality is one that objects of this SOP class have."""
    modality = facts.text("Modality")
    wrong, applies = list[Instance](), False
    for each in facts.series.instances:
        allowed = terms.MODALITIES_OF_CLASS.get(each.sop_class_uid)
        if allowed is None or not modality:
            continue
        applies = True
        if modality.upper() not in allowed:
            wrong.append(each)
    if not applies:
        return NotApplicable()
    if not wrong:
        return PASSED
    usual = " or ".join(sorted(terms.MODALITIES_OF_CLASS[wrong[0].sop_class_uid]))
    message = f'Modality is "{modality}"; objects of this SOP class are {usual}.'
    proposed = {} if " " in usual else {"Modality": (usual,)}
    return (Hit(message, uids(wrong, facts.series.instances), proposed=proposed),)


@of_series
def body_part_defined(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Body Part Examined is a term of PS3.16 Annex L."""
    body_part = facts.text("BodyPartExamined")
    if not body_part:
        return NotApplicable()
    return (
        PASSED if is_defined_term(body_part) else (Hit(evidence={"BodyPartExamined": body_part}),)
    )


@of_series
def uids_unique(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no SOP Instance UID came with two contents."""
    colliding = sorted({each.sop_instance_uid for each in facts.series.colliding})
    reused = sorted({uid for uid, _ in facts.irregularities.get("uid-reused", ())})
    concerned = tuple(sorted({*colliding, *reused}))
    if not concerned:
        return PASSED
    uids = "1 SOP Instance UID" if len(concerned) == 1 else f"{len(concerned)} SOP Instance UIDs"
    return (Hit(f"{uids} came with different contents.", concerned),)


@of_series
def window_usable(facts: SeriesFacts, _: Options) -> Answer:
    """Check that as many window widths as centres, each width above zero (PS3.3 C.11.2.1.2)."""
    wrong: list[Instance] = []
    unset = True
    is_window = cache(_is_window)  # a series has few windows
    for instance in facts.series.instances:
        centres, widths = (values_of(instance, k) for k in ("WindowCenter", "WindowWidth"))
        if not is_window(centres or (), widths or ()):
            wrong.append(instance)
            unset = unset and (*(centres or ()), *(widths or ())) == _NO_WINDOW
    if not wrong:
        return PASSED
    # 0\0 is what some writers put for "no window"; viewers know it.
    severity = Severity.INFO if unset else None
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances), severity=severity),)


@of_series
def rescale_usable(facts: SeriesFacts, _: Options) -> Answer:
    """Check that slope and intercept come together, as numbers, the slope not zero (C.11.1)."""
    is_rescale = cache(_is_rescale)
    looked_at = facts.telling("RescaleSlope", "RescaleIntercept")
    wrong = [
        each
        for each in looked_at
        if not is_rescale(
            values_of(each, "RescaleSlope") or (), values_of(each, "RescaleIntercept") or ()
        )
    ]
    return (Hit(sop_instance_uids=uids(wrong, looked_at)),) if wrong else PASSED


def _is_rescale(slopes: tuple[str, ...], intercepts: tuple[str, ...]) -> bool:
    if not any(slopes) and not any(intercepts):
        return True
    numbers = decimals((*slopes, *intercepts))
    return len(slopes) == 1 and len(intercepts) == 1 and numbers is not None and numbers[0] != 0


def _is_window(centres: tuple[str, ...], widths: tuple[str, ...]) -> bool:
    if not any(centres) and not any(widths):
        return True
    numbers = decimals(widths)
    return (
        len(centres) == len(widths)
        and decimals(centres) is not None
        and numbers is not None
        and min(numbers) > 0
    )
