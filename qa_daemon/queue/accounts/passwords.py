"""Passwords: what is accepted, how they are kept (argon2id, RFC 9106), how they are compared."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from qa_daemon.errors import InputError, RetryableError

#: Length is what counts (NIST SP 800-63B 5.1.1.2); no classes of characters are demanded.
LENGTH_MIN: Final = 12
#: Hashing reads all of it: a megabyte of password would be a free ride.
LENGTH_MAX: Final = 256
#: 64 MiB and 3 passes: some 0.1 s on one core. Four lanes are what the profile asks for.
_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
#: Each takes 64 MiB: a crowd of guessers gets no more than this many at a time.
_WORKERS: Final = threading.BoundedSemaphore(2)
#: Who waits longer than this is one of a crowd.
WAIT_S: Final = 10.0
#: Compared with where nobody of that name exists, so that it takes as long as where one does.
_NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$"
    "Uv1qGqMgd5dbFXPNpEXyMz4lGg3JoyHaS0CyDNbYvqQ"
)


def hashed(password: str, name: str = "") -> str:
    """Return the hash to keep.

    Raises
    ------
    InputError
        If it is too short, too long, or the user's own name.
    """
    given = _normal(password)
    if len(given) < LENGTH_MIN:
        raise InputError(f"password: too short; use {LENGTH_MIN} characters or more")
    if len(given) > LENGTH_MAX:
        raise InputError(f"password: too long; use {LENGTH_MAX} characters or fewer")
    if name and given.casefold() in {name.casefold(), name.casefold() * 2}:
        raise InputError("password: is the name itself; use another")
    if len(set(given)) <= 2:
        raise InputError("password: repeats one or two characters; use another")
    with _at_work():
        return _HASHER.hash(given)


def is_right(kept: str, password: str) -> bool:
    """Whether it is the password; takes as long where there is none to compare with."""
    given = _normal(password)
    if len(given) > LENGTH_MAX:
        return False
    with _at_work():
        try:
            return _HASHER.verify(kept or _NOBODY, given) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than those of today."""
    return _HASHER.check_needs_rehash(kept)


@contextmanager
def _at_work() -> Iterator[None]:
    if not _WORKERS.acquire(timeout=WAIT_S):
        raise RetryableError("sign-in: too many at once; try again in a moment")
    try:
        yield
    finally:
        _WORKERS.release()


def _normal(password: str) -> str:
    # One keyboard sends an accent as one character, another as two (RFC 8265 section 4.2.1).
    return unicodedata.normalize("NFC", password)
