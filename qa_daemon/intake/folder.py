"""The watched folder: whatever is dropped in is taken once, whole, and then put away.

A file is read only when it lies still, and put away only when its row is committed; if it changed
while it was read, nothing of it is kept and it is read again later. After a crash in between it
is taken a second time, which the store recognises by UID and bytes.
"""

import os
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from attrs import define, field, frozen
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from qa_daemon.config.settings import AfterIntake, FolderSettings
from qa_daemon.dicom.dicomdir import MEDIA_DIRECTORY_CLASS, referenced_files
from qa_daemon.dicom.part10 import data_set_offset
from qa_daemon.dicom.scan import Refused
from qa_daemon.errors import RetryableError
from qa_daemon.intake import archive
from qa_daemon.intake.door import Door
from qa_daemon.intake.files.shelves import DONE, SHELVES, Shelves, visible
from qa_daemon.intake.files.stable import Candidate, Signature, Stability, files_below
from qa_daemon.intake.index import Ticket
from qa_daemon.intake.meter import CHUNK, HEAD_LENGTH, Bounds, Readable, read_exactly
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Rejection
from qa_daemon.records.receipt import Envelope, Origin, SpoolRecord
from qa_daemon.spool.write import SpoolUnavailable
from qa_daemon.store.instance_rows import Refusal
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

HEAD_BYTES: Final = 1 << 20  # preamble and group 0002 end well before
MEDIA_DIRECTORY: Final = MEDIA_DIRECTORY_CLASS.encode()
SCAN_PAUSE_S: Final = 0.2  # notifications come by the thousand; one scan answers them all
POLL_S: Final = 1.0
RETRY_S: Final = 2.0  # while the spool or the store cannot be written
BATCH: Final = 100  # files whose rows are waited for together
# Of one archive; its reason file names more. Each row costs a flush, and holds up the index.
REFUSALS_NOTED_MAX: Final = 20
# Opening and listing are reported, too; our own scans would then wake us for ever.
CHANGES: Final = frozenset(("created", "modified", "moved", "closed", "deleted"))


@frozen
class _Spooled:
    """What the bytes of one file became.

    Attributes
    ----------
    is_taken
        Whether the file is done with even without an object: the directory of a medium.
    """

    records: tuple[tuple[SpoolRecord, Envelope], ...] = ()
    rejections: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()
    is_taken: bool = False


@frozen
class _Taken:
    """A file that was read, and the way of its objects to their rows."""

    candidate: Candidate
    spooled: _Spooled
    tickets: tuple[Ticket, ...] = ()


@define(eq=False)
class _Nudge(FileSystemEventHandler):
    """Wakes the folder's thread when something below it changed."""

    folder: Path
    wake: threading.Event = field(factory=threading.Event)

    def dispatch(self, event: FileSystemEvent) -> None:
        """Note a change; our own moves onto the shelves are none."""
        if event.event_type not in CHANGES:
            return
        path = Path(os.fsdecode(event.src_path))
        below = path.relative_to(self.folder).parts if path.is_relative_to(self.folder) else ()
        if not below or below[0] not in SHELVES:
            self.wake.set()


class Folder:
    """Watches one folder in a thread of its own."""

    def __init__(self, path: Path, door: Door, settings: FolderSettings, limits: Limits) -> None:
        self._path = path.absolute()
        self._door = door
        self._settings = settings
        self._limits = limits
        self._bounds = Bounds.of(settings, limits)
        self._shelves = Shelves(self._path, settings.after)
        self._stability = Stability(settings.quiet_s)
        self._nudge = _Nudge(self._path)
        self._observer: BaseObserver | None = None
        self._watched_inode = -1
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def start(self) -> None:
        """Begin to watch; what lies there already is taken, too."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finish the file at hand and stop."""
        self._is_stopping = True
        self._nudge.wake.set()
        self._thread.join(timeout_s)

    # --- when to look ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._watch()
                wait_s = self._scan()
            except OSError as error:
                log.warning(LogEvent.FOLDER_UNREADABLE, cause=type(error).__name__)
                wait_s = self._settings.rescan_s
            except Exception as error:  # noqa: BLE001  the edge: no file may end the thread
                log.bug(error)
                wait_s = self._settings.rescan_s
            self._nudge.wake.wait(min(wait_s, self._settings.rescan_s))
            self._nudge.wake.clear()
            if not self._is_stopping:
                self._nudge.wake.wait(SCAN_PAUSE_S)  # gather the notifications of a moment
        self._unwatch()

    def _watch(self) -> None:
        """Make the folder if it is gone, and watch the one that is there now."""
        self._path.mkdir(mode=0o750, parents=True, exist_ok=True)
        inode = self._path.stat().st_ino
        if inode == self._watched_inode:
            return
        self._unwatch()
        observer = PollingObserver(timeout=POLL_S) if self._settings.polling else Observer()
        observer.schedule(self._nudge, str(self._path), recursive=True)
        try:
            observer.start()
        except OSError as error:  # no watches left: the rescan still finds everything
            log.warning(LogEvent.FOLDER_UNREADABLE, cause=type(error).__name__)
        else:
            self._observer = observer
            log.info(LogEvent.FOLDER_WATCHED)
        self._watched_inode = inode

    def _unwatch(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    # --- what to take ----------------------------------------------------------------------------

    def _scan(self) -> float:
        """Take what lies still; return how long to wait for the next file."""
        self._shelves.bring_back(time.monotonic())
        seen = dict(files_below(self._path, SHELVES))
        ready, next_s = self._stability.still(seen, time.monotonic())
        ready.sort(key=lambda each: each.path.name.upper() == "DICOMDIR")  # behind its files
        for start in range(0, len(ready), BATCH):
            if self._is_stopping:
                break
            refusal = self._door.refused_now()
            if refusal is not None:
                log.warning(LogEvent.STEP_FAILED, status=refusal.status, step="folder")
                return RETRY_S
            try:
                self._take_batch(ready[start : start + BATCH])
            except RetryableError as error:
                log.error(LogEvent.SPOOL_UNWRITABLE, cause=type(error).__name__)
                return RETRY_S
        return next_s

    def _take_batch(self, candidates: Iterable[Candidate]) -> None:
        taken = [each for candidate in candidates if (each := self._take(candidate)) is not None]
        for each in taken:
            self._settle(each)

    def _take(self, candidate: Candidate) -> _Taken | None:
        """Spool a file; return None if it is to be looked at again."""
        rejection = self._unopened(candidate)
        if rejection is not None:
            return _Taken(candidate, _Spooled(rejections=(rejection,)))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(candidate.path, flags), "rb") as file:
                if Signature.of(os.fstat(file.fileno())) != candidate.signature:
                    return None
                spooled = self._spooled(file, candidate)
                is_whole = Signature.of(os.fstat(file.fileno())) == candidate.signature
        except FileNotFoundError:
            log.info(LogEvent.FILE_VANISHED, file_key=os.fsencode(candidate.path))
            return None
        except OSError as error:
            cause = type(error).__name__
            log.warning(
                LogEvent.FOLDER_UNREADABLE, file_key=os.fsencode(candidate.path), cause=cause
            )
            return None
        if not is_whole:
            self._door.spool.remove(*(record.key for record, _ in spooled.records))
            return None
        tickets = tuple(self._door.admit(*each) for each in spooled.records)
        return _Taken(candidate, spooled, tickets)

    def _too_large(self, name: str) -> Rejection:
        bound = self._limits.object_bytes_max
        return Rejection(name, "limit", f"the file has more than {bound} bytes", "too-large")

    def _unopened(self, candidate: Candidate) -> Rejection | None:
        """Return why a file is not even opened."""
        if candidate.signature.is_regular:
            return None
        name = self._name(candidate.path)
        return Rejection(name, "not_regular", "this is no regular file", "not-a-file")

    def _settle(self, taken: _Taken) -> None:
        """Put a file away once the rows of its objects are committed."""
        if not all(ticket.wait(self._door.settings.index_lag_s) for ticket in taken.tickets):
            return  # the store is away; the file stays, and is taken again
        refused = tuple(each.rejection for each in taken.tickets if each.rejection is not None)
        rejections = taken.spooled.rejections + refused
        is_taken = taken.spooled.is_taken or len(refused) < len(taken.tickets)
        try:
            if is_taken:
                self._finish(taken, rejections)
            else:
                self._reject(taken, rejections)
        except OSError as error:
            self._stability.left[taken.candidate.path] = taken.candidate.signature
            key, cause = os.fsencode(taken.candidate.path), type(error).__name__
            log.error(LogEvent.FILE_LEFT, file_key=key, cause=cause)

    def _finish(self, taken: _Taken, rejections: tuple[Rejection, ...]) -> None:
        if not self._shelves.put_away(taken.candidate, taken.spooled.notes):
            return
        if rejections:
            self._shelves.explain(taken.candidate, rejections)
        self._note(rejections)
        log.info(
            LogEvent.FILE_TAKEN,
            file_key=os.fsencode(taken.candidate.path),
            instances=len(taken.tickets),
            rejected=len(rejections),
        )

    def _reject(self, taken: _Taken, rejections: tuple[Rejection, ...]) -> None:
        if not self._shelves.reject(taken.candidate, rejections):
            return
        self._note(rejections)
        log.warning(
            LogEvent.FILE_REJECTED,
            file_key=os.fsencode(taken.candidate.path),
            reason=rejections[0].reason,
            count=len(rejections),
        )

    def _note(self, rejections: tuple[Rejection, ...]) -> None:
        for rejection in rejections[:REFUSALS_NOTED_MAX]:
            self._door.index.refused(
                Refusal(rejection=rejection, received_at=datetime.now(UTC), origin=Origin.FOLDER)
            )

    # --- what a file holds -----------------------------------------------------------------------

    def _spooled(self, file: IO[bytes], candidate: Candidate) -> _Spooled:
        """Copy what a file holds into the spool; nothing of it has a row yet."""
        name = self._name(candidate.path)
        head = file.read(HEAD_BYTES)
        try:
            if archive.kind_of(head[:HEAD_LENGTH]) is not None:
                return self._spooled_archive(file, name)
            if MEDIA_DIRECTORY in head[:4096]:
                content = head + file.read(self._limits.media_directory_bytes_max)
                return self._directory(content, candidate.path)
            if candidate.signature.size > self._limits.object_bytes_max:
                return _Spooled(rejections=(self._too_large(name),))
            return _Spooled(records=(self._spooled_object(head, file, name),))
        except Refused as refused:
            return _Spooled(rejections=(_rejection(name, refused),))

    def _spooled_object(
        self, head: bytes, rest: Readable, name: str
    ) -> tuple[SpoolRecord, Envelope]:
        if not head:
            raise Refused("truncated", "empty", "the file is empty")
        envelope = Envelope(
            received_at=datetime.now(UTC),
            origin=Origin.FOLDER,
            file_name=name,
            data_set_offset=data_set_offset(head),
        )
        with self._door.spool.begin(envelope) as writer:
            writer.write(head)
            while chunk := rest.read(CHUNK):
                writer.write(chunk)
                if writer.length > self._limits.object_bytes_max:
                    raise Refused("limit", "too-large", "the file grew past the largest object")
            return writer.commit(), envelope

    def _spooled_archive(self, file: IO[bytes], name: str) -> _Spooled:
        records: list[tuple[SpoolRecord, Envelope]] = []
        rejections: list[Rejection] = []
        try:
            for member in archive.members(file, name, self._bounds):
                head = read_exactly(member.stream, HEAD_BYTES)
                if MEDIA_DIRECTORY in head[:4096]:
                    continue
                try:
                    records.append(self._spooled_object(head, member.stream, member.path))
                except Refused as refused:
                    rejections.append(_rejection(member.path, refused))
        except (Refused, SpoolUnavailable, OSError):
            # Only if the file changed between the two walks, or the disk failed: all or nothing.
            self._door.spool.remove(*(record.key for record, _ in records))
            raise
        if not records and not rejections:
            rejections.append(Rejection(name, "not_dicom", "the archive is empty", "archive"))
        return _Spooled(tuple(records), tuple(rejections))

    def _directory(self, content: bytes, path: Path) -> _Spooled:
        """Read the directory of a medium; its files are picked up as any others are."""
        directory = referenced_files(content, self._limits)
        notes = [f"{each.kind}: {each.message}" for each in directory.irregularities]
        if self._settings.after is AfterIntake.MOVE:  # else nobody knows what was there
            there = self._beside(path.parent)
            missing = ["/".join(file) for file in directory.files if _folded(file) not in there]
            notes += [f"dicomdir-file-missing: {visible(name)}" for name in missing]
        if notes:
            log.warning(LogEvent.FILE_TAKEN, file_key=os.fsencode(path), count=len(notes))
        return _Spooled(notes=tuple(notes), is_taken=True)

    def _beside(self, folder: Path) -> set[tuple[str, ...]]:
        """Return the files of a medium, those that were put away already included."""
        done = self._path / DONE / folder.relative_to(self._path)
        return {
            _folded(file.relative_to(place).parts)
            for place in (folder, done)
            if place.is_dir()
            for file, _ in files_below(place, SHELVES)
        }

    def _name(self, path: Path) -> str:
        """Return the path below the folder as text that every database takes."""
        return os.fsencode(path.relative_to(self._path)).decode("utf-8", "backslashreplace")


def _rejection(path: str, refused: Refused) -> Rejection:
    return Rejection(path, refused.reason, str(refused), refused.kind)


def _folded(parts: Sequence[str]) -> tuple[str, ...]:
    """Return path components as media compare them: some systems write them in lower case."""
    return tuple(part.casefold() for part in parts)
