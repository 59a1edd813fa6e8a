"""Progress of a long check, so that a run that was interrupted goes on where it stopped.

A file of JSON lines, one per examined series. A series counts as the same if its files have the
same paths, sizes and times, and rules, models and options are the same.
"""

import contextlib
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from attrs import define, field, frozen

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport
from qa_daemon.store import documents


@frozen
class Conditions:
    """What a remembered verdict depends on besides the files."""

    rules_digest: str
    models_digest: str
    request: Request
    slices_max: int

    def key(self, series: Series, sources: Sequence[Path]) -> str:
        """Return what stands for this series under these conditions."""
        facts = [
            (str(path), status.st_size, status.st_mtime_ns)
            for path in sorted(sources)
            for status in (path.stat(),)
        ]
        parts = (self.rules_digest, self.models_digest, repr(self.request), self.slices_max, facts)
        return sha256(repr((series.series_instance_uid, parts)).encode()).hexdigest()


@define
class Ledger:
    """Remembers examined series in a file; without a file it remembers nothing."""

    path: Path | None
    conditions: Conditions
    _known: dict[str, tuple[str, str]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Read what an earlier run has left."""
        if self.path is None:
            return
        try:
            lines = self.path.read_text("ascii").splitlines() if self.path.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"--resume {self.path}: not a progress file; name another or remove it"
            ) from error
        for line in lines:
            # The last line of a run that was killed may be torn; its series is examined again.
            with contextlib.suppress(ValueError):
                key, inference, verdict = json.loads(line)
                self._known[key] = (inference, verdict)

    def recall(self, series: Series, sources: Sequence[Path]) -> SeriesReport | None:
        """Return the report of an earlier run, None if there is none."""
        if self.path is None:
            return None
        known = self._known.get(self.conditions.key(series, sources))
        if known is None:
            return None
        inference, verdict = known
        return SeriesReport(
            series, documents.read(inference, Inference), documents.read(verdict, Verdict)
        )

    def keep(self, sources: Sequence[Path], report: SeriesReport) -> SeriesReport:
        """Remember a report, and return it."""
        if self.path is not None:
            key = self.conditions.key(report.series, sources)
            line = (key, documents.written(report.inference), documents.written(report.verdict))
            try:
                with self.path.open("a", encoding="ascii") as file:
                    file.write(json.dumps(line) + "\n")
            except OSError as error:
                raise ConfigurationError(
                    f"--resume {self.path}: cannot be written: {error.strerror}"
                ) from error
        return report
