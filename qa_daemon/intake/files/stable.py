"""Which files lie still: size, time of change and identity unchanged for the quiet time."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

#: What copying programs call a file until it is whole; they rename it then.
UNFINISHED: Final = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", "~")
#: rsync copies under a dotted name, others begin with an empty file; one that stays so is taken.
DOUBTFUL_QUIET_FACTOR: Final = 5.0
FOLDERS_DEEP_MAX: Final = 200
#: Each folder is opened in the one above it and by no link: whoever may write below the watched
#: folder must not lead us, by a folder that becomes a link, to files that only we may read.
_LISTED: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@frozen
class Signature:
    """What changes when a file does. Not the time of the last status change: renaming sets it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    mode: int

    @classmethod
    def of(cls, facts: os.stat_result) -> "Signature":
        """Return the signature of what `stat` found."""
        return cls(
            facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, stat.S_IFMT(facts.st_mode)
        )

    @property
    def is_regular(self) -> bool:
        """Whether it is a file with content, no link, device, FIFO or socket."""
        return self.mode == stat.S_IFREG


@frozen
class Candidate:
    """A file that lies still.

    Attributes
    ----------
    path
        Below the watched folder.
    """

    path: Path
    signature: Signature


@frozen
class _Sighting:
    signature: Signature
    since: float


@define
class Stability:
    """Remembers since when each file has been the same.

    Attributes
    ----------
    left
        Files that were dealt with and could not be moved away; looked at again once they change.
    """

    quiet_s: float
    left: dict[Path, Signature] = field(factory=dict)
    _sightings: dict[Path, _Sighting] = field(factory=dict, init=False)

    def still(self, seen: dict[Path, Signature], now: float) -> tuple[list[Candidate], float]:
        """Return the files that lie still, and seconds until the next one may.

        Parameters
        ----------
        seen
            All files that are there now.
        now
            Monotonic seconds.
        """
        self.left = {path: was for path, was in self.left.items() if seen.get(path) == was}
        ready: list[Candidate] = []
        next_s = float("inf")
        sightings: dict[Path, _Sighting] = {}
        for path, signature in seen.items():
            if path in self.left:
                continue
            before = self._sightings.get(path)
            if before is None or before.signature != signature:
                before = _Sighting(signature, now)
            sightings[path] = before
            left_s = before.since + self._quiet_s(path, signature) - now
            if left_s <= 0:
                ready.append(Candidate(path, signature))
            else:
                next_s = min(next_s, left_s)
        self._sightings = sightings
        return ready, next_s

    def _quiet_s(self, path: Path, signature: Signature) -> float:
        is_doubtful = path.name.startswith(".") or (signature.is_regular and not signature.size)
        return self.quiet_s * (DOUBTFUL_QUIET_FACTOR if is_doubtful else 1.0)


def is_unfinished(name: str) -> bool:
    """Return whether a name says that the file is still being written."""
    return name.lower().endswith(UNFINISHED)


def files_below(folder: Path, left_out: frozenset[str]) -> Iterator[tuple[Path, Signature]]:
    """Yield the files below `folder` in sorted order; links are not followed.

    What vanishes meanwhile, or cannot be listed, is left out.

    Parameters
    ----------
    left_out
        Names at the top that are not looked into.

    Raises
    ------
    OSError
        If the folder itself cannot be listed.
    """
    opened = os.open(folder, _LISTED)
    yield from _listed(folder, opened, left_out, 1)


def _listed(
    folder: Path, opened: int, left_out: frozenset[str], depth: int
) -> Iterator[tuple[Path, Signature]]:
    try:
        for name in sorted(os.listdir(opened)):
            if name not in left_out and not is_unfinished(name):
                yield from _found(folder / name, opened, depth)
    finally:
        os.close(opened)


def _found(path: Path, above: int, depth: int) -> Iterator[tuple[Path, Signature]]:
    """Yield a file, or what lies below a folder."""
    try:
        facts = os.stat(path.name, dir_fd=above, follow_symlinks=False)
        if not stat.S_ISDIR(facts.st_mode):
            yield path, Signature.of(facts)
            return
        if depth >= FOLDERS_DEEP_MAX:
            return
        opened = os.open(path.name, _LISTED | os.O_NOFOLLOW, dir_fd=above)
    except OSError:
        return
    yield from _listed(path, opened, frozenset(), depth + 1)
