"""Where files go after intake: `done/` or nowhere, `rejected/` with the reason beside."""

import os
import secrets
from pathlib import Path
from typing import Final

from attrs import frozen

from qa_daemon.config.settings import AfterIntake
from qa_daemon.intake.files.stable import Candidate, Signature
from qa_daemon.records.finding import Rejection

DONE: Final = "done"
REJECTED: Final = "rejected"
SHELVES: Final = frozenset((DONE, REJECTED))
NAME_BYTES_MAX: Final = 255  # of every file system in use
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
class Shelves:
    """The two folders within the watched one."""

    folder: Path
    after: AfterIntake

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
            return target
        target.rename(candidate.path)  # somebody writes it still: it is taken once it lies still
        return None

    def _free_name(self, candidate: Candidate, shelf: str) -> Path:
        """Return a name below the shelf, in the same sub-folders, that nothing has."""
        below = candidate.path.relative_to(self.folder).parent
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


def _is_same(path: Path, signature: Signature) -> bool:
    try:
        return Signature.of(path.lstat()) == signature
    except FileNotFoundError:
        return False


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
    _beside(path, suffix).write_text(text, encoding="utf-8", errors="backslashreplace")
