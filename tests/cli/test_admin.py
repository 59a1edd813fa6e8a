"""The other commands as a new user types them: what, where, what to do, and the right status."""

import json
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from qa_daemon.config.load import load_settings
from qa_daemon.config.packs import models_folder
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.part10 import data_set_offset
from qa_daemon.intake.index import Index
from qa_daemon.limits import Limits
from qa_daemon.pipeline.closing import Closing
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.previews.draw import Drawing
from qa_daemon.pipeline.steps import Bench, take
from qa_daemon.pipeline.worker import STATES
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Envelope, Origin
from qa_daemon.spool.spool import Spool
from qa_daemon.store import leases
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.migrations import schema
from tests.cli.conftest import Run, drawn

TERMS = Terms(lease_s=60.0, attempts_max=3)
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


def spooled(spool: Spool, content: bytes) -> None:
    offset = data_set_offset(content)
    envelope = Envelope(received_at=LONG_AGO, origin=Origin.FOLDER, data_set_offset=offset)
    with spool.begin(envelope) as writer:
        writer.write(content)
        writer.commit()


def judged(state: Path, configuration: Path | None = None) -> None:
    """Take everything in the spool through the steps of the worker."""
    settings = load_settings(configuration, overrides={"state": state})
    with (
        Spool(settings.spool_folder, settings.limits) as spool,
        Store(settings.store_url, 5.0) as store,
        engine(settings) as judges,
    ):
        later = datetime.now(UTC) + timedelta(hours=1)
        Closing(store).close_due(settings.assembly, later)
        bench = Bench(store, spool, judges)
        while lease := leases.claim(store, STATES, TERMS, later):
            take(bench, lease, TERMS)
        while Drawing(bench, settings).turn():
            pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state folder of a service that has judged a clean and a wrong series."""
    folder = tmp_path_factory.mktemp("served")
    state = folder / "state"
    state.mkdir()
    files = [
        *drawn(folder / "files"),
        *drawn(folder / "files", "wrong", BodyPartExamined="KNEE", PatientID=""),
    ]
    received(state, files)
    judged(state)
    return state


def received(state: Path, files: Iterable[Path]) -> None:
    """Take files into spool and store as the receiver does."""
    settings = load_settings(None, overrides={"state": state})
    schema.prepare(settings.store_url)
    with Spool(settings.spool_folder, Limits()) as spool, Store(settings.store_url, 5.0) as store:
        spool.recover()
        for file in files:
            spooled(spool, file.read_bytes())
        Index(spool, store, partial(_read, Limits()), 30.0).adopt()


def _read(limits: Limits, content: memoryview, key: str) -> Instance:
    return read_instance(content, limits, source=key)


@pytest.fixture
def state(served: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, to be changed."""
    return Path(shutil.copytree(served, tmp_path / "state"))


# --- queue ---------------------------------------------------------------------------------------


def test_the_queue_lists_what_is_wrong_and_tells_how_to_go_on(run: Run, served: Path) -> None:
    ran = run("queue", "list", "--state", served)
    assert ran.status == 0
    assert "MAJOR" in ran.out
    assert "Body Part Examined says KNEE" in ran.out
    assert "BodyPartExamined KNEE -> ABDOMEN" in ran.out
    assert "queue show ID" in ran.out


def test_infos_are_listed_when_asked_for(run: Run, served: Path) -> None:
    few = json.loads(run("queue", "list", "--json", "--state", served).out)
    all_ = json.loads(run("queue", "list", "--json", "--severity", "info", "--state", served).out)
    assert {each["finding"]["severity"] for each in few} == {"major"}
    assert len(all_) > len(few)


def test_nothing_that_waits_is_said_in_words(run: Run, served: Path) -> None:
    ran = run("queue", "list", "--severity", "critical", "--state", served)
    assert (ran.status, ran.out) == (
        0,
        "Nothing waits: no finding of severity critical or worse.\n",
    )


def test_one_finding_is_shown_with_evidence_and_suggestion(run: Run, served: Path) -> None:
    (row,) = json.loads(run("queue", "list", "--json", "--state", served).out)
    ran = run("queue", "show", row["id"], "--state", served)
    said_whole = ("tag.BodyPartExamined", "KNEE", "suggested", "then", "body_region")
    for said in (*said_whole, row["series_instance_uid"]):
        assert said in ran.out
    shown = json.loads(run("queue", "show", row["id"], "--json", "--state", served).out)
    assert shown == row


def test_exported_files_stand_per_study_and_series(run: Run, served: Path, tmp_path: Path) -> None:
    ran = run("queue", "export", tmp_path / "out", "--state", served)
    assert "1 series" in ran.out
    (machine,) = (tmp_path / "out").rglob("*.json")
    (person,) = (tmp_path / "out").rglob("*.txt")
    assert machine.stem == person.stem
    assert json.loads(machine.read_text())[0]["00180015"]["vr"] == "CS"


# --- series --------------------------------------------------------------------------------------


def rows(run: Run, state: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run("series", "list", "--json", "--state", state).out)
    return found


def test_series_are_listed_with_their_states(run: Run, served: Path) -> None:
    assert sorted(row["state"] for row in rows(run, served)) == ["clean", "waiting"]
    ran = run("series", "list", "--state", served)
    assert "3 instances" in ran.out
    assert "6 instances, 0 repeats, 0 unreadable" in ran.out
    only = run("series", "list", "--in", "waiting", "--state", served)
    assert "clean" not in only.out
    assert (
        "No series in this state."
        in run("series", "list", "--in", "quarantined", "--state", served).out
    )


def test_a_series_is_named_by_the_beginning_of_its_key(run: Run, served: Path) -> None:
    row = next(row for row in rows(run, served) if row["state"] == "waiting")
    ran = run("series", "show", row["series_key"][:8], "--state", served)
    assert "Body Part Examined says KNEE" in ran.out
    shown = run("series", "show", row["series_key"], "--json", "--state", served)
    assert shown.document["series"][0]["series_instance_uid"] == row["series_instance_uid"]


def test_a_recheck_judges_again(run: Run, state: Path) -> None:
    row = next(row for row in rows(run, state) if row["state"] == "waiting")
    assert run("series", "recheck", row["series_key"], "--state", state).out == (
        "1 series will be judged again\n"
    )
    assert sorted(each["state"] for each in rows(run, state)) == ["clean", "settled"]
    judged(state)
    assert sorted(each["state"] for each in rows(run, state)) == ["clean", "waiting"]


def test_pictures_are_drawn_again_when_a_person_asks_for_it(run: Run, state: Path) -> None:
    keys = [row["series_key"] for row in rows(run, state)]
    again = run("series", "draw", keys[0], "--state", state)
    assert again.out == "1 series will be drawn again\n"
    assert run("series", "draw", "--all", "--state", state).out == "2 series will be drawn again\n"


def test_a_deleted_series_is_gone_and_only_that(run: Run, state: Path) -> None:
    row = next(row for row in rows(run, state) if row["state"] == "clean")
    assert (state / "previews" / row["series_key"]).exists()
    assert run("series", "delete", row["series_key"], "--state", state).status == 2
    assert len(rows(run, state)) == 2
    ran = run("series", "delete", row["series_key"], "--yes", "--state", state)
    assert "3 objects" in ran.out
    assert [each["state"] for each in rows(run, state)] == ["waiting"]
    assert not (state / "previews" / row["series_key"]).exists()


def test_what_is_not_in_quarantine_is_not_tried_again(run: Run, served: Path) -> None:
    row = rows(run, served)[0]
    ran = run("series", "requeue", row["series_key"], "--state", served)
    assert ran.status == 2
    assert "not quarantined" in ran.err
    assert "series recheck" in ran.err


# --- rules, models, configuration, upkeep --------------------------------------------------------


def test_the_shipped_rules_and_models_are_listed_and_hold(run: Run) -> None:
    listed = run("rules", "list")
    assert (listed.status, "REGION-001" in listed.out) == (0, True)
    proven = run("rules", "test")
    assert (proven.status, proven.out.rstrip().endswith(": 0 failed")) == (0, True)
    models = run("models", "list")
    assert models.status == 0
    assert models.out.count("as expected") >= 2
    assert models.err == ""


def test_a_folder_without_models_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "service.yaml").write_text("models:\n  folder: empty\n")
    ran = run("models", "list", "--config", tmp_path / "service.yaml")
    assert ran.status == 1
    assert "not evaluated" in ran.err


def test_a_damaged_model_is_told_and_check_goes_on_without_it(run: Run, tmp_path: Path) -> None:
    copied = shutil.copytree(models_folder(load_settings(None)), tmp_path / "models")
    for model in copied.rglob("model.tflite"):
        model.write_bytes(b"no model")
    (tmp_path / "service.yaml").write_text("models:\n  folder: models\n")
    ran = run("models", "list", "--config", tmp_path / "service.yaml")
    assert ran.status == 1
    assert "model.tflite" in ran.err or "digest" in ran.err
    drawn(tmp_path / "files")
    checked = run("check", "--json", "--config", tmp_path / "service.yaml", tmp_path / "files")
    (series,) = checked.document["series"]
    reasons = {each["target"]: each["reason"] for each in series["predictions"]}
    assert reasons["axial_orientation"] == reasons["body_region"] == "model_unavailable"
    assert any("model_unavailable" in each["reason"] for each in series["rules"]["not_evaluated"])


def test_all_faults_of_a_configuration_are_told_at_once(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "service.yaml"
    config.write_text("reciever:\n  port: 1\nworker:\n  lease_s: -1\n")
    ran = run("config", "check", "--config", config)
    assert ran.status == 2
    assert "receiver" in ran.err
    assert "lease_s" in ran.err
    assert len(ran.err.splitlines()) >= 2


def test_a_rule_that_is_broken_is_told_by_config_check(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "rule.yaml").write_text("id: OWN-001\n")
    (tmp_path / "service.yaml").write_text("rules:\n  folders: [own]\n")
    ran = run("config", "check", "--config", tmp_path / "service.yaml")
    assert ran.status == 2
    assert "rule.yaml" in ran.err


def test_the_configuration_in_force_can_be_used_again(run: Run, tmp_path: Path) -> None:
    shown = run("config", "show", "--state", tmp_path / "s")
    (tmp_path / "service.yaml").write_text(shown.out)
    assert run("config", "check", "--config", tmp_path / "service.yaml").status == 0
    assert run("config", "show", "--config", tmp_path / "service.yaml").out == shown.out


def test_a_database_is_made_anew_from_the_spool(run: Run, state: Path) -> None:
    ran = run("rebuild", "--state", state)
    assert ran.status == 0
    assert "6 objects" in ran.out
    assert "kept as" in ran.out
    assert {row["state"] for row in rows(run, state)} == {"receiving"}
    judged(state)
    assert sorted(row["state"] for row in rows(run, state)) == ["clean", "waiting"]


def test_the_schema_is_brought_up_and_a_second_time_nothing_happens(run: Run, state: Path) -> None:
    first = run("db", "upgrade", "--state", state)
    assert (first.status, "in force" in first.out) == (0, True)
    assert run("db", "upgrade", "--state", state) == first


def test_the_service_is_only_printed_when_asked_so(run: Run) -> None:
    ran = run("install-service", "--print")
    assert ran.status == 0
    assert "Type=notify" in ran.out


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("queue show 999999", "finding 999999: there is none; see: qa-daemon queue list"),
        ("series show zzz", "see: qa-daemon series list"),
        ("series recheck", "give either keys, or --days N"),
        ("series draw", "give either keys, or --all"),
        ("series list --in wating", "use one of receiving, settled"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(run: Run, served: Path, typed: str, said: str) -> None:
    ran = run(*typed.split(), "--state", served)
    assert ran.status == 2
    assert said in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    "typed",
    ["queue list", "queue show 1", "queue export out", "queue issues",
     "queue mute a --days 1 --reason x", "queue resolve a --reason x",
     "series list", "series show a",
     "series requeue a", "series recheck a", "series draw a",
     "series delete a --yes", "db upgrade", "rebuild"],
)  # fmt: skip
def test_a_misspelt_state_folder_does_not_come_into_being(
    run: Run, tmp_path: Path, typed: str
) -> None:
    ran = run(*typed.split(), "--state", tmp_path / "nowhere")
    assert ran.status == 2
    assert "--state" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "COMMAND"),
        ("chek", "invalid choice"),
        ("queue", "ACTION"),
        ("check", "name at least one file"),
        ("queue list --limit 0", "whole number"),
        ("queue show first", "whole number"),
        ("serve --port 70000", "no port"),
        ("serve reciever", "invalid choice"),
        ("config check --config /nonexistent/service.yaml", "/nonexistent/service.yaml"),
    ],
)
def test_a_usage_error_has_status_2(run: Run, typed: str, said: str) -> None:
    ran = run(*typed.split())
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "typed",
    ["", "check", "demo", "serve", "queue", "queue list", "queue show", "queue export",
     "queue issues", "queue mute", "queue resolve", "queue accept", "queue reject", "queue defer",
     "queue undo", "queue history", "series",
     "series list", "series show", "series requeue", "series delete", "series recheck",
     "series draw", "rules",
     "rules list", "rules test", "models", "models list", "models shadow",
     "models promote", "models retire", "config", "config check", "config show",
     "db", "db upgrade", "rebuild", "install-service"],
)  # fmt: skip
def test_every_command_explains_itself_within_80_columns(
    run: Run, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = run(*typed.split(), "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"usage: qa-daemon {typed}".rstrip() in ran.out
    unexplained = [
        line for line in ran.out.splitlines() if line.startswith("  -") and "  " not in line.strip()
    ]
    assert [line for line in unexplained if len(line) < 24] == []
    assert max(map(len, ran.out.splitlines())) <= 84
