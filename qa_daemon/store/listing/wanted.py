"""Which lines somebody wants to see, and in which order."""

from enum import StrEnum

from attrs import evolve, frozen

from qa_daemon.records.finding import Severity


class State(StrEnum):
    """How what is listed stands with people."""

    OPEN = "open"  # waits for an answer; the deferred come back to it in time
    AWAITING = "awaiting"  # the first of two has answered
    DEFERRED = "deferred"
    DECIDED = "decided"
    MUTED = "muted"


class Sort(StrEnum):
    """What stands at the top."""

    SAFETY = "safety"  # what may harm, regressed, severe, oldest
    SEVERITY = "severity"
    OLDEST = "oldest"
    NEWEST = "newest"
    COUNT = "count"


@frozen(kw_only=True)
class Wanted:
    """A filter; what is empty does not matter.

    Attributes
    ----------
    asked
        The account and the role of who wants only what they were asked.
    only_safety, only_regressed
        Views of the design: what may harm, and what came back after it was called mended.
    search
        A part of the patient's name or ID, or of the Accession Number.
    """

    state: State = State.OPEN
    modalities: tuple[str, ...] = ()
    aes: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    asked: tuple[str, ...] = ()
    only_safety: bool = False
    only_regressed: bool = False
    search: str = ""
    sort: Sort = Sort.SAFETY

    @property
    def unordered(self) -> "Wanted":
        """The same whatever stands at the top; counts do not depend on it."""
        return evolve(self, sort=Sort.SAFETY)
