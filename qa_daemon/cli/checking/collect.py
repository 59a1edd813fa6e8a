"""From paths that a person named to the objects in them, each on its own."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from attrs import frozen

from qa_daemon.errors import InputError
from qa_daemon.intake import archive
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Rejection

# Paths on standard input may be as many as an archive has files, but a line has an end.
STDIN_BYTES_MAX: Final = 1 << 30


@frozen
class Found:
    """A file that may be an object.

    Attributes
    ----------
    path
        As shown to the user; members of archives as `a.zip!/dir/x`.
    file
        Where its bytes are: the file itself, or the unpacked member.
    named
        The path on the command line that led here.
    """

    path: str
    file: Path
    named: str


def named_paths(arguments: Sequence[str]) -> list[str]:
    """Return the paths, `-` replaced by those on standard input (one a line, or NUL-ended)."""
    paths: list[str] = []
    for argument in arguments:
        paths.extend(_from_stdin(sys.stdin.buffer) if argument == "-" else [argument])
    return paths


def _from_stdin(stream: BinaryIO) -> list[str]:
    content = stream.read(STDIN_BYTES_MAX + 1)
    if len(content) > STDIN_BYTES_MAX:
        raise InputError(f"standard input: more than {STDIN_BYTES_MAX} bytes of paths; split them")
    separator = b"\0" if b"\0" in content else b"\n"
    return [os.fsdecode(part.rstrip(b"\r")) for part in content.split(separator) if part.strip()]


def found(
    paths: Sequence[str], unpacked: Path, bounds: archive.Bounds
) -> Iterator[Found | Rejection]:
    """Yield what lies at the paths, folders walked in sorted order, archives opened.

    Parameters
    ----------
    unpacked
        An empty folder for the members of archives; the caller removes it.
    """
    for named in paths:
        path = Path(named)
        if path.is_dir():
            yield from _walked(path, named, unpacked, bounds)
        else:
            yield from _one(path, named, unpacked, bounds)


def _walked(
    folder: Path, named: str, unpacked: Path, bounds: archive.Bounds
) -> Iterator[Found | Rejection]:
    refused: list[Rejection] = []

    def refuse(error: OSError) -> None:
        path = os.fsdecode(error.filename) if error.filename else named
        refused.append(Rejection(path, "unreadable", f"{error.strerror}; check its permissions"))

    for here, folders, files in os.walk(folder, onerror=refuse, followlinks=False):
        folders.sort()
        for name in sorted(files):
            yield from _one(Path(here, name), named, unpacked, bounds)
    yield from refused


def _one(
    path: Path, named: str, unpacked: Path, bounds: archive.Bounds
) -> Iterator[Found | Rejection]:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            yield Rejection(str(path), "not_regular", "no regular file; name a file or a folder")
            return
        is_archive = archive.is_archive(path)
    except FileNotFoundError:
        yield Rejection(str(path), "vanished", "no such file; check the path")
        return
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name is not usable"
        yield Rejection(str(path), "unreadable", f"{reason}; check the path and its permissions")
        return
    if is_archive:
        yield from _members(path, named, unpacked, bounds)
    else:
        yield Found(str(path), path, named)


def _members(
    path: Path, named: str, unpacked: Path, bounds: archive.Bounds
) -> Iterator[Found | Rejection]:
    folder = Path(tempfile.mkdtemp(dir=unpacked))
    try:
        for member in archive.unpack(path, folder, bounds):
            yield Found(f"{path}!/{member.name}", member.file, named)
    except InputError as error:
        yield Rejection(str(path), getattr(error, "reason", "unreadable"), str(error))


def content_of(file: Path, limits: Limits) -> bytes:
    """Return the bytes of a file, at most `object_bytes_max` of them.

    Raises
    ------
    InputError
        If the file is larger.
    OSError
        If it cannot be read.
    """
    with file.open("rb") as stream:
        content = stream.read(limits.object_bytes_max + 1)
    if len(content) > limits.object_bytes_max:
        raise InputError(f"larger than {limits.object_bytes_max} bytes (limits.object_bytes_max)")
    return content
