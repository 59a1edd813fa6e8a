"""The patient's own attributes against each other (PS3.3 C.7.1.1, C.7.2.2)."""

import re
from datetime import date
from typing import Final

from qa_daemon.geometry.decimals import decimals
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Severity
from qa_daemon.rules.checks.patient.times import day
from qa_daemon.rules.checks.registry import Options, number, of_series, of_study, words
from qa_daemon.rules.checks.side.places import parts_named
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    StudyFacts,
)

_AGE: Final = re.compile(r"([0-9]{1,3})([DWMY])")
#: Earlier birth dates are placeholders of registration desks.
_BIRTH_YEAR_MIN: Final = 1905
_DAYS: Final = {"D": 1.0, "W": 7.0, "M": 30.44, "Y": 365.25}
_OF_MEN: Final = frozenset({"PENIS", "PROSTATE", "SCROTUM", "TESTIS", "EPIDIDYMIS", "SEMVESICLE"})
_OF_WOMEN: Final = frozenset(
    {"UTERUS", "OVARY", "VAGINA", "VULVA", "CERVIX", "FALLOPIANTUBE", "ENDOMETRIUM"}
)
_TEST: Final = re.compile(
    r"\b(?:TEST|TESTPATIENT|PHANTOM|FANTOM|FANTOMA|QA|QC|DUMMY|QUALITY|CONSTANCY|KONSTANZ)\b",
    re.IGNORECASE,
)
_NAME_PART: Final = re.compile(r"[^\W\d_]{2,}")


def age_on(birth: date, at: date) -> str:
    """Return Patient's Age (AS) as modalities write it: days, weeks, months, then years."""
    days = (at - birth).days
    years = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    if days < 28:
        return f"{days:03d}D"
    months = (at.year - birth.year) * 12 + at.month - birth.month - (at.day < birth.day)
    if months < 4:
        return f"{days // 7:03d}W"
    return f"{months:03d}M" if years < 2 else f"{years:03d}Y"


def dates_of_age(facts: SeriesFacts) -> tuple[date, date] | None:
    """Return birth and examination; None where one is not known, or both in the wrong order."""
    birth, at = day(facts.text("PatientBirthDate")), day(facts.text("StudyDate"))
    if birth is None or at is None or at < birth or birth.year < _BIRTH_YEAR_MIN:
        return None
    return birth, at


@of_series
def age_fits_dates(facts: SeriesFacts, options: Options) -> Answer:
    """Check that Patient's Age is what birth date and study date make of it."""
    dates, said = dates_of_age(facts), _AGE.fullmatch(facts.text("PatientAge"))
    # Zero of any unit is what writers put for "not known".
    if dates is None or said is None or int(said[1]) == 0:
        return NotApplicable()
    days = (dates[1] - dates[0]).days
    unit = _DAYS[said[2]]
    # The age may be that of the day when the patient was registered, and 2 Y may be 2.9.
    slack = unit + 365.25 * number(options, "slack_years", 1)
    off = abs(int(said[1]) * unit - days)
    if off <= slack:
        return PASSED
    # Dates shifted by a program leave a few years; another patient mostly leaves more.
    is_small = off <= 365.25 * number(options, "info_within_years", 0)
    return (
        Hit(
            f"Patient's Age says {said[0]}; by birth date and study date it is {age_on(*dates)}.",
            evidence={"PatientAge": said[0]},
            severity=Severity.INFO if is_small else None,
            proposed={"PatientAge": (age_on(*dates),)},
        ),
    )


@of_series
def sex_fits_part(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no organ of the other sex is named."""
    sex = facts.text("PatientSex")
    terms = {part.term for part in parts_named(facts.series.instances[0].elements)}
    named = terms & (_OF_MEN | _OF_WOMEN)
    if sex not in ("M", "F") or not named:
        return NotApplicable()
    wrong = named & (_OF_WOMEN if sex == "M" else _OF_MEN)
    if not wrong:
        return PASSED
    return (Hit(f"Patient's Sex is {sex}, and the part is {' and '.join(sorted(wrong))}."),)


@of_series
def patient_is_no_test(facts: SeriesFacts, options: Options) -> Answer:
    """Check that name and ID do not say phantom, test or quality control."""
    texts = [facts.text(keyword) for keyword in words(options, "keywords")]
    if not any(texts):
        return NotApplicable()
    is_test = any(_TEST.search(text.replace("^", " ").replace("_", " ")) for text in texts)
    return (Hit(),) if is_test else PASSED


@of_series
def number_plausible(facts: SeriesFacts, options: Options) -> Answer:
    """Check that a number lies between `at_least` and `at_most`; an empty one says nothing."""
    (keyword,) = words(options, "keywords")
    text = facts.text(keyword)
    if not text:
        return NotApplicable()
    numbers = decimals((text,))
    if numbers is None:
        return NotEvaluated(f"{keyword} is no number")
    # Zero is what many writers put for "not known".
    low, high = number(options, "at_least", 0), number(options, "at_most", 0)
    if numbers[0] == 0 or low <= numbers[0] <= high:
        return PASSED
    return (Hit(evidence={keyword: text}),)


@of_study
def names_of_one_id_alike(facts: StudyFacts, _: Options) -> Answer:
    """Check that the names under one Patient ID share a part, as married names do."""
    names: dict[str, set[str]] = {}
    for series in facts.series:
        for instance in series.instances:
            name = first_text(instance.elements, "PatientName")
            number_ = first_text(instance.elements, "PatientID")
            if name and number_:
                names.setdefault(number_, set()).add(name)
    several = [each for each in names.values() if len(each) > 1]
    if not several:
        return NotApplicable()
    for group in several:
        parts = [set(_NAME_PART.findall(name.casefold())) for name in sorted(group)]
        if all(parts) and any(not parts[0] & other for other in parts[1:]):
            message = "Images of one study name two people under one Patient ID."
            return (Hit(message, evidence={"PatientName": " | ".join(sorted(group))}),)
    return PASSED
