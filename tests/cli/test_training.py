import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from qa_daemon.cli.main import main
from qa_daemon.cli.training import commands


def test_an_unknown_target_and_a_missing_folder_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["train", "knee_angle", "--data", str(tmp_path), *out]) == 2
    assert "knee_angle: not a target; use one of axial_orientation" in capfd.readouterr().err
    assert main(["train", "body_region", "--data", str(tmp_path / "none"), *out]) == 2
    assert "none: no such folder" in capfd.readouterr().err
    assert main(["train", "body_region", "--data", str(tmp_path), *out]) == 2
    assert "exclude_from_training.csv: not found" in capfd.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    data = ["--data", str(tmp_path), "--out", str(tmp_path / "file" / "out")]
    assert main(["train", "body_region", *data]) == 2
    assert "cannot be written to" in capfd.readouterr().err


def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None if name == "tensorflow" else ModuleSpec(name, None)

    monkeypatch.setattr(commands, "find_spec", find)
    data = ["--data", str(tmp_path), "--out", str(tmp_path)]
    assert main(["train", "body_region", *data]) == 2
    assert "TensorFlow not installed; training needs: pip install '.[train]'" in (
        capfd.readouterr().err
    )


@pytest.mark.parametrize("version", ["1", "1.0", "a.b.c", "1.0.0.0"])
def test_a_version_that_no_store_would_read_is_refused(version: str) -> None:
    with pytest.raises(SystemExit):
        main(["train", "view", "--data", ".", "--out", ".", "--package-version", version])


def test_progress_without_a_terminal_is_a_line_now_and_then(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert not sys.stderr.isatty()
    with commands.progress() as told:
        fit = told("view-all")
        for done in range(1, 251):
            fit(done, 250, 0.5)
    assert capfd.readouterr().err.splitlines() == [
        f"view-all: step {done} of 250, loss 0.5000" for done in (100, 200, 250)
    ]
