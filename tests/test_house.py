"""The plan of the house, held: rooms, files, names, what may be in the repository."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import FORMS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "qa_daemon"
FILES_PER_ROOM_MAX = 8
# records: one file a value; predict: the child's two sides stand beside card and interpreter;
# pixels: one file for each kind of input; cli: one file a command.
FILES_OF_ROOM_MAX = {"records": 14, "predict": 9, "cli": 9, "pixels": 9}
LINES_PER_FILE_MAX = 500
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager",
                "daemon"}  # fmt: skip
OWN_FOLDERS = {".ci"}
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".ico",
            ".dcm", ".ima", ".nii", ".mha", ".zip", ".tar", ".gz"}  # fmt: skip
TEXT = {".py", ".md", ".yaml", ".toml", ".template", ".csv", ".json", ".svg", ".cfg", "", ".txt",
        ".html", ".css", ".js", ".po"}  # fmt: skip
HEAVY = ("tensorflow", "keras", "sqlalchemy", "alembic", "pynetdicom", "pydicom", "numpy",
         "ai_edge_litert", "imagecodecs", "watchdog", "PIL")  # fmt: skip


def tracked() -> Iterator[Path]:
    """Yield every file of the working tree that is the project's."""
    folders = [ROOT]
    while folders:
        for entry in sorted(folders.pop().iterdir()):
            is_foreign = entry.name.startswith(".") and entry.name not in OWN_FOLDERS
            if (
                entry.is_dir()
                and not is_foreign
                and entry.name not in {"__pycache__", "build", "dist"}
            ):
                folders.append(entry)
            elif entry.is_file() and not (is_foreign and entry.name != ".gitignore"):
                yield entry


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def test_a_room_has_at_most_eight_files() -> None:
    counts = Counter(
        path.parent.relative_to(PACKAGE).as_posix()
        for path in modules()
        if path.name != "__init__.py" and path.parent != PACKAGE
    )
    full = {
        room: count
        for room, count in counts.items()
        if count > FILES_OF_ROOM_MAX.get(room, FILES_PER_ROOM_MAX)
    }
    assert full == {}


def test_a_file_has_one_subject_and_so_at_most_five_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in modules()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES_PER_FILE_MAX
    }
    assert long == {}


def test_no_file_or_folder_has_a_name_without_a_subject() -> None:
    names = {part for path in modules() for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert names & BANNED_NAMES == set()


def test_every_room_says_what_comes_in_and_what_goes_out() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.glob("*/__init__.py")
        if not re.search(r"In\b.*:.*Out|In and out:", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert silent == []


def loaded_by(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    ran = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.partition(".")[0] for name in ran.stdout.splitlines()[-1].split()}


def test_help_loads_nothing_heavy() -> None:
    asked = "from qa_daemon.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_by(asked) & set(HEAVY) == set()


def test_the_service_leaves_the_training_library_alone() -> None:
    rooms = [PACKAGE / "cli" / "main.py", *sorted((PACKAGE / "ops").glob("*.py"))]
    names = [
        f"qa_daemon.{path.parent.name}.{path.stem}" for path in rooms if path.stem != "__init__"
    ]
    assert loaded_by(f"import {', '.join(names)}") & {"tensorflow", "keras"} == set()


def said_by_the_code() -> Iterator[tuple[str, str, str]]:
    """Yield where the code logs, the event, and each key."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            event = node.args[0]
            if (
                isinstance(event, ast.Attribute)
                and isinstance(event.value, ast.Name)
                and event.value.id == "LogEvent"
            ):
                for keyword in node.keywords:
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield where, event.attr, keyword.arg or "**"


def test_every_fact_that_the_code_logs_passes_the_filter() -> None:
    said = list(said_by_the_code())
    dropped = [(where, key) for where, _, key in said if key not in FORMS and key != "**"]
    assert dropped == []
    assert {event for _, event, _ in said} <= set(LogEvent.__members__)


def test_no_picture_and_no_object_is_kept_but_our_own_drawings() -> None:
    kept = [path.relative_to(ROOT) for path in tracked() if path.suffix.lower() in PICTURES]
    assert [path for path in kept if path.parts[0] != "docs" or path.suffix != ".png"] == []
    objects = []
    for path in tracked():
        with path.open("rb") as file:
            if file.read(132)[128:] == b"DICM":
                objects.append(path)
    assert objects == []


def test_nothing_names_a_machine_or_a_package_registry() -> None:
    # Put together here, so that this file does not find itself.
    places = [str(ROOT) + "/", "/" + "work/", "/" + "Users/", "/" + "opt/pypi", "C:" + "\\"]
    hosts = re.compile("|".join(["py" + r"pi\.org", "python" + "hosted", "index" + "-url",
                                 "arti" + "factory", "find" + "-links"]))  # fmt: skip
    found = []
    for path in tracked():
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8")
            if hosts.search(text) or any(place in text for place in places):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_the_notice_names_the_sources_of_the_models_data_and_no_others() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines()
    named = {line for line in notice if line.startswith("- ")}
    used = {
        f"- {entry['source']}: {entry['licence as stated']}"
        for card in (ROOT / "models").glob("*/*/card.yaml")
        for entry in yaml.safe_load(card.read_text(encoding="utf-8"))["data"]
    }
    assert named == used


def test_what_ci_runs_is_what_a_person_runs() -> None:
    commands = [
        line
        for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert commands == ['exec "$(dirname "$0")/../tests/run"']
    for script in (ROOT / ".ci" / "run", ROOT / "tests" / "run"):
        assert script.stat().st_mode & 0o111 == 0o111
