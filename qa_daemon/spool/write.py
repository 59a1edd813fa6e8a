"""One record on its way to the disk."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from qa_daemon.errors import RetryableError
from qa_daemon.records.receipt import Envelope, SpoolRecord
from qa_daemon.spool.layout import head, tail

#: Fragments of PDUs are gathered to writes of this size; larger ones pass straight through.
BUFFER_BYTES: Final = 256 << 10


class SpoolUnavailable(RetryableError):  # noqa: N818  a state of the spool, named so between rooms
    """No room, no right or no disk: nothing was kept; the sender is to try again."""


def unavailable(doing: str, error: OSError) -> SpoolUnavailable:
    """Return the error to raise, without a path that a sender has named."""
    reason = error.strerror or type(error).__name__
    return SpoolUnavailable(f"spool: {doing}: {reason}; look at the disk that holds the spool")


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RecordWriter:
    """Takes the bytes of one object; only `commit` makes them a record.

    Leaving the `with` block without `commit` aborts. For one thread.
    """

    def __init__(
        self, envelope: Envelope, key: str, partial: Path, publish: Callable[[Path, int], None]
    ) -> None:
        self.key = key
        self.length = 0
        self._partial = partial
        self._publish = publish
        self._undigested = envelope.data_set_offset
        self._digest = hashlib.sha256()
        self._is_open = True
        try:
            self._file = partial.open("xb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise unavailable("a record cannot be begun", error) from error
        self._put(head(envelope))

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes of the object.

        Raises
        ------
        SpoolUnavailable
            If they could not be written; nothing is kept then.
        """
        self._put(chunk)
        self.length += len(chunk)
        skipped = min(self._undigested, len(chunk))
        self._undigested -= skipped
        self._digest.update(chunk[skipped:] if skipped else chunk)

    def commit(self) -> SpoolRecord:
        """Flush the record to the disk and give it its name; durable when this returns.

        Raises
        ------
        SpoolUnavailable
            If any of it failed; nothing is kept then.
        """
        digest = self._digest.digest()
        self._put(tail(self.length, digest))
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            size = self._file.tell()
            self._file.close()
            self._publish(self._partial, size)
        except OSError as error:
            self.abort()
            raise unavailable("a record cannot be made durable", error) from error
        self._is_open = False
        return SpoolRecord(self.key, self.length, digest.hex())

    def abort(self) -> None:
        """Keep nothing."""
        if not self._is_open:
            return
        self._is_open = False
        # A full disk fails the flush within close once more; the file goes all the same.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _put(self, content: bytes | memoryview) -> None:
        assert self._is_open
        try:
            self._file.write(content)
        except OSError as error:
            self.abort()
            raise unavailable("a record cannot be written", error) from error
