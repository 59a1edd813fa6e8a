"""From paths that a person named to the objects in them, each on its own.

Nothing is written beside the files, nothing but regular files is opened, and a link is followed
only to a file: the person who runs the command reads with rights of their own.
"""

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from attrs import frozen

from qa_daemon.cli.checking import media
from qa_daemon.cli.checking.media import Medium
from qa_daemon.errors import InputError
from qa_daemon.intake import archive
from qa_daemon.intake.meter import HEAD_LENGTH
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Rejection

# Paths on standard input may be as many as an archive has files, but a line has an end.
STDIN_BYTES_MAX: Final = 1 << 30
HEAD_BYTES: Final = 4096


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


@frozen
class Place:
    """Where archives are unpacked (an empty folder that the caller removes), and every bound."""

    unpacked: Path
    bounds: archive.Bounds
    limits: Limits


Item: TypeAlias = Found | Medium | Rejection


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
    if b"\0" in content:  # every other byte is the name's own, blanks and line ends too
        return [os.fsdecode(part) for part in content.split(b"\0") if part]
    return [os.fsdecode(part.rstrip(b"\r")) for part in content.split(b"\n") if part.strip()]


def found(paths: Sequence[str], place: Place) -> Iterator[Item]:
    """Yield what lies at the paths, folders walked in sorted order, archives opened."""
    for named in paths:
        path = Path(named)
        try:
            is_folder = path.is_dir()
        except (OSError, ValueError):
            is_folder = False  # said below, with the reason
        if is_folder:
            yield from _walked(path, named, place)
        else:
            yield from _named(path, named, place)


def _walked(top: Path, named: str, place: Place) -> Iterator[Item]:
    refused: list[Rejection] = []

    def note(error: OSError) -> None:
        refused.append(
            Rejection(
                str(error.filename), "unreadable", f"{error.strerror}; check the folder's rights"
            )
        )

    for here, folders, files in os.walk(top, onerror=note, followlinks=False):
        folders.sort()
        for name in sorted(files):
            yield from _one(Path(here, name), named, place)
    yield from refused


def _named(path: Path, named: str, place: Place) -> Iterator[Item]:
    """Yield what a path on the command line holds; a media directory brings its files along."""
    for item in _one(path, named, place):
        yield item
        if isinstance(item, Medium):
            for file in item.files:
                yield from _one(file, named, place)


def _one(path: Path, named: str, place: Place) -> Iterator[Item]:
    try:
        with opened(path) as file:
            is_archive = archive.kind_of(file.read(HEAD_LENGTH)) is not None
        if is_archive:
            yield from _members(path, named, place)
        else:
            item = _item(str(path), path, named, place)
            yield media.looked_up(item, path.parent) if isinstance(item, Medium) else item
    except NotRegularError:
        yield Rejection(str(path), "not_regular", "no regular file; name a file or a folder")
    except FileNotFoundError:
        yield Rejection(str(path), "vanished", "no such file; check the path")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name is not usable"
        yield Rejection(str(path), "unreadable", f"{reason}; check the path and its permissions")


def _item(shown: str, path: Path, named: str, place: Place) -> Medium | Found:
    """Tell a media directory from what may be an object."""
    with opened(path) as file:
        content = file.read(HEAD_BYTES)
        if media.is_directory(content):
            content += file.read(place.limits.media_directory_bytes_max)
            # An image may say that it is a directory; the scan will tell what it is.
            with contextlib.suppress(InputError):
                return media.read_medium(shown, content, named, place.limits)
    return Found(shown, path, named)


def _members(path: Path, named: str, place: Place) -> Iterator[Item]:
    folder = Path(tempfile.mkdtemp(dir=place.unpacked))
    is_empty = True
    try:
        for member in archive.unpack(path, folder, place.bounds):
            is_empty = False
            yield _item(f"{path}!/{member.name}", member.file, named, place)
    except InputError as error:
        yield Rejection(str(path), getattr(error, "reason", "unreadable"), str(error))
    except OSError as error:
        message = f"cannot be unpacked to {place.unpacked}: {error.strerror}; set TMPDIR elsewhere"
        yield Rejection(str(path), "unreadable", message)
    else:
        if is_empty:
            yield Rejection(str(path), "not_dicom", "the archive is empty")


class NotRegularError(OSError):
    """What stands there is a pipe, a socket, a device: reading it might never end."""


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading; opening anything else must not wait for a writer.

    Raises
    ------
    NotRegularError
        If it is none.
    OSError
        If it cannot be opened.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening some devices has effects
        raise NotRegularError
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # became something else in between
        os.close(descriptor)
        raise NotRegularError
    return os.fdopen(descriptor, "rb")


def content_of(file: Path, limits: Limits) -> bytes:
    """Return the bytes of a file, at most `object_bytes_max` of them.

    Raises
    ------
    InputError
        If the file is larger.
    OSError
        If it cannot be read.
    """
    with opened(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        # A file of holes may have 8 TB and cost nothing: refused before a byte is read.
        content = b"" if size > limits.object_bytes_max else stream.read(limits.object_bytes_max)
    if size > limits.object_bytes_max:
        raise InputError(f"larger than {limits.object_bytes_max} bytes (limits.object_bytes_max)")
    return content
