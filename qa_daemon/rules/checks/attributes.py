"""Attributes that must be there, and numbers that must make sense."""

from collections.abc import Sequence
from typing import Final

from qa_daemon.dicom import terms
from qa_daemon.dicom.regions import is_term
from qa_daemon.geometry.decimals import decimals
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, uids, values_of

_NO_WINDOW: Final = ("0", "0")


def _keywords(options: Options) -> tuple[str, ...]:
    listed = options["keywords"]
    assert isinstance(listed, tuple)
    return tuple(map(str, listed))


@of_series
def attributes_filled(facts: SeriesFacts, options: Options) -> Answer:
    """Check that every instance has the listed attributes with a value (type 1, PS3.5 7.4.1)."""
    return _lacking(facts, _keywords(options), "Without a value, though the standard demands one:")


@of_series
def attributes_present(facts: SeriesFacts, options: Options) -> Answer:
    """Check that every instance has the listed attributes, be they empty (type 2, PS3.5 7.4.3)."""
    instances = facts.series.instances
    lacking = {
        keyword: [each for each in instances if keyword not in each.elements]
        for keyword in _keywords(options)
        if keyword not in facts.series.shared
    }
    return _named({k: v for k, v in lacking.items() if v}, instances, "Absent; at least empty:")


def _lacking(facts: SeriesFacts, keywords: Sequence[str], said: str) -> Answer:
    lacking: dict[str, list[Instance]] = {}
    for keyword in keywords:
        shared = facts.series.shared.get(keyword)
        if shared is not None and shared.is_filled:
            continue
        without = [
            each for each in facts.series.instances if not any(values_of(each, keyword) or ())
        ]
        if without:
            lacking[keyword] = without
    return _named(lacking, facts.series.instances, said)


def _named(lacking: dict[str, list[Instance]], whole: Sequence[Instance], said: str) -> Answer:
    if not lacking:
        return PASSED
    concerned = {each.sop_instance_uid: each for group in lacking.values() for each in group}
    return (Hit(f"{said} {', '.join(sorted(lacking))}.", uids(concerned.values(), whole)),)


@of_series
def modality_defined(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Modality is a defined term, current or retired (PS3.3 C.7.3.1.1.1)."""
    modality = facts.text("Modality")
    if not modality:
        return NotApplicable()
    return PASSED if modality in terms.MODALITIES else (Hit(evidence={"Modality": modality}),)


@of_series
def body_part_defined(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Body Part Examined is a term of PS3.16 Annex L."""
    body_part = facts.text("BodyPartExamined")
    if not body_part:
        return NotApplicable()
    return PASSED if is_term(body_part) else (Hit(evidence={"BodyPartExamined": body_part}),)


@of_series
def uids_unique(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no SOP Instance UID came with two contents."""
    colliding = sorted({each.sop_instance_uid for each in facts.series.colliding})
    reused = sorted({uid for uid, _ in facts.irregularities.get("uid-reused", ())})
    concerned = tuple(sorted({*colliding, *reused}))
    if not concerned:
        return PASSED
    return (Hit(f"{len(concerned)} SOP Instance UID(s) came with different contents.", concerned),)


@of_series
def window_usable(facts: SeriesFacts, _: Options) -> Answer:
    """Check that as many window widths as centres, each width above zero (PS3.3 C.11.2.1.2)."""
    wrong: list[Instance] = []
    unset = True
    for instance in facts.series.instances:
        centres, widths = (values_of(instance, k) for k in ("WindowCenter", "WindowWidth"))
        if not _is_window(centres or (), widths or ()):
            wrong.append(instance)
            unset = unset and (*(centres or ()), *(widths or ())) == _NO_WINDOW
    if not wrong:
        return PASSED
    # 0\0 is what some writers put for "no window"; viewers know it.
    severity = Severity.INFO if unset else None
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances), severity=severity),)


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
