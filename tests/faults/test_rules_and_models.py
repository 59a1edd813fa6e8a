"""Rules, models and configuration that are wrong, at the start and while the service runs."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa_daemon.predict.catalog import load_catalog
from qa_daemon.store import result_rows
from qa_daemon.store.result_rows import Result
from tests.faults.conftest import ROOT, Daemon, check_judged_once, drawn, eventually, send

NEW_RULE = """\
id: SITE-001
title: Accession Number is not ours
topic: identity
severity: major
status: stable
version: 1
level: series
rationale: A test.
check: {fact: tag.AccessionNumber, equals: "4712"}
cases:
  - {name: another one, tags: {AccessionNumber: "4711"}, outcome: finding}
  - {name: ours, tags: {AccessionNumber: "4712"}, outcome: passed}
"""
BROKEN = NEW_RULE.replace("topic: identity", "topic: nonsense").replace("001", "002")


def result(daemon: Daemon) -> Result:
    """Return what was found in the one series."""
    (row,) = daemon.series()
    with daemon.store() as store:
        found = result_rows.result_of(store, row.series_key, row.revision)
    assert found is not None
    return found


def findings(daemon: Daemon) -> set[str]:
    outcomes = result(daemon).outcomes
    assert outcomes is not None
    return set(outcomes.finding)


def told(daemon: Daemon, *words: str) -> None:
    """Send SIGHUP and wait until the log holds one more line with these words."""
    before = daemon.count(*words)
    daemon.signal(signal.SIGHUP)
    eventually(lambda: daemon.count(*words) > before, f"{words} in the log")


def without(models: Path) -> None:
    (weights,) = models.glob("body_region/*/model.tflite")
    weights.unlink()


def altered(models: Path) -> None:
    (weights,) = models.glob("body_region/*/model.tflite")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.write_bytes(content)


@pytest.mark.parametrize("harm", [without, altered])
def test_a_model_that_is_missing_or_altered_costs_only_what_needs_it(
    tmp_path: Path, daemon: Callable[..., Daemon], harm: Callable[[Path], None]
) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models", models)
    harm(models)
    assert load_catalog(models).of("body_region") is None
    made = daemon(models={"folder": str(models)})
    made.start()
    assert made.says('"model.unavailable"', "body_region")
    send(made.port, drawn(tmp_path, "1.2.3.1", 5))
    eventually(lambda: made.judged(1), "judged")
    found = result(made)
    assert found.inference is not None
    reasons = {each.target: each.reason for each in found.inference.predictions}
    assert str(reasons["body_region"]) == "model_unavailable"
    assert found.outcomes is not None
    left = {each.rule: each.reason for each in found.outcomes.not_evaluated}
    assert "REGION-001" in left
    assert "model_unavailable" in left["REGION-001"]
    assert made.terminate() == 0
    check_judged_once(made)


def test_a_broken_rule_file_refuses_the_start_and_is_named(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "broken.yaml").write_text(BROKEN)
    made = daemon(rules={"folders": [str(rules)]})
    made.spawn()
    assert made.ended() == 2
    assert made.says(f"{rules}/broken.yaml:3", "nonsense")
    assert not made.says("Traceback")


def test_a_wrong_configuration_refuses_the_start_and_is_named(
    daemon: Callable[..., Daemon],
) -> None:
    made = daemon(assembly={"quiet_s": "soon"})
    made.spawn()
    assert made.ended() == 2
    assert made.says("service.yaml", "quiet_s")
    assert not made.says("Traceback")


def test_a_wrong_reload_keeps_what_was_in_force_and_a_right_one_takes_effect(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "one.yaml").write_text(NEW_RULE)
    made = daemon(rules={"folders": [str(rules)]}, assembly={"quiet_s": 1})
    made.start()
    series = drawn(tmp_path, "1.2.3.1", 6)
    send(made.port, series, ["1.2.3.1.1", "1.2.3.1.2"])
    eventually(lambda: made.judged(1), "judged")
    assert "SITE-001" in findings(made)

    (rules / "two.yaml").write_text(BROKEN)
    told(made, "configuration.rejected", "two.yaml:3", "worker")
    (rules / "two.yaml").unlink()
    right = made.configuration.read_text()
    made.configuration.write_text(right + "nonsense: 1\n")
    told(made, "configuration.rejected", "nonsense", "receiver")
    send(made.port, series, ["1.2.3.1.3"])
    eventually(lambda: revision(made) == 2 and made.judged(1), "judged again")
    assert "SITE-001" in findings(made)

    made.configure(rules={"disabled": ["SITE-001"]})
    told(made, "configuration.reloaded", "worker")
    send(made.port, series, ["1.2.3.1.4"])
    eventually(lambda: revision(made) == 3 and made.judged(1), "judged without the rule")
    assert "SITE-001" not in findings(made)
    assert made.terminate() == 0


def revision(daemon: Daemon) -> int:
    (row,) = daemon.series()
    return row.revision


def test_a_reload_changes_who_may_send(tmp_path: Path, daemon: Callable[..., Daemon]) -> None:
    made = daemon("receiver")
    made.start()
    series = drawn(tmp_path, "1.2.3.1", 2)
    assert send(made.port, series).acknowledged == set(series.bodies)
    made.configure(receiver={"calling_ae_titles": ["OTHER"]})
    told(made, "configuration.reloaded")
    assert send(made.port, series).acknowledged == set()
    assert made.says("association.refused", "STORESCU")
    made.configure(receiver={"calling_ae_titles": ["OTHER", "STORESCU"]})
    told(made, "configuration.reloaded")
    assert send(made.port, series).acknowledged == set(series.bodies)
    assert made.terminate() == 0


@pytest.mark.parametrize(
    "change", [{"receiver": {"ae_title": "ELSE"}}, {"store": {"lock_timeout_s": 7}}]
)
def test_what_only_a_new_start_can_change_is_said_to_be_so(
    daemon: Callable[..., Daemon], change: dict[str, Any]
) -> None:
    made = daemon("receiver")
    made.start()
    made.configure(**change)
    ((section, values),) = change.items()
    key = "store" if section == "store" else f"{section}.{next(iter(values))}"
    told(made, "configuration.rejected", key, "new start")
    assert yaml.safe_load(made.configuration.read_text())[section].items() >= values.items()
    assert made.terminate() == 0
