"""What an installed wheel holds, and that it works from any folder without the checkout."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pip(*arguments: str) -> None:
    subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        check=True, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def ran(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "STATE_DIRECTORY": str(folder)}
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_wheel_holds_the_package_its_data_and_what_is_shipped(wheel: Path) -> None:
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    expected = {f"qa_daemon/{name}" for name in files(ROOT / "qa_daemon")}
    expected |= {f"qa_daemon/shipped/rules/{name}" for name in files(ROOT / "rules")}
    expected |= {f"qa_daemon/shipped/models/{name}" for name in files(ROOT / "models")}
    assert names == {*expected, "qa_daemon/shipped/service.yaml"}


def test_licence_and_notice_travel_along(wheel: Path) -> None:
    with ZipFile(wheel) as packed:
        names = {name.rpartition("/")[2] for name in packed.namelist() if "/licenses/" in name}
    assert names == {"LICENSE", "NOTICE"}


def test_an_installed_daemon_finds_what_is_shipped_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    found = ran(
        installed,
        tmp_path,
        "-c",
        "from qa_daemon.config.packs import rule_texts, shipped\n"
        "from qa_daemon.config.settings import Settings\n"
        "print(shipped('models'), shipped('service.yaml'), len(rule_texts(Settings())))",
    )
    assert found.stderr == ""
    models, service, rules = found.stdout.split()
    assert models == str(installed / "qa_daemon/shipped/models")
    assert service == str(installed / "qa_daemon/shipped/service.yaml")
    assert int(rules) == sum(name.endswith(".yaml") for name in files(ROOT / "rules"))


def test_the_installed_command_answers_from_any_folder(installed: Path, tmp_path: Path) -> None:
    answered = ran(installed, tmp_path, "-m", "qa_daemon", "--help")
    assert (answered.returncode, answered.stderr) == (0, "")
    assert "Not a medical device" in answered.stdout
