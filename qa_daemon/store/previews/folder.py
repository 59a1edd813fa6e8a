"""The folder of pictures: one folder a series, names that are digests, files always whole.

Nothing here is durable beyond a crash of a process: a picture can be drawn again at any time.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen

from qa_daemon.errors import RetryableError

FOLDER_MODE: Final = 0o750
MODE: Final = 0o640
_KEY: Final = re.compile(r"[0-9a-f]{24}")
_NAME: Final = re.compile(r"[0-9a-f]{40}\.webp")


@frozen
class PreviewFolder:
    """STATE/previews."""

    path: Path

    def of(self, series_key: str) -> Path:
        """Return the folder of a series.

        Raises
        ------
        ValueError
            If that is no key.
        """
        if _KEY.fullmatch(series_key) is None:
            raise ValueError("no key of a series")
        return self.path / series_key

    def picture(self, series_key: str, name: str) -> Path | None:
        """Return the file of a picture; None if there can be none of this name."""
        if _KEY.fullmatch(series_key) is None or _NAME.fullmatch(name) is None:
            return None
        return self.of(series_key) / name

    def write(self, series_key: str, name: str, content: bytes) -> None:
        """Write a picture whole.

        Raises
        ------
        RetryableError
            If the folder cannot be written.
        """
        file = self.of(series_key) / name
        try:
            self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            file.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(prefix=".", dir=file.parent)
            try:
                with os.fdopen(descriptor, "wb") as opened:
                    os.fchmod(opened.fileno(), MODE)
                    opened.write(content)
                Path(draft).replace(file)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise RetryableError(
                f"{file.parent}: a picture cannot be written: {error.strerror}; "
                "let the service's user write there, or free space"
            ) from error

    def keep_only(self, series_key: str, names: Iterable[str]) -> int:
        """Remove every other file of a series, of an older judgement or a draft; return the rest.

        The rest is told in bytes.
        """
        kept, byte_count = set(names), 0
        with contextlib.suppress(OSError):
            for file in self.of(series_key).iterdir():
                if file.name in kept:
                    byte_count += file.stat().st_size
                else:
                    file.unlink(missing_ok=True)
        return byte_count

    def remove(self, series_key: str) -> None:
        """Remove the pictures of a series; none are no error."""
        shutil.rmtree(self.of(series_key), ignore_errors=True)

    def remove_others(self, known: frozenset[str]) -> int:
        """Remove the folders of series that are gone; return of how many."""
        try:
            lying = [each.name for each in self.path.iterdir() if _KEY.fullmatch(each.name)]
        except OSError:
            return 0
        gone = [name for name in lying if name not in known]
        for name in gone:
            self.remove(name)
        return len(gone)
