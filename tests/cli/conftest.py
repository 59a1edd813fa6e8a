"""Drawn series as files, and the command in this process or in one of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from pydicom import Dataset

from qa_daemon.cli.main import main
from qa_daemon.demo.phantom import CtPlan, ct_series, part10

DEADLINE_S = 120.0


@frozen
class Ran:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Run = Callable[..., Ran]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Return the command within this process."""

    def ran(*arguments: object) -> Ran:
        capfdbinary.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse: usage and --help
            status = int(ended.code or 0)
        captured = capfdbinary.readouterr()
        said = Ran(status, captured.out.decode(), captured.err.decode(errors="replace"))
        assert "Traceback" not in said.out + said.err
        assert "internal error" not in said.err
        return said

    return ran


def process(*arguments: str | bytes | Path, **more: Any) -> "subprocess.Popen[bytes]":
    """Start the command as a user would, in a process group of its own."""
    command = [sys.executable, "-m", "qa_daemon", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QA_DAEMON")}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": kept, **more}
    return subprocess.Popen(command, start_new_session=True, **given)  # noqa: S603  our own command


def finished(started: "subprocess.Popen[bytes]", content: bytes | None = None) -> Ran:
    """Wait for a command; return what it said."""
    with started:
        out, err = started.communicate(content, timeout=DEADLINE_S)
    said = Ran(started.returncode, (out or b"").decode(), (err or b"").decode(errors="replace"))
    assert "Traceback" not in said.out + said.err
    return said


def written(folder: Path, slices: Sequence[Dataset], name: str = "slice") -> list[Path]:
    """Write data sets as files; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{number:02}.dcm" for number in range(len(slices))]
    for path, data_set in zip(paths, slices, strict=True):
        path.write_bytes(part10(data_set))  # type: ignore[arg-type]  # they are FileDatasets
    return paths


def drawn(folder: Path, key: str = "clean", slices: int = 3, **tags: object) -> list[Path]:
    """Write a drawn CT series with some tags changed; None removes one."""
    series = list(ct_series(CtPlan(key=f"cli-{key}")))[8 : 8 + slices]
    for data_set in series:
        for keyword, value in tags.items():
            if value is None:
                delattr(data_set, keyword)
            else:
                setattr(data_set, keyword, value)
    return written(folder, series, key)
