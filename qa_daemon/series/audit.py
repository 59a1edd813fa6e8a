"""Which series a person looks at although nothing was found in them.

What the service does not flag nobody contradicts; a random sample of it, judged without seeing what
the service said, is the only way to know what it misses. The draw depends on the Series Instance
UID alone, so every process and every restart draws the same.
"""

import hashlib
from typing import Final

#: Keeps the draw apart from every other hash of the same UIDs.
AUDIT_KEY: Final = b"audit sample"


def is_audited(series_instance_uid: str, share: float) -> bool:
    """Whether a series belongs to a random sample of this share, 0 to 1."""
    digest = hashlib.blake2b(series_instance_uid.encode(), key=AUDIT_KEY, digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
