"""SOP Instance UIDs of work items: made of the finding's number, so that none has to be kept.

A UUID of version 8 (RFC 9562, 5.8) under 2.25 (PS3.5 B.2): 62 bits are the number, 60 bits a keyed
digest of it, so that two services never give one UID, and nobody finds items by counting.
"""

import hashlib
import hmac
import re
from typing import Final

_ROOT: Final = "2.25."
_FORM: Final = re.compile(r"2\.25\.(0|[1-9][0-9]{0,38})")
_NUMBER_BITS: Final = 62
_VERSION: Final = 8
_VARIANT: Final = 0b10


def uid_of(finding_id: int, key: bytes) -> str:
    """Return the UID of a finding's work item."""
    assert 0 < finding_id < 1 << _NUMBER_BITS
    digest = _digest(finding_id, key)
    high = ((digest >> 12) << 16) | (_VERSION << 12) | (digest & 0xFFF)
    return f"{_ROOT}{(high << 64) | (_VARIANT << _NUMBER_BITS) | finding_id}"


def finding_of(uid: str, key: bytes) -> int | None:
    """Return the number of the finding that a UID stands for; None if it is not one of ours."""
    if _FORM.fullmatch(uid) is None:
        return None
    finding_id = int(uid.removeprefix(_ROOT)) & ((1 << _NUMBER_BITS) - 1)
    is_ours = finding_id > 0 and hmac.compare_digest(uid_of(finding_id, key), uid)
    return finding_id if is_ours else None


def _digest(finding_id: int, key: bytes) -> int:
    """Return 60 bits."""
    said = hmac.new(key, f"workitem {finding_id}".encode("ascii"), hashlib.sha256).digest()
    return int.from_bytes(said[:8]) >> 4
