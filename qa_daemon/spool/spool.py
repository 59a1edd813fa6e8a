"""The spool as the other rooms see it: write an object, have it again by its key.

Provisional: one file per object. The form may change behind this class.
"""

import contextlib
import fcntl
import hashlib
import mmap
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from qa_daemon.errors import ConfigurationError
from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope, SpoolRecord
from qa_daemon.spool import layout, quarantine
from qa_daemon.spool.layout import RecordUnreadable
from qa_daemon.spool.write import RecordWriter, sync_folder, unavailable

SUFFIX: Final = ".qas"


class Spool:
    """A folder of records. Any process may read; one at a time writes. All methods take threads.

    Raises
    ------
    ConfigurationError
        If the folder can neither be found nor made.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._records = folder / "records"
        self._partial = folder / "partial"
        self._quarantine = quarantine.Quarantine(folder / "quarantine", limits)
        self._lock = threading.Lock()
        self._writer_lock: int | None = None
        self._durable_buckets: set[str] = set()
        self._used_bytes: int | None = None
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            for needed in (self._records, self._partial, folder / "quarantine"):
                needed.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"spool: folder {folder} cannot be made: {error.strerror}; "
                "let the service's user write there, or set spool.path"
            ) from error

    # --- the writing process ---------------------------------------------------------------------

    def recover(self) -> int:
        """Become the one writer and remove what an interrupted one left; return how many files.

        Raises
        ------
        ConfigurationError
            If another process writes to this spool.
        """
        with self._lock:
            if self._writer_lock is not None:
                return 0
            try:
                self._writer_lock = self._lock_for_writing()
                torn = list(self._partial.iterdir())
                for path in torn:
                    path.unlink()
                for name in (self._records, self._partial, self._folder, self._folder.parent):
                    sync_folder(name)
            except OSError as error:
                self._release()
                raise unavailable("it cannot be recovered", error) from error
            return len(torn)

    def begin(self, envelope: Envelope) -> RecordWriter:
        """Open a record for one object.

        Raises
        ------
        SpoolUnavailable
            If nothing can be written.
        """
        self.recover()
        # Not derived from anything received: a hostile UID never becomes a path.
        key = f"{time.time_ns():016x}{secrets.token_hex(8)}"
        return RecordWriter(
            envelope,
            key,
            self._partial / (key + SUFFIX),
            lambda partial, size: self._publish(key, partial, size),
        )

    def set_aside(self, content: bytes, envelope: Envelope, reason: str, message: str) -> str:
        """Keep the first MiB of a refused object with the reason; return the key of the copy."""
        return self._quarantine.keep(content, envelope, reason, message)

    def remove(self, *keys: str) -> None:
        """Remove records for good; those that are gone already are no error."""
        buckets = {}
        try:
            for key in keys:
                path = self._path(key)
                with contextlib.suppress(FileNotFoundError):
                    size = path.stat().st_size
                    path.unlink()
                    self._count(-size)
                    buckets[layout.bucket(key)] = path.parent
            # A removal that a loss of power takes back would bring a deleted patient back.
            for folder in buckets.values():
                sync_folder(folder)
        except OSError as error:
            raise unavailable("a record cannot be removed", error) from error

    # --- any process -----------------------------------------------------------------------------

    def open(self, key: str) -> memoryview:
        """Return the whole object, read-only, mapped; the mapping goes with its last view.

        Raises
        ------
        RecordUnreadable
            If there is no whole record of this key. The data set is not compared; see `verify`.
        """
        return self._parts(key)[1]

    def content(self, key: str) -> bytes:
        """Return the whole object; raises as `open` does."""
        return bytes(self.open(key))

    def envelope(self, key: str) -> Envelope:
        """Return what was known when the object came; needs the head of the record only."""
        return layout.read_head(self._mapped(key), key)[0]

    def record(self, key: str) -> SpoolRecord:
        """Return what `commit` said; raises as `open` does."""
        _, content, tail = self._parts(key)
        return SpoolRecord(key, len(content), tail.data_set_sha256.hex())

    def verify(self, key: str) -> None:
        """Compare the data set with its checksum; raises `RecordUnreadable` if they differ."""
        envelope, content, tail = self._parts(key)
        digest = hashlib.sha256(content[envelope.data_set_offset :]).digest()
        if digest != tail.data_set_sha256:
            raise RecordUnreadable(f"spool record {key}: its bytes changed; ask for a new copy")

    def has(self, key: str) -> bool:
        """Whether there is a record of this key."""
        return self._path(key).is_file()

    def keys(self) -> Iterator[str]:
        """Yield the keys of all records in the order of arrival."""
        try:
            for folder in sorted(self._records.iterdir()):
                for path in sorted(folder.iterdir()):
                    if path.suffix == SUFFIX and layout.KEY_PATTERN.fullmatch(path.stem):
                        yield path.stem
        except OSError as error:
            raise unavailable("it cannot be listed", error) from error

    def free_bytes(self) -> int:
        """Return what the disk has left for an ordinary user."""
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise unavailable("its disk cannot be asked", error) from error
        return disk.f_bavail * disk.f_frsize

    def used_bytes(self) -> int:
        """Return the bytes of all records: counted once, then kept up to date by this object."""
        used = self._used_bytes
        return self.recount() if used is None else used

    def recount(self) -> int:
        """Count the bytes of all records anew: other processes remove some, too."""
        total = 0
        for key in self.keys():
            with contextlib.suppress(FileNotFoundError):
                total += self._path(key).stat().st_size
        with self._lock:
            self._used_bytes = total
        return total

    def close(self) -> None:
        """Let another process write."""
        with self._lock:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # --- inside ----------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self._records / layout.bucket(key) / (key + SUFFIX)

    def _mapped(self, key: str) -> memoryview:
        try:
            with self._path(key).open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError as error:
            raise RecordUnreadable(f"spool record {key}: there is none") from error
        except ValueError as error:  # an empty file cannot be mapped
            raise RecordUnreadable(f"spool record {key}: empty; ask for a new copy") from error
        except OSError as error:
            raise unavailable("a record cannot be read", error) from error

    def _parts(self, key: str) -> tuple[Envelope, memoryview, layout.Tail]:
        mapped = self._mapped(key)
        envelope, begin = layout.read_head(mapped, key)
        tail = layout.read_tail(mapped, key)
        content = mapped[begin : len(mapped) - layout.TAIL_LENGTH]
        if len(content) != tail.length:
            raise RecordUnreadable(f"spool record {key}: its length is wrong; ask for a new copy")
        return envelope, content, tail

    def _publish(self, key: str, partial: Path, size: int) -> None:
        """Give a flushed record its name; raises OSError and leaves no name behind."""
        target = self._path(key)
        name = target.parent.name
        if name not in self._durable_buckets:
            target.parent.mkdir(mode=0o750, exist_ok=True)
            sync_folder(self._records)
            # Only now: another thread may find the folder there before its name is durable.
            self._durable_buckets.add(name)
        partial.replace(target)  # atomic: a reader sees the whole record or none
        try:
            sync_folder(target.parent)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        self._count(size)

    def _count(self, change: int) -> None:
        with self._lock:
            if self._used_bytes is not None:
                self._used_bytes += change

    def _lock_for_writing(self) -> int:
        descriptor = os.open(
            self._folder / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
        try:
            # The kernel lets go of it when the process dies, however it dies.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ConfigurationError(
                f"spool: another process receives into {self._folder}; "
                "stop it, or give this one a state folder of its own"
            ) from error
        return descriptor

    def _release(self) -> None:
        if self._writer_lock is not None:
            os.close(self._writer_lock)
            self._writer_lock = None
