"""One engine for all corpora: starting it anew for every object would take an hour."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from attrs import frozen
from rich.progress import Progress

from qa_daemon.cli.checking.collect import Place
from qa_daemon.cli.checking.examination import Examination
from qa_daemon.cli.checking.ledger import Conditions, Ledger
from qa_daemon.config.load import load_settings
from qa_daemon.intake.archive import Bounds
from qa_daemon.pipeline.engine import engine
from qa_daemon.predict.client import Request
from qa_daemon.report.as_json import document

MIB = 1 << 20


@frozen
class Result:
    """What one run of `check` said, and how long it took."""

    status: int
    document: dict[str, Any]
    seconds: float

    @property
    def findings(self) -> list[dict[str, Any]]:
        """All findings of all levels."""
        groups = (*self.document["series"], *self.document["studies"], *self.document["visits"])
        return [finding for group in groups for finding in group["findings"]]

    @property
    def reasons(self) -> set[str]:
        """Why objects were not taken in."""
        return {rejection["reason"] for rejection in self.document["rejected"]}

    @property
    def faults(self) -> list[dict[str, str]]:
        """Rules that broke."""
        return [fault for series in self.document["series"] for fault in series["rules"]["fault"]]


Check = Callable[..., Result]


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Check]:
    """Return `check --json PATH...` within this process, with one engine for the session."""
    settings = load_settings(None, overrides={"state": tmp_path_factory.mktemp("state")})
    with engine(settings) as bench:
        request = Request(targets=bench.targets, per_instance=False)
        conditions = Conditions(bench.rules_digest, bench.models_digest, request, 10)
        examination = Examination(bench, request, settings.limits, Ledger(None, conditions))

        def checked(*paths: Path) -> Result:
            unpacked = tmp_path_factory.mktemp("unpacked")
            place = Place(unpacked, Bounds.of(settings.folder, settings.limits), settings.limits)
            begun = perf_counter()
            found = examination.checked(
                [str(path) for path in paths], place, Progress(disable=True)
            )
            seconds = perf_counter() - begun
            text = document(found.series, found.studies, found.visits, found.rejected)
            return Result(found.status, json.loads(text), seconds)

        yield checked


@pytest.fixture(scope="session")
def nasty(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the hostile corpus with its pipes, sockets and links."""
    folder = tmp_path_factory.mktemp("nasty") / "corpus"
    script = shared_data / "nasty" / "make_nasty.py"
    command = [sys.executable, str(script), str(folder), "--special"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603  our own
    return folder
