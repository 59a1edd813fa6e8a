"""How an issue stands, by when its findings were made and what a person said of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from qa_daemon.records.issue import Issue, IssueState, Practice, Ruling, RulingKind, Sightings

#: A week shows every weekday's work once.
RECENT: Final = timedelta(days=7)
#: Four weeks before it are the yardstick.
BEFORE: Final = timedelta(days=28)
#: So many times the earlier rate is more than chance and holidays make.
ESCALATION_FACTOR: Final = 2.0
#: Fewer findings in a week than this prove no trend.
ESCALATION_COUNT_MIN: Final = 5
#: The same wrong change under so many protocols of a station has one cause, at the station.
PROTOCOLS_OF_A_STATION_MIN: Final = 3


def state_of(sightings: Sightings, ruling: Ruling | None, now: datetime) -> IssueState:
    """Return how an issue stands; what a person said comes first."""
    if ruling is not None and ruling.kind is RulingKind.RESOLVE:
        seen_since = sightings.last_at > ruling.at
        return IssueState.REGRESSED if seen_since else IssueState.RESOLVED
    if ruling is not None and ruling.until is not None and now < ruling.until:
        return IssueState.MUTED
    if now - sightings.first_at < RECENT:
        return IssueState.NEW
    return IssueState.ESCALATING if is_rising(sightings) else IssueState.ONGOING


def is_rising(sightings: Sightings) -> bool:
    """Whether findings are much more frequent of late than they were before."""
    usual_count = sightings.before_count * (RECENT / BEFORE)
    has_grown = sightings.recent_count > ESCALATION_FACTOR * usual_count
    return has_grown and sightings.recent_count >= ESCALATION_COUNT_MIN


def causes(issues: Iterable[Issue]) -> dict[str, str]:
    """Return, for each issue that a station-wide one covers, the key of the one that stands for it.

    Issues of one rule, one change and one station under `PROTOCOLS_OF_A_STATION_MIN` protocols or
    more have one cause. The most frequent stands for the others; nothing is said of issues whose
    station is unknown.
    """
    alike: dict[tuple[str, str, Practice], list[Issue]] = {}
    for issue in issues:
        practice = issue.fingerprint.practice
        if practice.station:
            group = Practice(practice.modality, practice.station)
            key = (issue.fingerprint.rule, issue.fingerprint.change, group)
            alike.setdefault(key, []).append(issue)
    covered: dict[str, str] = {}
    for group_issues in alike.values():
        if len(group_issues) >= PROTOCOLS_OF_A_STATION_MIN:
            most = sorted(group_issues, key=lambda each: (-each.sightings.count, each.key))
            covered |= {each.key: most[0].key for each in most[1:]}
    return covered
