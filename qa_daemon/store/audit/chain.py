"""How entries of the audit hang together: each holds a digest over itself and the one before it.

Whoever changes or takes out an entry has to seal all later ones anew, and then the last digest is
another one than `qa-daemon audit verify` printed, and than syslog has long carried elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from attrs import frozen

#: What the first entry hangs on.
BEGINNING: Final = "0" * 64
#: Says how the bytes are made, so that another way can be told apart one day.
_FORM: Final = b"qa-daemon audit 1\n"


@frozen(kw_only=True)
class AuditEntry:
    """What somebody did.

    Attributes
    ----------
    action
        In words of the product, such as `accept`, `login`, `user add`.
    subject, detail
        What it was done to, and more about it.
    address
        Where the operator came from; empty on the service's own machine.
    outcome
        0 success, 4 minor, 8 serious, 12 major failure (PS3.15 A.5.2).
    patient_id, patient_name, study_instance_uid
        Whom it concerns; empty where it concerns no patient.
    """

    at: datetime
    who: str
    action: str
    subject: str
    detail: str
    address: str = ""
    outcome: int = 0
    patient_id: str = ""
    patient_name: str = ""
    study_instance_uid: str = ""


@frozen
class Sealed:
    """An entry as it lies in the audit; without digests it is older than the chain."""

    id: int
    entry: AuditEntry
    previous: str | None
    chain: str | None


@frozen
class Verdict:
    """Whether the chain holds.

    Attributes
    ----------
    sealed, older
        Entries of the chain that hold, and those from before there was one.
    head
        The digest of the last that holds.
    broken
        The number of the first entry that does not hold; None = all do.
    reason
        Why it does not.
    """

    sealed: int
    older: int
    head: str
    broken: int | None = None
    reason: str = ""


def digest(entry: AuditEntry, previous: str) -> str:
    """Return the digest of an entry: SHA-256 over its fields as JSON, sorted, ASCII, no spaces."""
    fields = {
        "action": entry.action,
        "address": entry.address,
        "at": entry.at.isoformat(timespec="microseconds"),
        "detail": entry.detail,
        "outcome": entry.outcome,
        "patient_id": entry.patient_id,
        "patient_name": entry.patient_name,
        "previous": previous,
        "study_instance_uid": entry.study_instance_uid,
        "subject": entry.subject,
        "who": entry.who,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(_FORM + canonical.encode("ascii")).hexdigest()


def verdict(entries: Iterable[Sealed], passes: str = "") -> Verdict:
    """Return whether entries, in their order, are one unbroken chain.

    Parameters
    ----------
    passes
        A digest that was the head once: the chain has to pass it. Only so it shows that entries
        were cut off at the end.
    """
    sealed = older = last = 0
    head, has_passed = BEGINNING, passes in {"", BEGINNING}
    for each in entries:
        last = each.id
        if each.chain is None and sealed == 0:
            older += 1
            continue
        reason = _fault(each, head)
        if reason:
            return Verdict(sealed, older, head, each.id, reason)
        sealed, head = sealed + 1, each.chain or ""
        has_passed = has_passed or head == passes
    if not has_passed:
        reason = "it ends without the digest that was its last once: later entries are gone"
        return Verdict(sealed, older, head, last, reason)
    return Verdict(sealed, older, head)


def _fault(each: Sealed, head: str) -> str:
    """Return what is wrong with an entry that should follow the one with the digest `head`."""
    if each.chain is None or each.previous is None:
        return "it was written past the chain"
    if each.previous != head:
        return "it does not follow the entry before it: one was taken out, put in or moved"
    if digest(each.entry, each.previous) != each.chain:
        return "its words are not those that were sealed"
    return ""
