"""What a person said of a finding."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen, validators

from qa_daemon.records.finding import Suggestion


class Verb(StrEnum):
    """The three answers."""

    ACCEPT = "accept"  # what is suggested is right; without a suggestion: the fault is known
    REJECT = "reject"  # with its reason
    DEFER = "defer"  # not now; it stays open


class RejectReason(StrEnum):
    """Why a finding is no finding; models and rules learn from it."""

    TAGS_RIGHT = "tags_right"
    OTHER_FAULT = "other_fault"
    ANATOMY = "anatomy"  # the patient is really so: situs inversus
    TEST = "test"  # a phantom, a test patient
    UNTELLABLE = "untellable"
    OTHER = "other"  # needs words


#: Verbs after which a finding is no longer open.
FINAL = frozenset({Verb.ACCEPT, Verb.REJECT})


@frozen(kw_only=True)
class Decision:
    """What a person said of one finding, at the revision that they saw.

    Attributes
    ----------
    suggestion
        What is to be written; None where nothing is.
    """

    verb: Verb
    who: str = field(validator=validators.min_len(1))
    at: datetime
    revision: int
    reason: RejectReason | None = field(default=None)
    words: str = ""
    suggestion: Suggestion | None = None

    @reason.validator
    def _is_given_where_needed(self, _name: "Attribute[Any]", value: RejectReason | None) -> None:
        assert (value is not None) == (self.verb is Verb.REJECT)
        assert value is not RejectReason.OTHER or self.words

    @property
    def in_words(self) -> str:
        """The decision as a person reads it."""
        said = {Verb.ACCEPT: "accepted", Verb.REJECT: "rejected", Verb.DEFER: "deferred"}[self.verb]
        why = "" if self.reason is None else f" ({self.reason.value.replace('_', ' ')})"
        words = f": {self.words}" if self.words else ""
        return f"{said}{why} by {self.who}, {self.at:%Y-%m-%d %H:%M}{words}"

    @property
    def is_final(self) -> bool:
        """Whether the finding is no longer open."""
        return self.verb in FINAL
