"""What leaves, at the command line and by the service itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, drawn
from tests.cli.test_admin import judged, received
from tests.faults.conftest import Daemon, daemon, eventually

__all__ = ["daemon"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return the state folder of a service that has judged a series with a suggestion."""
    folder = tmp_path / "service" / "state"
    folder.mkdir(parents=True)
    received(folder, drawn(folder / "files", BodyPartExamined="C SPINE"))
    judged(folder)
    return folder


def accepted(run: Run, state: Path, *more: object) -> str:
    listed = json.loads(run("queue", "list", "--json", "--state", state).out)
    number = next(str(each["id"]) for each in listed if each["finding"]["suggestion"])
    ran = run("queue", "accept", number, "--state", state, *more)
    assert (ran.status, ran.err) == (0, "")
    return number


def entries(run: Run, state: Path, *more: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        run("outbox", "ls", "--json", *more, "--state", state).out
    )
    return found


def test_an_entry_is_listed_shown_and_dropped(run: Run, state: Path) -> None:
    assert "The outbox is empty." in run("outbox", "ls", "--state", state).out
    number = accepted(run, state)
    (entry,) = entries(run, state, "--in", "queued")
    assert (entry["channel"], entry["attempts"], entry["finding"]) == ("folder", 0, int(number))
    assert entry["suggestion"]["changes"][0]["attribute"] == "BodyPartExamined"
    listed = run("outbox", "ls", "--state", state).out
    assert "queued" in listed
    assert f"finding {number}" in listed
    shown = run("outbox", "show", entry["id"], "--state", state).out
    assert entry["change_set"] in shown
    assert "BodyPartExamined" in shown
    assert json.loads(run("outbox", "show", entry["id"], "--json", "--state", state).out) == entry
    early = run("outbox", "retry", entry["id"], "--state", state)
    assert (early.status, "has not been tried in vain" in early.err) == (2, True)
    assert "dropped" in run("outbox", "drop", entry["id"], "--state", state).out
    again = run("outbox", "drop", entry["id"], "--state", state)
    assert (again.status, "it has left" in again.err) == (2, True)
    assert "qa-daemon outbox ls" in run("outbox", "show", "999", "--state", state).err
    assert entries(run, state, "--in", "queued") == []


def test_the_service_writes_what_was_accepted_once_its_window_has_closed(
    run: Run, state: Path, daemon: Callable[..., Daemon]
) -> None:
    service = daemon("outbound", decisions={"undo_window_s": 0})
    assert service.state == state
    service.start()
    accepted(run, state, "--config", service.configuration)
    exports = state / "exports"
    eventually(lambda: bool(list(exports.glob("*/*.json"))), "nothing was written")
    eventually(lambda: entries(run, state)[0]["state"] == "sent", "it is not noted as sent")
    (entry,) = entries(run, state)
    (file,) = exports.glob("*/*.json")
    written = json.loads(file.read_text())
    assert file.stem == written["uid"] == entry["change_set"]
    assert written["suggestion"] == entry["suggestion"]
    assert "Not a medical device" in written["intended_use"]
    assert service.says("export.sent")
