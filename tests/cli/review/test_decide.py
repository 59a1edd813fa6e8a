"""A technician decides at the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, drawn
from tests.cli.test_admin import judged, received


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state folder of a service that has judged one series with two faults."""
    folder = tmp_path_factory.mktemp("decided")
    received(folder, drawn(folder / "files", BodyPartExamined="C SPINE", PatientPosition="FSH"))
    judged(folder)
    return folder


@pytest.fixture
def state(served: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, to be changed."""
    return Path(shutil.copytree(served, tmp_path / "state"))


def waiting(run: Run, state: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads(run("queue", "list", "--json", "--state", state).out)
    return {each["finding"]["rule"]: each for each in listed}


def series_state(run: Run, state: Path) -> str:
    (row,) = json.loads(run("series", "list", "--json", "--state", state).out)
    return str(row["state"])


def test_findings_leave_the_queue_one_by_one_and_come_back(run: Run, state: Path) -> None:
    before = waiting(run, state)
    numbers = [str(each["id"]) for each in before.values()]
    assert len(numbers) >= 2
    first, *others = numbers
    ran = run("queue", "accept", first, "--words", "as seen", "--state", state)
    assert (ran.status, ran.err) == (0, "")
    assert f"queue undo {first}" in ran.out
    for number in others:
        ran = run("queue", "reject", number, "--reason", "tags_right", "--state", state)
        assert ran.status == 0
    assert waiting(run, state) == {}
    assert series_state(run, state) == "decided"
    shown = run("queue", "show", first, "--state", state).out
    assert "accepted by" in shown
    assert "as seen" in shown
    assert "as before" in run("queue", "undo", first, "--state", state).out
    assert [str(each["id"]) for each in waiting(run, state).values()] == [first]
    assert series_state(run, state) == "waiting"
    told = run("queue", "history", "--state", state).out
    assert "rejected (tags right)" in told
    assert "taken back by" in told
    kept = json.loads(run("queue", "history", "--json", "--state", state).out)
    assert [each["verb"] for each in kept] == ["reject"] * len(others) + ["accept"]
    assert kept[-1]["undone_at"] is not None


def test_a_series_is_decided_at_one_blow_and_the_last_blow_undone(run: Run, state: Path) -> None:
    numbers = sorted(each["id"] for each in waiting(run, state).values())
    said = run("queue", "accept", numbers[0], "--scope", "series", "--state", state)
    assert (said.status, said.err) == (0, "")
    assert ", ".join(map(str, numbers)) in said.out
    assert "it leaves at" in said.out
    assert series_state(run, state) == "decided"
    assert ", ".join(map(str, numbers)) in run("queue", "undo", "--state", state).out
    assert series_state(run, state) == "waiting"
    refused = run("queue", "undo", "--state", state)
    assert refused.status == 2
    assert "nothing that you did in this shift" in refused.err


def test_a_finding_is_put_off_or_given_to_somebody_else(run: Run, state: Path) -> None:
    first, second = sorted(each["id"] for each in waiting(run, state).values())[:2]
    assert run("queue", "defer", first, "--days", "2", "--state", state).status == 0
    assert first not in {each["id"] for each in waiting(run, state).values()}
    assert run("queue", "ask", second, "--of", "eva", "--state", state).status == 0
    assert "asked eva by" in run("queue", "history", "--state", state).out
    refused = run("queue", "reverse", second, "--state", state)
    assert "nothing of its decision leaves" in refused.err


def test_an_accepted_suggestion_is_kept_with_its_values(run: Run, state: Path) -> None:
    with_suggestion = next(
        each for each in waiting(run, state).values() if each["finding"]["suggestion"]
    )
    run("queue", "accept", with_suggestion["id"], "--state", state)
    (kept,) = json.loads(run("queue", "history", "--json", "--state", state).out)
    assert kept["suggestion"] == with_suggestion["finding"]["suggestion"]


def test_a_deferred_finding_stays_in_the_queue(run: Run, state: Path) -> None:
    number = next(iter(waiting(run, state).values()))["id"]
    assert run("queue", "defer", number, "--words", "ask", "--state", state).status == 0
    assert number in {each["id"] for each in waiting(run, state).values()}


def test_another_value_is_accepted_if_its_rule_is_content_with_it(run: Run, state: Path) -> None:
    (number,) = (
        each["id"]
        for each in waiting(run, state).values()
        if (each["finding"]["suggestion"] or {"changes": [{}]})["changes"][0].get("attribute")
        == "BodyPartExamined"
    )
    for value, said in (
        ("chest", "no value of representation CS"),
        ("NOWHERE", "still wrong: "),
        ("CHEST\\ABDOMEN", "1 values belong there"),
        ("C SPINE", "nothing would change"),
    ):
        ran = run("queue", "accept", number, "--set", f"BodyPartExamined={value}", "--state", state)
        assert (ran.status, said in ran.err) == (2, True), ran.err
    ran = run("queue", "accept", number, "--set", "Modality=CT", "--state", state)
    assert "the suggestion does not change it there" in ran.err
    ran = run("queue", "accept", number, "--class", "3", "--state", state)
    assert "is not about how a picture lies" in ran.err
    ran = run("queue", "accept", number, "--set", "BodyPartExamined=ABDOMEN", "--state", state)
    assert (ran.status, ran.err) == (0, "")
    (kept,) = json.loads(run("queue", "history", "--json", "--state", state).out)
    (change,) = kept["suggestion"]["changes"]
    assert (change["current"], change["proposed"]) == (["C SPINE"], ["ABDOMEN"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("accept 999999", "queue list"),
        ("accept {} --alternative 9", "beside the likeliest"),
        ("accept {} --set BodyPartExamined", "PATH=VALUE"),
        ("reject {} --reason other", "--words"),
        ("reject {} --reason because", "invalid choice"),
        ("undo {}", "no decision is in force"),
    ],
)
def test_mistakes_are_told_with_what_to_do(run: Run, state: Path, typed: str, said: str) -> None:
    number = next(iter(waiting(run, state).values()))["id"]
    ran = run("queue", *typed.format(number).split(), "--state", state)
    assert ran.status == 2
    assert said in ran.err


def test_nothing_decided_is_said(run: Run, state: Path) -> None:
    assert "Nothing has been decided yet." in run("queue", "history", "--state", state).out
