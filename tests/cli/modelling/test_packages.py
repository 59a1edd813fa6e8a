"""A model of the site: from the state folder into shadow, into force, and back."""

import fcntl
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa_daemon.config.load import load_settings
from qa_daemon.config.packs import models_folder
from qa_daemon.ops.working import working
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.standing import (
    FILE,
    LOCK,
    Entry,
    Standing,
    is_news,
    read_standing,
    write_standing,
)
from qa_daemon.store.migrations import schema
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.facts import Pseudonyms
from tests.cli.conftest import Run, drawn
from tests.cli.modelling.conftest import received

SITE = "body_region@9.0.0"


def shipped(target: str) -> Path:
    return max((models_folder(load_settings(None)) / target).iterdir())


def site_package(state: Path, version: str = "9.0.0", **said: Any) -> Path:
    """Put the shipped region model into the state folder as one of the site, its card changed."""
    made = shutil.copytree(shipped("body_region"), state / "models" / "body_region" / version)
    card = yaml.safe_load((made / "card.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump(card | {"version": version} | said)
    (made / "card.yaml").write_text(text, encoding="utf-8")
    return Path(made)


def mistaken(state: Path) -> Path:
    """Return a package that takes an abdomen for a head."""
    return site_package(state, labels=["ABDOMEN", "NECK", "CHEST", "HEAD", "PELVIS", "LOWERLIMB"])


def in_force(state: Path) -> str:
    with engine(load_settings(None, overrides={"state": state})) as made:
        card = made.catalog.of("body_region")
        assert card is not None
        return card.name


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def test_a_package_of_the_site_is_listed_and_not_in_force(run: Run, state: Path) -> None:
    site_package(state)
    ran = run("models", "list", "--state", state)
    assert ran.status == 0
    assert "9.0.0" in ran.out
    assert in_force(state) != SITE
    assert "licence as stated" in ran.out
    assert "CURVAS" in ran.out


def test_shadow_report_promote_retire(run: Run, state: Path) -> None:
    default = in_force(state)
    mistaken(state)
    refused = run("models", "promote", SITE, "--state", state)
    assert (refused.status, "in shadow" in refused.err) == (2, True)
    assert run("models", "shadow", SITE, "--state", state).status == 0
    received(state, BodyPartExamined="ABDOMEN")
    report = run("models", "shadow", "--report", "--json", "--state", state).document
    assert report["series"] == 1
    told = {each["model"]: each for each in report["models"] if each["target"] == "body_region"}
    assert told[SITE]["instead_of"] == default
    assert told[SITE]["series"] == 1
    in_words = run("models", "shadow", "--report", "--state", state)
    assert f"{SITE} in shadow of {default}" in in_words.out
    assert run("models", "promote", SITE, "--state", state).status == 0
    assert in_force(state) == SITE
    standing = read_standing(state)
    assert standing.shadows == {}
    assert standing.promoted["body_region axial"].model == SITE
    assert run("models", "retire", SITE, "--state", state).status == 0
    assert in_force(state) == default


def test_a_reload_brings_into_force_what_was_promoted_and_names_its_data_once(
    run: Run, state: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    site_package(state)
    settings = load_settings(None, overrides={"state": state})
    schema.prepare(settings.store_url)
    telemetry.start("info", "json", Pseudonyms())
    try:
        with working(settings, lambda: None) as shift:
            told = [capfdbinary.readouterr().err.count(b"model.sources")]
            shift.apply(settings)
            told.append(capfdbinary.readouterr().err.count(b"model.sources"))
            assert run("models", "promote", SITE, "--yes", "--state", state).status == 0
            shift.apply(settings)
            told.append(capfdbinary.readouterr().err.count(b"model.sources"))
            card = shift.worker.bench.engine.catalog.of("body_region")
    finally:
        telemetry.stop()
    assert card is not None
    assert card.name == SITE
    assert [bool(count) for count in told] == [True, False, True]


def test_the_report_tells_alarms_that_only_the_shadow_would_raise(run: Run, state: Path) -> None:
    mistaken(state)
    run("models", "shadow", SITE, "--state", state)
    received(state, BodyPartExamined="ABDOMEN")
    stored = run("series", "list", "--json", "--state", state)
    (row,) = json.loads(stored.out)
    shown = run("series", "show", "--json", row["series_key"], "--state", state).document
    assert SITE not in json.dumps(shown), "nobody but the report sees a shadow"
    report = run("models", "shadow", "--report", "--json", "--state", state).document
    region = next(each for each in report["models"] if each["model"] == SITE)
    assert (region["other"], region["same"]) == (1, 0)
    (change,) = (each for each in report["changes"] if each["rule"] == "REGION-001")
    assert (change["new"], change["series_keys"]) == (True, [row["series_key"]])
    assert (report["alarms_in_force"], report["alarms_with_shadows"]) == (0, 1)
    said = run("models", "shadow", "--report", "--state", state).out
    assert "REGION-001" in said


def test_what_is_promoted_and_damaged_is_unavailable_and_not_replaced(
    run: Run, state: Path
) -> None:
    package = site_package(state)
    assert run("models", "promote", SITE, "--yes", "--state", state).status == 0
    (package / "model.tflite").write_bytes(b"no model")
    ran = run("models", "list", "--state", state)
    assert ran.status == 1
    assert "digest differs" in ran.err
    drawn(state.parent / "files")
    checked = run("check", "--json", "--state", state, state.parent / "files")
    (series,) = checked.document["series"]
    (region,) = (each for each in series["predictions"] if each["target"] == "body_region")
    assert region["reason"] == "model_unavailable"


def test_a_model_that_fails_its_golden_inputs_is_refused(run: Run, state: Path) -> None:
    package = site_package(state)
    shutil.copy(shipped("axial_orientation") / "golden" / "golden.npz", package / "golden")
    ran = run("models", "promote", SITE, "--yes", "--state", state)
    assert (ran.status, "golden inputs" in ran.err) == (2, True)
    assert not (state / FILE).exists()


def test_a_shadow_ends_by_command(run: Run, state: Path) -> None:
    site_package(state)
    run("models", "shadow", SITE, "--state", state)
    assert "shadow" in run("models", "list", "--state", state).out
    assert run("models", "unshadow", SITE, "--state", state).status == 0
    again = run("models", "unshadow", SITE, "--state", state)
    assert (again.status, "not in shadow" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("shadow",), "either ID@VERSION, or --report"),
        (("shadow", "body_region@7.7.7"), "no such package"),
        (("promote", "nothing"), "no such package"),
        (("retire", SITE), "not promoted"),
    ],
)
def test_a_mistake_is_told(run: Run, state: Path, typed: tuple[str, ...], said: str) -> None:
    ran = run("models", *typed, "--state", state)
    assert (ran.status, said in ran.err) == (2, True)


def test_a_model_in_force_is_no_shadow_of_itself(run: Run, state: Path) -> None:
    ran = run("models", "shadow", in_force(state), "--state", state)
    assert (ran.status, "in force already" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "damaged",
    [
        '{"promoted": []}',
        '{"promoted": {"x": {"model": [1], "by": "", "at": ""}}, "shadows": {}}',
        "[" * 100_000,
    ],
    ids=["part", "name", "nesting"],
)
def test_a_damaged_choice_refuses_the_start_and_says_what_to_do(
    run: Run, state: Path, damaged: str
) -> None:
    (state / FILE).write_text(damaged)
    ran = run("models", "list", "--state", state)
    assert (ran.status, "remove it" in ran.err) == (2, True)


def test_only_open_packages_are_in_force_where_the_site_wants_that(run: Run, state: Path) -> None:
    site_package(state, licences="open")
    config = state.parent / "service.yaml"
    config.write_text("models:\n  licences: open\n")
    settings = load_settings(config, overrides={"state": state})
    with engine(settings) as made:
        usual = made.catalog.of("body_region")
    assert usual is None or usual.licences == "open"
    promoted = run("models", "promote", SITE, "--yes", "--state", state, "--config", config)
    assert promoted.status == 0
    with engine(settings) as made:
        card = made.catalog.of("body_region")
    assert card is not None
    assert card.name == SITE


def test_a_set_of_models_is_news_once(state: Path) -> None:
    assert is_news(state, "a" * 64)
    assert not is_news(state, "a" * 64)
    assert is_news(state, "b" * 64)


def test_a_command_is_refused_while_another_changes_the_same_file(run: Run, state: Path) -> None:
    site_package(state)
    with (state / LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ran = run("models", "shadow", SITE, "--state", state)
        assert ran.status == 2
        assert "another `qa-daemon models`" in ran.err
        assert not (state / FILE).exists()
    assert run("models", "shadow", SITE, "--state", state).status == 0
    assert [each.model for each in read_standing(state).shadows.values()] == [SITE]


def test_a_promoted_model_of_another_slot_is_told(run: Run, state: Path) -> None:
    site_package(state)
    entry = Entry(model=SITE, by="somebody", at="2026-01-01T00:00:00+00:00")
    write_standing(state, Standing(promoted={"axial_orientation axial": entry}))
    ran = run("models", "list", "--state", state)
    assert ran.status == 1
    assert "was promoted for `axial_orientation axial`" in ran.err
