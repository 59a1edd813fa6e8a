"""Dates and zones against each other (PS3.3 C.7.2.1, C.7.3.1, C.12.1.1.8; PS3.5 6.2)."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, number, of_series, of_study, words
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    SeriesFacts,
    StudyFacts,
    uids,
)

_DATE: Final = re.compile(r"(\d{4})[.:-]?(\d{2})[.:-]?(\d{2})")
_ZONE: Final = re.compile(r"([+-])([0-9]{2})([0-9]{2})")
#: Offsets in use run from UTC-12 to UTC+14.
_ZONE_MINUTES: Final = (-12 * 60, 14 * 60)
_COMPUTED: Final = frozenset({"DERIVED"})


def day(text: str) -> date | None:
    """Return the day of a DA or DT value, in the form of today or of ACR-NEMA; None if none."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def days_of(elements: Elements, keywords: tuple[str, ...]) -> Mapping[str, date]:
    """Return keyword -> day, for those that are filled and can be read."""
    found = {keyword: day(first_text(elements, keyword)) for keyword in keywords}
    return {keyword: at for keyword, at in found.items() if at is not None}


@of_series
def dates_not_before(facts: SeriesFacts, options: Options) -> Answer:
    """Check that none of the dates `keywords` lies more than `slack_days` before `earliest`.

    What was computed, or captured from a screen, keeps dates of its sources and is left out.
    """
    (earliest,) = words(options, "earliest")
    keywords = words(options, "keywords")
    slack = timedelta(days=number(options, "slack_days", 0))
    applies, wrong, named, worst = False, list[Instance](), set[str](), timedelta()
    looked_at = facts.telling(earliest, *keywords, "ImageType")
    for each in looked_at:
        start = day(first_text(each.elements, earliest))
        if start is None or first_text(each.elements, "ImageType") in _COMPUTED:
            continue
        found = days_of(each.elements, keywords)
        applies = applies or bool(found)
        early = {keyword for keyword, at in found.items() if at + slack < start}
        if early:
            wrong.append(each)
            named |= early
            worst = max(worst, start - min(found[keyword] for keyword in early))
    if not applies:
        return NotApplicable()
    if not wrong:
        return PASSED
    verb = "lies" if len(named) == 1 else "lie"
    message = f"{' and '.join(sorted(named))} {verb} {worst.days} days before {earliest}."
    is_near = worst.days <= number(options, "info_within_days", 0)
    severity = Severity.INFO if is_near else None
    return (Hit(message, uids(wrong, looked_at), severity=severity),)


@of_series
def dates_plausible(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the dates named are of a year in which they can be; a date of none is no date."""
    first = int(number(options, "first_year", 1970))
    keywords = words(options, "keywords")
    found = days_of({k: e for k in keywords if (e := facts.tag(k)) is not None}, keywords)
    if not found:
        return NotApplicable()
    early = sorted(keyword for keyword, at in found.items() if at.year < first)
    if not early:
        return PASSED
    are = "is" if len(early) == 1 else "are"
    return (Hit(f"{' and '.join(early)} {are} of the year {found[early[0]].year}."),)


@of_series
def dates_readable(facts: SeriesFacts, options: Options) -> Answer:
    """Check that dates are days of the calendar, in the form of today or of ACR-NEMA."""
    texts = {k: text for k in words(options, "keywords") if (text := facts.text(k))}
    if not texts:
        return NotApplicable()
    wrong = sorted(keyword for keyword, text in texts.items() if day(text) is None)
    if not wrong:
        return PASSED
    return (Hit(f"{' and '.join(wrong)} is no day of the calendar."),)


@of_study
def study_within_days(facts: StudyFacts, options: Options) -> Answer:
    """Check that what was acquired under one Study Instance UID was acquired within some days."""
    at: dict[date, list[Instance]] = {}
    for series in facts.series:
        for each in series.instances:
            if first_text(each.elements, "ImageType") in _COMPUTED:
                continue
            for found in days_of(
                each.elements, ("AcquisitionDate", "AcquisitionDateTime")
            ).values():
                at.setdefault(found, []).append(each)
    if not at:
        return NotApplicable()
    span = (max(at) - min(at)).days
    if span <= number(options, "days", 7):
        return PASSED
    message = f"The images of one study were acquired over {span} days; it may be two studies."
    return (Hit(message),)


@of_series
def zone_formed(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Timezone Offset From UTC is +hhmm or -hhmm, in use, and not -0000."""
    text = facts.text("TimezoneOffsetFromUTC")
    if not text:
        return NotApplicable()
    found = _ZONE.fullmatch(text)
    if found is None or text == "-0000":
        return (Hit(),)
    minutes = int(f"{found[1]}1") * (60 * int(found[2]) + int(found[3]))
    low, high = _ZONE_MINUTES
    return PASSED if low <= minutes <= high and int(found[3]) < 60 else (Hit(),)
