"""Where files go after intake: `done/` or nowhere, `rejected/` with the reason beside."""

import os
import secrets
import time
from collections import deque
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from qa_daemon.config.settings import AfterIntake
from qa_daemon.intake.files.stable import Candidate, Signature
from qa_daemon.records.finding import Rejection

DONE: Final = "done"
REJECTED: Final = "rejected"
SHELVES: Final = frozenset((DONE, REJECTED))
NAME_BYTES_MAX: Final = 255  # of every file system in use
WATCHED_S: Final = 60.0  # a program that pauses longer in the middle of a file is taken for done
WATCHED_MAX: Final = 2000  # files looked at again, a few milliseconds per scan
COLLISIONS_MAX: Final = 100  # then a random name
REASON_SUFFIX: Final = ".reason.txt"
NOTES_SUFFIX: Final = ".notes.txt"
REASON_LINES_MAX: Final = 1000

ADVICE: Final = {
    "not_dicom": "Nothing, if it was no DICOM file; else ask the sender for the original.",
    "truncated": "Copy it again from the source: its end is missing.",
    "unreadable": "Ask the sender for a new copy; if that fails too, show it to support.",
    "unsupported": "Have it sent in another form, or unpack it by hand if it is trusted.",
    "limit": "If it is wanted, raise the bound in service.yaml and drop it in again.",
    "not_regular": "Drop in the file itself, no link and no device.",
    "vanished": "Drop it in again.",
}


@frozen
class _Moved:
    """A file that was put on a shelf a short while ago."""

    source: Path
    target: Path
    signature: Signature
    until: float


@define
class Shelves:
    """The two folders within the watched one."""

    folder: Path
    after: AfterIntake
    _moved_lately: deque[_Moved] = field(factory=lambda: deque(maxlen=WATCHED_MAX), init=False)

    def bring_back(self, now: float) -> int:
        """Return files to where they lay that somebody has written to since they were put away.

        A program that held a file open through its quiet time writes on wherever it was moved;
        it is taken anew when it lies still.

        Returns
        -------
        count
            Of files brought back.

        Raises
        ------
        OSError
            If one cannot be moved.
        """
        count = 0
        for moved in list(self._moved_lately):
            is_changed = _facts(moved.target) not in (None, moved.signature)
            if is_changed and not os.path.lexists(moved.source):
                moved.source.parent.mkdir(parents=True, exist_ok=True)
                moved.target.rename(moved.source)
                _beside(moved.target, REASON_SUFFIX).unlink(missing_ok=True)
                count += 1
            if is_changed or moved.until < now:
                self._moved_lately.remove(moved)
        return count

    def put_away(self, candidate: Candidate, notes: tuple[str, ...] = ()) -> bool:
        """Move or delete a file whose commit is done; return False if it changed meanwhile.

        Raises
        ------
        OSError
            If it cannot be moved or deleted.
        """
        if not _is_same(candidate.path, candidate.signature):
            return False
        if self.after is AfterIntake.DELETE:
            candidate.path.unlink(missing_ok=True)
            return True
        target = self._moved(candidate, DONE)
        if target is not None and notes:
            _write(target, NOTES_SUFFIX, notes)
        return target is not None

    def reject(self, candidate: Candidate, rejections: tuple[Rejection, ...]) -> bool:
        """Move a refused file, with the reason beside it; return False if it changed meanwhile.

        Raises
        ------
        OSError
            If it cannot be moved.
        """
        target = self._moved(candidate, REJECTED)
        if target is None:
            return False
        _write(target, REASON_SUFFIX, _explained(candidate.path.name, rejections))
        return True

    def explain(self, candidate: Candidate, rejections: tuple[Rejection, ...]) -> None:
        """Write why members of an archive were refused, though the archive was taken."""
        target = self._free_name(candidate, REJECTED)
        _write(target, REASON_SUFFIX, _explained(candidate.path.name, rejections))

    def _moved(self, candidate: Candidate, shelf: str) -> Path | None:
        """Move a file onto a shelf; put it back if it turns out to have changed."""
        if not _is_same(candidate.path, candidate.signature):
            return None
        target = self._free_name(candidate, shelf)
        candidate.path.rename(target)
        if _is_same(target, candidate.signature) or os.path.lexists(candidate.path):
            until = time.monotonic() + WATCHED_S
            self._moved_lately.append(_Moved(candidate.path, target, candidate.signature, until))
            return target
        target.rename(candidate.path)  # somebody writes it still: it is taken once it lies still
        return None

    def _free_name(self, candidate: Candidate, shelf: str) -> Path:
        """Return a name below the shelf, in the same sub-folders, that nothing has."""
        below = candidate.path.relative_to(self.folder).parent
        # What lies below was private where it was dropped, whatever its own mode lets others do.
        (self.folder / shelf).mkdir(mode=0o750, exist_ok=True)
        folder = self.folder / shelf / below
        folder.mkdir(parents=True, exist_ok=True)
        name = candidate.path.name
        for number in range(COLLISIONS_MAX):
            path = folder / shortened(name, f".{number}" if number else "")
            if not os.path.lexists(path) and not os.path.lexists(_beside(path, REASON_SUFFIX)):
                return path
        return folder / shortened(name, f".{secrets.token_hex(8)}")


def shortened(name: str, suffix: str) -> str:
    """Return `name` + `suffix`, the name cut so that both fit a directory entry."""
    room = NAME_BYTES_MAX - len(os.fsencode(suffix))
    return os.fsdecode(os.fsencode(name)[:room]) + suffix


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(shortened(path.name, suffix))


def _facts(path: Path) -> Signature | None:
    try:
        return Signature.of(path.lstat())
    except FileNotFoundError:
        return None


def _is_same(path: Path, signature: Signature) -> bool:
    return _facts(path) == signature


def _explained(name: str, rejections: tuple[Rejection, ...]) -> tuple[str, ...]:
    lines = [f"file: {visible(name)}"]
    for rejection in rejections[:REASON_LINES_MAX]:
        lines += [
            "",
            *([f"where: {visible(rejection.path)}"] if rejection.path else []),
            f"reason: {rejection.reason}" + (f" ({rejection.kind})" if rejection.kind else ""),
            f"what: {rejection.message}",
            f"what to do: {ADVICE.get(rejection.reason, ADVICE['unreadable'])}",
        ]
    if len(rejections) > REASON_LINES_MAX:
        lines += ["", f"and {len(rejections) - REASON_LINES_MAX} more"]
    return tuple(lines)


def visible(text: str) -> str:
    """Return a name that neither a terminal nor an editor takes for something else."""
    return "".join(
        each if each.isprintable() and not 0xD800 <= ord(each) < 0xE000 else ascii(each)[1:-1]
        for each in text
    )


def _write(path: Path, suffix: str, lines: tuple[str, ...]) -> None:
    text = "\n".join(lines) + "\n"
    draft = path.with_name(f".{secrets.token_hex(8)}.tmp")
    draft.write_text(text, encoding="utf-8", errors="backslashreplace")
    draft.replace(_beside(path, suffix))  # whoever finds it reads the whole of it
