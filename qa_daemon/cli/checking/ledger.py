"""Progress of a long check, so that a run that was interrupted goes on where it stopped.

A file of JSON lines, one per examined series. A series counts as the same if it and the other
series of its study have the same objects, and rules, models, options and release are the same.
"""

import contextlib
import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport
from qa_daemon.store import documents

#: The first line: no other file is ever appended to.
HEADING: Final = '"progress of qa-daemon check"'


@frozen
class Conditions:
    """What a remembered verdict depends on besides the objects."""

    rules_digest: str
    models_digest: str
    request: Request
    slices_max: int

    def key(self, series: Series, siblings: Sequence[Series]) -> str:
        """Return what stands for this series among its siblings under these conditions."""
        parts = (
            version("qa-daemon"),
            self.rules_digest,
            self.models_digest,
            repr(self.request),
            self.slices_max,
            _objects((series,)),
            _objects(siblings),
        )
        return sha256(repr(parts).encode()).hexdigest()


def _objects(series: Iterable[Series]) -> list[tuple[str, str, str, str]]:
    return sorted(
        (
            each.series_instance_uid,
            instance.sop_instance_uid,
            instance.transfer_syntax_uid,
            instance.digest,
        )
        for each in series
        for instance in (*each.instances, *each.colliding)
    )


@define
class Ledger:
    """Remembers examined series in a file; without a file it remembers nothing.

    Raises
    ------
    ConfigurationError
        If the file is something else, or cannot be written.
    """

    path: Path | None
    conditions: Conditions
    _known: dict[str, tuple[str, str]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Read what an earlier run has left."""
        if self.path is None:
            return
        heading, *lines = self._lines() or [HEADING]
        if heading != HEADING:
            raise ConfigurationError(
                f"--resume {self.path}: is no progress file of qa-daemon check; name another"
            )
        for line in lines:
            # The last line of a run that was killed may be torn; its series is examined again.
            with contextlib.suppress(ValueError, TypeError):
                key, inference, verdict = json.loads(line)
                self._known[key] = (inference, verdict)
        if not lines:
            self._write("w", HEADING)
        else:
            self._write("a", "")  # ends a torn line

    def recall(self, series: Series, siblings: Sequence[Series]) -> SeriesReport | None:
        """Return the report of an earlier run, None if there is none."""
        known = self._known.get(self.conditions.key(series, siblings)) if self._known else None
        if known is None:
            return None
        inference, verdict = known
        return SeriesReport(
            series, documents.read(inference, Inference), documents.read(verdict, Verdict)
        )

    def keep(self, siblings: Sequence[Series], report: SeriesReport) -> SeriesReport:
        """Remember a report, and return it."""
        if self.path is not None:
            key = self.conditions.key(report.series, siblings)
            line = (key, documents.written(report.inference), documents.written(report.verdict))
            self._write("a", json.dumps(line))
        return report

    def _lines(self) -> list[str]:
        assert self.path is not None
        try:
            return self.path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except UnicodeDecodeError:
            return [""]  # something else, said by the caller
        except OSError as error:
            raise ConfigurationError(
                f"--resume {self.path}: cannot be read: {error.strerror}"
            ) from error

    def _write(self, mode: str, line: str) -> None:
        assert self.path is not None
        try:
            with self.path.open(mode, encoding="ascii") as file:
                file.write(line + "\n")
        except OSError as error:
            raise ConfigurationError(
                f"--resume {self.path}: cannot be written: {error.strerror}; name another file"
            ) from error
