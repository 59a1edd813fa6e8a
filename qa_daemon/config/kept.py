"""Keys that a site never writes: made once at random, kept in the state folder."""

import os
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
#: A longer file is somebody else's; what is read of it is enough for a key.
KEY_BYTES_MAX: Final = 64


def kept_key(place: Path) -> bytes:
    """Read the key at `place`, or make it once; only its owner may read it.

    The key is written beside its place and linked to it: of two processes that start at once
    one wins, and neither reads half a key.

    Raises
    ------
    OSError
        If it can be neither read nor written.
    """
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            place.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first
        finally:
            draft.unlink()
    return place.read_bytes()[:KEY_BYTES_MAX]
