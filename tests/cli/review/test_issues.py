"""What recurs, as a technician sees and rules on it."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa_daemon.config.load import load_settings
from qa_daemon.store.migrations import schema
from tests.cli.conftest import Run, drawn
from tests.cli.test_admin import judged, received

RULE = "ORIENT-008"  # Patient Position is no defined term


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state folder of a service that has judged three series with one fault."""
    folder = tmp_path_factory.mktemp("recurring")
    for name in ("one", "two", "three"):
        files = drawn(folder / "files", name, PatientPosition="FSH", StationName="CT1")
        received(folder, files)
    judged(folder)
    return folder


def issue(run: Run, state: Path, *more: str) -> dict[str, Any]:
    said = json.loads(run("queue", "issues", "--json", *more, "--state", state).out)
    found: dict[str, Any] = next(each for each in said if each["rule"] == RULE)
    return found


def test_findings_of_one_cause_are_listed_once_with_their_count(run: Run, state: Path) -> None:
    ran = run("queue", "issues", "--state", state)
    assert ran.status == 0
    assert ran.out.count(RULE) == 1
    assert "3 x" in ran.out
    assert "CT CT1" in ran.out
    found = issue(run, state)
    assert (found["count"], found["state"], found["ruling"]) == (3, "new", None)


def test_the_findings_of_an_issue_can_be_listed(run: Run, state: Path) -> None:
    key = issue(run, state)["key"]
    listed = json.loads(run("queue", "list", "--issue", key[:8], "--json", "--state", state).out)
    assert [each["finding"]["rule"] for each in listed] == [RULE] * 3


def test_a_muted_issue_leaves_the_queue_until_it_is_asked_for(run: Run, state: Path) -> None:
    key = issue(run, state)["key"]
    ran = run("queue", "mute", key[:8], "--days", "7", "--reason", "known", "--state", state)
    assert ran.status == 0
    assert "muted until" in ran.out
    assert RULE not in run("queue", "issues", "--state", state).out
    assert RULE not in run("queue", "list", "--state", state).out
    said = issue(run, state, "--all")
    assert (said["state"], said["ruling"]["reason"]) == ("muted", "known")
    assert "known" in run("queue", "issues", "--all", "--state", state).out
    resolved = run("queue", "resolve", key, "--reason", "new protocol", "--state", state)
    assert resolved.status == 0
    assert issue(run, state, "--all")["state"] == "resolved"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mute zz --days 3 --reason x", "queue issues --all"),
        ("mute zz --days 400 --reason x", "at most 366"),
        ("resolve zz --reason x", "queue issues --all"),
        ("list --issue zz", "queue issues --all"),
    ],
)
def test_mistakes_are_told_with_what_to_do(run: Run, state: Path, typed: str, said: str) -> None:
    ran = run("queue", *typed.split(), "--state", state)
    assert ran.status == 2
    assert said in ran.err


def test_a_ruling_needs_its_reason(run: Run, state: Path) -> None:
    ran = run("queue", "resolve", "zz", "--reason", " ", "--state", state)
    assert ran.status == 2
    assert "--reason: say why" in ran.err


def test_a_service_that_found_nothing_says_so(run: Run, tmp_path: Path) -> None:
    schema.prepare(load_settings(None, overrides={"state": tmp_path}).store_url)
    assert "Nothing recurs." in run("queue", "issues", "--state", tmp_path).out


def test_a_ruling_on_a_cause_at_the_station_holds_for_all_its_protocols(
    run: Run, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for name in ("Thorax", "Abdomen", "Pelvis"):
        files = drawn(
            tmp_path / "files", name, PatientPosition="FSH", StationName="CT1", ProtocolName=name
        )
        received(state, files)
    judged(state)
    listed = run("queue", "issues", "--state", state).out
    assert listed.count(RULE) == 1
    assert "also under 2 other protocols of this station" in " ".join(listed.split())
    said = json.loads(run("queue", "issues", "--json", "--state", state).out)
    (key,) = {each["cause"] for each in said if each["rule"] == RULE} - {None}
    ran = run("queue", "mute", key, "--days", "7", "--reason", "known", "--state", state)
    assert f"{key[:8]} and 2 other protocols of this station: muted until" in ran.out
    assert RULE not in run("queue", "issues", "--state", state).out
    assert RULE not in run("queue", "list", "--state", state).out
