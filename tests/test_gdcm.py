"""gdcm never comes into our processes, though it is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module", ["qa_daemon.cli.main", "qa_daemon.ops.receiving", "qa_daemon.ops.working"]
)
def test_gdcm_stays_outside_where_it_is_installed(module: str, tmp_path: Path) -> None:
    (tmp_path / "gdcm.py").write_text("raise SystemExit('gdcm was loaded')\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    program = f"import {module}, pydicom.pixels"
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
