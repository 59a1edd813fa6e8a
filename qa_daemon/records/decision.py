"""What a person said of a finding."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen, validators

from qa_daemon.records.finding import Suggestion


class Verb(StrEnum):
    """What a person can say of a finding."""

    ACCEPT = "accept"  # what is suggested is right; without a suggestion: the fault is known
    REJECT = "reject"  # with its reason
    DEFER = "defer"  # not now; it stays open
    ASK = "ask"  # somebody else is to look; it stays open
    REVERSE = "reverse"  # what was accepted, and has left, is to be put back; it is open again


class RejectReason(StrEnum):
    """Why a finding is no finding; models and rules learn from it."""

    TAGS_RIGHT = "tags_right"
    OTHER_FAULT = "other_fault"
    ANATOMY = "anatomy"  # the patient is really so: situs inversus
    TEST = "test"  # a phantom, a test patient
    UNTELLABLE = "untellable"
    OTHER = "other"  # needs words


class Standing(StrEnum):
    """How a finding stands with people."""

    OPEN = "open"
    ASKED = "asked"  # somebody was asked to look
    DEFERRED = "deferred"
    AWAITING = "awaiting"  # one has answered, and a second one must
    DECIDED = "decided"


#: Verbs after which a finding is no longer open.
FINAL = frozenset({Verb.ACCEPT, Verb.REJECT})

#: What a finding that one of these was said of last stands at.
STANDING_AFTER = {
    Verb.ACCEPT: Standing.DECIDED,
    Verb.REJECT: Standing.DECIDED,
    Verb.DEFER: Standing.DEFERRED,
    Verb.ASK: Standing.ASKED,
    Verb.REVERSE: Standing.OPEN,
}

_SAID = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "rejected",
    Verb.DEFER: "deferred",
    Verb.ASK: "asked",
    Verb.REVERSE: "reversed",
}


@frozen(kw_only=True)
class Decision:
    """What a person said of one finding, at the revision that they saw.

    Attributes
    ----------
    suggestion
        What is to be written; None where nothing is.
    until
        Of a deferral: when the finding is back in the queue; None = it never left.
    asked
        Of a question: the account or the role that is to look.
    """

    verb: Verb
    who: str = field(validator=validators.min_len(1))
    at: datetime
    revision: int
    reason: RejectReason | None = field(default=None)
    words: str = ""
    suggestion: Suggestion | None = None
    until: datetime | None = None
    asked: str = ""

    @reason.validator
    def _is_given_where_needed(self, _name: "Attribute[Any]", value: RejectReason | None) -> None:
        assert (value is not None) == (self.verb is Verb.REJECT)
        assert value is not RejectReason.OTHER or self.words

    @property
    def in_words(self) -> str:
        """The decision as a person reads it."""
        why = "" if self.reason is None else f" ({self.reason.value.replace('_', ' ')})"
        until = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M}"
        asked = f" {self.asked}" if self.asked else ""
        words = f": {self.words}" if self.words else ""
        said = f"{_SAID[self.verb]}{why}{asked}{until}"
        return f"{said} by {self.who}, {self.at:%Y-%m-%d %H:%M}{words}"

    @property
    def is_final(self) -> bool:
        """Whether the finding is no longer open."""
        return self.verb in FINAL
