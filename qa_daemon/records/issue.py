"""What recurs: findings of one fingerprint, and what a station usually writes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen, validators

from qa_daemon.records.finding import Severity


@frozen
class Practice:
    """Where and how a series was made; habits belong to this.

    Attributes
    ----------
    station
        Station Name, else the serial number or the model of the device; "" where none is given.
    protocol
        Protocol Name, else Series Description.
    """

    modality: str = ""
    station: str = ""
    protocol: str = ""


@frozen
class Fingerprint:
    """What findings of one cause have in common.

    Attributes
    ----------
    change
        The attributes that the suggestion changes, with codes now and then; "" without one.
    """

    rule: str
    practice: Practice
    change: str = ""


@frozen
class Observation:
    """What one series writes in an attribute that a station fills by habit."""

    keyword: str
    value: str


@frozen
class Habit:
    """How many earlier series of one practice wrote each value."""

    keyword: str
    counts: Mapping[str, int]


@frozen
class Note:
    """What one series says under a name by which later series find it again.

    Attributes
    ----------
    kind
        A word in small letters: what the name is of.
    name
        What is looked for: a number with its issuer, a station, a kind of study.
    at
        When the series came.
    """

    kind: str
    name: tuple[str, ...]
    value: str
    at: datetime


@frozen
class UsualSet:
    """Which series earlier studies of one kind had, at one station.

    Attributes
    ----------
    study_count
        How many studies that is.
    counts
        Label of a series -> how many of the studies have it.
    """

    study_count: int
    counts: Mapping[str, int] = field(factory=dict)


class IssueState(StrEnum):
    """How an issue stands."""

    NEW = "new"  # first seen a short while ago
    ONGOING = "ongoing"
    ESCALATING = "escalating"  # much more often of late than before
    REGRESSED = "regressed"  # seen again after somebody said that its cause was mended
    MUTED = "muted"  # until a day, by a person
    RESOLVED = "resolved"  # by a person, and not seen since


class RulingKind(StrEnum):
    """What a person can say of an issue."""

    MUTE = "mute"
    RESOLVE = "resolve"


@frozen
class Ruling:
    """What a person said of an issue; nothing ends it but its day, or another ruling.

    Attributes
    ----------
    until
        Of a mute; None of a resolution.
    more
        Of a mute: it ends earlier when so many more findings have come; None = however many.
    until_rising
        Of a mute: it ends earlier when the issue escalates.
    owner
        Who looks after the cause; "" = who said it.
    """

    kind: RulingKind
    reason: str = field(validator=validators.min_len(1))
    who: str
    at: datetime
    until: datetime | None = None
    more: int | None = None
    until_rising: bool = False
    owner: str = ""


@frozen
class Sightings:
    """How often and when findings of an issue were made.

    Attributes
    ----------
    recent_count
        In the last `habits.trend.RECENT`.
    before_count
        In the `habits.trend.BEFORE` that came before it.
    """

    count: int
    first_at: datetime
    last_at: datetime
    recent_count: int = 0
    before_count: int = 0


@frozen(kw_only=True)
class Issue:
    """Findings of one fingerprint.

    Attributes
    ----------
    message
        Of the finding that was seen first.
    """

    key: str
    fingerprint: Fingerprint
    severity: Severity
    message: str
    sightings: Sightings
    ruling: Ruling | None = None
