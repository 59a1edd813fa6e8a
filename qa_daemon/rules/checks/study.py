"""What must hold over a study: one patient, and pictures of what the description says."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from qa_daemon.dicom.regions import REGIONS, regions_of
from qa_daemon.records.finding import Severity
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.checks.patient.likeness import (
    Identity,
    Likeness,
    identities_of,
    likeness_of,
    normal,
)
from qa_daemon.rules.checks.registry import Options, of_series, of_study
from qa_daemon.rules.checks.side.texts import OF_ORDER, parts_in, texts_in
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    StudyFacts,
    decided,
    values_of,
)

_IDENTITY: Final = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")

_WORD: Final = re.compile(r"[^\W_]+")

#: Words of descriptions for the modality, in the languages that were met. `echo` is left out: it
#: is a word of MR, too; and so is `us`, of the country.
_MODALITY_WORDS: Final = {
    modality: frozenset(words.split())
    for modality, words in {
        "MR": "mr mri mpmri mrt mra irm rm rmn fmri",
        "CT": "ct cta cct hrct tc tac tdm",
        "US": "ultrasound sono sonography sonographie ultraschall échographie ecografia echografie "
        "sonografie doppler",
        "MG": "mammography mammographie mammografie mammografia mamografia mamografía",
        "X": "xr xray röntgen roentgen radiografia radiografía radiographie",
    }.items()
}
#: Modalities that a word stands for.
_MODALITIES: Final = {
    **{modality: frozenset({modality}) for modality in _MODALITY_WORDS},
    "X": frozenset({"CR", "DX", "RG", "RF", "XA", "MG", "PX", "IO"}),
    "MG": frozenset({"MG", "CR", "DX"}),
}
_SEVERAL_MODALITIES: Final = frozenset(
    ("pet", "pt", "petct", "petmr", "spect", "fusion", "hybrid", "biopsy")
)

_FROM_HEAD_TO_FEET: Final = REGIONS


def _words(facts: SeriesFacts) -> frozenset[str]:
    described = " ".join(
        facts.text(keyword) for keyword in ("StudyDescription", "RequestedProcedureDescription")
    )
    return frozenset(word.lower() for word in _WORD.findall(described))


@of_series
def description_agrees_with_modality(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a study described as MR holds no CT, and the other way round."""
    words = _words(facts)
    named = {modality for modality, known in _MODALITY_WORDS.items() if known & words}
    if len(named) != 1 or words & _SEVERAL_MODALITIES:
        return NotApplicable()
    word = named.pop()
    if facts.series.modality in _MODALITIES[word]:
        return PASSED
    told = "a radiograph" if word == "X" else word
    return (
        Hit(
            f"The study is described as {told}, but this series is {facts.series.modality}.",
            evidence={"StudyDescription": facts.text("StudyDescription")},
        ),
    )


@of_series
def description_agrees_with_region(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the pixels show a region that the description names, or a neighbour of it."""
    parts = parts_in(texts_in(facts.series.shared, OF_ORDER))
    named = sorted(frozenset[str]().union(*map(regions_of, parts)))
    if not named or not all(map(regions_of, parts)):
        return NotApplicable()
    seen = decided(facts.inference.of("body_region"), "")
    if not isinstance(seen, Prediction) or not seen.labels:
        return NotEvaluated("body_region: nothing accepted")
    if any(_are_near(a, b) for a in named for b in seen.labels):
        return PASSED
    return (
        Hit(
            f"The study is described as {' and '.join(named)}; the pixels show "
            f"{' and '.join(seen.labels)}. The images may belong to another order.",
            evidence={"StudyDescription": facts.text("StudyDescription")},
        ),
    )


def _are_near(a: str, b: str) -> bool:
    if a not in _FROM_HEAD_TO_FEET or b not in _FROM_HEAD_TO_FEET:
        return True
    return abs(_FROM_HEAD_TO_FEET.index(a) - _FROM_HEAD_TO_FEET.index(b)) <= 1


@of_study
def patient_identity_same(facts: StudyFacts, _: Options) -> Answer:
    """Check that all images of a study name the same patient (PS3.3 C.7.1.1)."""
    differing = {
        keyword: values
        for keyword in _IDENTITY
        if len(values := _distinct(facts.series, keyword)) > 1
    }
    if not differing:
        return PASSED
    likeness = likeness_of(identities_of(facts.series))[0]
    if likeness in {Likeness.MISTYPED, Likeness.NAMESAKES}:
        return PASSED  # each has a rule of its own
    # One number under two spellings of a name is mostly one patient; two numbers seldom are.
    severity = Severity.INFO if set(differing) == {"PatientName"} else None
    return (
        Hit(
            f"Images of one study differ in {', '.join(differing)}; one of them may be another "
            "patient's.",
            _minority(differing),
            {keyword: " | ".join(sorted(values)) for keyword, values in differing.items()},
            severity,
        ),
    )


@of_study
def patient_not_mistyped(facts: StudyFacts, _: Options) -> Answer:
    """Check that identities do not differ by one slip of the keyboard where all else agrees."""
    return _alike(
        facts,
        Likeness.MISTYPED,
        "Images of one study differ by one slip in {keywords}; number, name and birth date agree "
        "otherwise.",
    )


@of_study
def patient_no_namesake(facts: StudyFacts, _: Options) -> Answer:
    """Check that no two people of one name, or nearly, lie in one study."""
    return _alike(
        facts,
        Likeness.NAMESAKES,
        "Images of one study are of two people of the same or nearly the same name; {keywords} "
        "differ.",
    )


def _alike(facts: StudyFacts, wanted: Likeness, message: str) -> Answer:
    identities = identities_of(facts.series)
    likeness, keywords = likeness_of(identities)
    if likeness is Likeness.SAME:
        return NotApplicable() if not any(map(_says_anything, identities)) else PASSED
    if likeness is not wanted:
        return PASSED
    most = max(identities, key=lambda each: (len(identities[each]), str(each)))
    fewer = sorted(uid for each, uids in identities.items() if each != most for uid in uids)
    told = {keyword: " | ".join(sorted(_distinct(facts.series, keyword))) for keyword in keywords}
    # A name under one number and birth date is spelt in two ways, or counted by a pseudonym.
    severity = Severity.INFO if keywords == ("PatientName",) else None
    return (Hit(message.format(keywords=" and ".join(keywords)), tuple(fewer), told, severity),)


def _says_anything(identity: Identity) -> bool:
    return bool(identity.number or identity.name)


def _distinct(series: tuple[Series, ...], keyword: str) -> Mapping[str, tuple[str, ...]]:
    """Return the distinct filled values, each with the instances that have it."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in series:
        for instance in (*each.instances, *each.colliding):
            value = "\\".join(values_of(instance, keyword) or ())
            if value:
                found[normal(value)].append(instance.sop_instance_uid)
    return {value: tuple(uids) for value, uids in found.items()}


def _minority(differing: Mapping[str, Mapping[str, tuple[str, ...]]]) -> tuple[str, ...]:
    concerned = set[str]()
    for values in differing.values():
        largest = max(values, key=lambda value: (len(values[value]), value))
        concerned.update(uid for value, uids in values.items() if value != largest for uid in uids)
    return tuple(sorted(concerned))
