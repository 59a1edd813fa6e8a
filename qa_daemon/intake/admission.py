"""Who may associate, what may be stored, and whether there is room. Pure, but for `Room`.

The answers are those of the contract, section 1; a wrong tag is never a reason to refuse.
"""

import ipaddress
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field, frozen
from pydicom.uid import UID

from qa_daemon.config.settings import ReceiverSettings, SpoolSettings
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

UID_LENGTH_MAX: Final = 64  # PS3.5 9.1
_UID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+\Z")  # PS3.5 9.1
NOT_OBJECTS: Final = ("1.2.840.10008.1.20.", "1.2.840.10008.1.3.10")  # commitment, DICOMDIR
ROOM_LOOK_S: Final = 0.5  # statvfs costs little, but not per instance


@frozen
class Rejection:
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int


UNKNOWN_CALLING: Final = Rejection(1, 1, 3)
UNKNOWN_CALLED: Final = Rejection(1, 1, 7)
# Always transient: many archives stop a route for good on a permanent rejection.
TOO_MANY: Final = Rejection(2, 3, 2)


@frozen
class Answer:
    """Status and Error Comment of a C-STORE response (PS3.7 9.1.1.1.9).

    Attributes
    ----------
    comment
        LO, at most 64 characters, never with a received value.
    """

    status: int
    comment: str = ""


STORED: Final = Answer(0x0000)
NO_ROOM: Final = Answer(0xA700, "no room left in the spool")
OVER_QUOTA: Final = Answer(0xA700, "the quota of the spool is used up")
SPOOL_UNWRITABLE: Final = Answer(0xA700, "the spool cannot be written")
INDEX_LATE: Final = Answer(0xA700, "the index is late, send again later")
UID_MISSING: Final = Answer(0xC000, "SOP Class or Instance UID missing in the command set")
UID_TOO_LONG: Final = Answer(0xC000, "SOP Class or Instance UID over 64 bytes")
DATA_SET_EMPTY: Final = Answer(0xC000, "data set of length 0")
TOO_LARGE: Final = Answer(0xC001, "object larger than this service takes")
NOT_AUTHORIZED: Final = Answer(0x0124, "this sender may not send this SOP class")
UID_MALFORMED: Final = Answer(0x0117, "SOP Class or Instance UID is not a UID")
UID_DIFFERS: Final = Answer(0xA900, "UIDs of data set and command set differ")


@frozen
class Applicant:
    """Who asks for an association."""

    address: str
    calling_ae_title: str
    called_ae_title: str


def refused_association(
    applicant: Applicant, settings: ReceiverSettings, taken: Sequence[str]
) -> Rejection | None:
    """Return why `applicant` may not associate, None if it may.

    Parameters
    ----------
    taken
        The addresses of the associations that are open, one each.
    """
    titles = {title.strip() for title in settings.calling_ae_titles}
    if titles and applicant.calling_ae_title.strip() not in titles:
        return UNKNOWN_CALLING
    if settings.calling_addresses and not is_listed(applicant.address, settings.calling_addresses):
        return UNKNOWN_CALLING
    called = applicant.called_ae_title.strip()
    if settings.check_called_ae_title and called != settings.ae_title.strip():
        return UNKNOWN_CALLED
    if len(taken) >= settings.associations_max:
        return TOO_MANY
    if taken.count(applicant.address) >= settings.associations_per_address_max:
        return TOO_MANY
    return None


def is_listed(address: str, networks: Sequence[str]) -> bool:
    """Return whether an IP address lies in one of `networks` (addresses or CIDR)."""
    peer = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    return any(peer in ipaddress.ip_network(network, strict=False) for network in networks)


def is_storage(abstract_syntax: str, settings: ReceiverSettings) -> bool:
    """Return whether objects of this SOP class are taken, by the dictionary and the settings."""
    uid = UID(abstract_syntax)
    if uid.name == uid:  # not in PS3.6: private, or newer than our dictionary
        return settings.private_sop_classes
    if uid.type != "SOP Class" or "Storage" not in uid.name or uid.startswith(NOT_OBJECTS):
        return False
    return settings.retired_sop_classes or not uid.is_retired


def refused_uids(
    sop_class_uid: bytes, sop_instance_uid: bytes, settings: ReceiverSettings
) -> Answer | None:
    """Return why a C-STORE with these UIDs is refused, None if it is not. Padding is stripped."""
    uids = (sop_class_uid, sop_instance_uid)
    if not all(uids):
        return UID_MISSING
    if any(len(uid) > UID_LENGTH_MAX for uid in uids):
        return UID_TOO_LONG
    if sop_class_uid in {uid.encode() for uid in settings.denied_sop_classes}:
        return NOT_AUTHORIZED
    if settings.strict and not all(_UID.match(uid) for uid in uids):
        return UID_MALFORMED
    return None


def as_text(raw: bytes) -> str:
    """Return received bytes as text that every log, file and database takes."""
    escaped = (chr(each) if 0x20 <= each <= 0x7E else f"\\x{each:02x}" for each in raw)
    return "".join(escaped)


def _free_bytes(folder: Path) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


@define
class Room:
    """Whether the spool may grow: watermark of free space, and quota.

    Attributes
    ----------
    used_bytes
        Asks the spool how much it holds; only called where there is a quota.
    """

    folder: Path
    settings: SpoolSettings
    used_bytes: Callable[[], int]
    _looked_at: float = field(default=float("-inf"), init=False)
    _answer: Answer | None = field(default=None, init=False)

    def refused(self) -> Answer | None:
        """Return A700 with its reason if there is no room, as of at most `ROOM_LOOK_S` ago."""
        now = time.monotonic()
        if now - self._looked_at >= ROOM_LOOK_S:
            before, self._answer, self._looked_at = self._answer, self._look(), now
            if before is None and self._answer is not None:
                log.error(LogEvent.DISK_LOW, status=self._answer.status)
            elif before is not None and self._answer is None:
                log.info(LogEvent.DISK_RECOVERED)
        return self._answer

    def _look(self) -> Answer | None:
        try:
            if _free_bytes(self.folder) < self.settings.free_bytes_min:
                return NO_ROOM
            quota = self.settings.quota_bytes
            return OVER_QUOTA if quota and self.used_bytes() >= quota else None
        except OSError:
            return SPOOL_UNWRITABLE
