"""What a person can answer, what comes of it, and why it may be refused."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

from qa_daemon.errors import InputError
from qa_daemon.records.decision import Decision, RejectReason, Standing, Verb
from qa_daemon.records.finding import Hypothesis
from qa_daemon.store.review.act_rows import Request

#: Numbers of rows fit 64 bits.
_SEEN: Final = re.compile(r"([0-9]{1,18})@([0-9]{1,18})")


@frozen(order=True)
class Seen:
    """A finding as a person had it before them; as text `12@3`."""

    finding_id: int
    revision: int

    def __str__(self) -> str:
        return f"{self.finding_id}@{self.revision}"

    @classmethod
    def read(cls, text: str) -> "Seen":
        """Return what a client sent back.

        Raises
        ------
        InputError
            If it is no such text.
        """
        found = _SEEN.fullmatch(text)
        if found is None:
            raise InputError("a finding is named by its number and revision, such as 12@3")
        return cls(int(found[1]), int(found[2]))


@frozen(kw_only=True)
class Wish:
    """Who wants something done, and when.

    Attributes
    ----------
    number
        Made by the client, a new one for each wish: the same again is the same wish.
    may_approve
        Whether this account may be the second pair of eyes.
    address
        Where the person sits, for the audit; "" at the machine itself.
    """

    who: str
    number: str
    at: datetime
    may_approve: bool = False
    address: str = ""

    @property
    def request(self) -> Request:
        """Return it as the store keeps it."""
        return Request(who=self.who, number=self.number, at=self.at)


# --- answers -------------------------------------------------------------------------------------


@frozen
class Accept:
    """What is suggested is right: the likeliest (0), or another one."""

    rank: int = 0
    words: str = ""


@frozen
class AcceptClass:
    """The picture lies otherwise: a class of `orientation_maths`, "0" to "7".

    Attributes
    ----------
    hypothesis
        How it came about; None = the likeliest.
    """

    label: str
    hypothesis: Hypothesis | None = None
    words: str = ""


@frozen
class Edit:
    """Values for one element of a suggestion, as text.

    Attributes
    ----------
    sop_instance_uid
        None = wherever the suggestion changes this path.
    """

    path: str
    values: tuple[str, ...]
    sop_instance_uid: str | None = None


@frozen
class AcceptEdited:
    """The suggestion is right but for some values."""

    edits: tuple[Edit, ...]
    rank: int = 0
    words: str = ""


@frozen
class Reject:
    """The finding is none."""

    reason: RejectReason
    words: str = ""


@frozen
class Defer:
    """Not now; `until` = when it is back in the queue, None = it never leaves."""

    until: datetime | None = None
    words: str = ""


@frozen
class Ask:
    """Another account, or all of a role, should look."""

    of: str
    words: str = ""


Answer: TypeAlias = Accept | AcceptClass | AcceptEdited | Reject | Defer | Ask


# --- what comes of it ----------------------------------------------------------------------------


@frozen(kw_only=True)
class Outcome:
    """What was decided.

    Attributes
    ----------
    standing
        Of the findings from now on.
    undo_until
        When it leaves; None = nothing leaves, and it can be undone.
    colleague
        What the first of two persons had said of it, now that the second one has answered.
    """

    act_id: int
    finding_ids: tuple[int, ...]
    verb: Verb
    standing: Standing
    undo_until: datetime | None = None
    colleague: Decision | None = None


@frozen(kw_only=True)
class Undone:
    """What was taken back."""

    act_id: int
    finding_ids: tuple[int, ...]
    verb: Verb


class RefusalKind(StrEnum):
    """Why nothing was written."""

    UNKNOWN = "unknown"  # no such finding, no such suggestion
    INFO = "info"  # nobody need decide it
    STALE = "stale"  # a newer revision has come
    IN_WORK = "in_work"  # it is being judged again
    TAKEN = "taken"  # somebody decided it, or answered since
    MIXED = "mixed"  # findings of a batch stand differently
    TOO_MANY = "too_many"
    SAME_PERSON = "same_person"  # the second answer must be another one's
    NEEDS_APPROVER = "needs_approver"
    UNFIT = "unfit"  # a value that may not be written, or does not mend the finding
    CLOSED = "closed"  # it has left
    NOTHING = "nothing"  # there is nothing to take back


@frozen(kw_only=True)
class Refusal:
    """What a page needs to say it well.

    Attributes
    ----------
    who, at
        Who was faster; when it left.
    revision, successor, new_instances
        The newest revision, the finding of the same rule in it, and how many objects it has more.
    path
        Of the value that is unfit.
    """

    kind: RefusalKind
    finding_id: int | None = None
    who: str = ""
    at: datetime | None = None
    revision: int | None = None
    successor: int | None = None
    new_instances: int = 0
    path: str = ""


class Refused(InputError):  # noqa: N818  it says what became of the wish
    """Nothing was written, and why; its text is one sentence for people."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@frozen(kw_only=True)
class Group:
    """Findings of a selection that are alike, with one of them as an example."""

    rule: str
    message: str
    count: int
    example: Seen


@frozen(kw_only=True)
class Selection:
    """A list of findings, frozen: what is decided of it is decided of these and no others."""

    seen: tuple[Seen, ...]
    standing: Standing
    groups: tuple[Group, ...] = field(default=())

    def __str__(self) -> str:
        return " ".join(map(str, self.seen))

    @classmethod
    def read(cls, text: str) -> tuple[Seen, ...]:
        """Return the list that a client sent back; raises InputError as `Seen.read` does."""
        return tuple(Seen.read(word) for word in text.split())
