"""What goes to a place, and what it answers."""

from datetime import timedelta
from enum import StrEnum

from attrs import frozen

from qa_daemon.records.change_set import ChangeSet
from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance


@frozen(kw_only=True)
class Package:
    """A change set with the instances that it concerns.

    Attributes
    ----------
    instances
        Those of its series that would change, as they were received.
    retrieve_ae_title
        The archive that has them; "" where none is known.
    """

    change_set: ChangeSet
    instances: tuple[Instance, ...]
    version: str
    retrieve_ae_title: str = ""

    def said(self, keyword: str) -> str:
        """Return what the instances say of an element, "" where they are silent."""
        found = (first_text(each.elements, keyword) for each in self.instances)
        return next(filter(None, found), "")


class Verdict(StrEnum):
    """What became of one try."""

    SENT = "sent"
    REFUSED = "refused"  # for good: the same again would get the same answer
    LATER = "later"  # time may mend it


@frozen(kw_only=True)
class Answer:
    """What a place answered, in its own words.

    Attributes
    ----------
    after
        It asks not to be tried again before.
    """

    verdict: Verdict
    words: str
    after: timedelta | None = None
