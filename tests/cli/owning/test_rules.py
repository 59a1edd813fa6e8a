"""The commands about rules, as somebody who owns rules types them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from qa_daemon.cli.owning.book import with_folder
from qa_daemon.config.settings import Settings
from qa_daemon.grounds.rulebook import rules_as_written
from qa_daemon.rules.catalogue.reference import reference
from tests.cli.conftest import Run, drawn
from tests.cli.test_admin import judged, received

LONG: int = 40_000  # days: whatever was received
OWN = """
id: SITE-001
title: The Accession Number is not one of ours
topic: order
severity: {severity}
status: stable
version: 1
level: series
rationale: Ours are two letters and six digits (PS3.3 C.7.2.1).
applies_when: {{fact: tag.AccessionNumber, filled: true}}
check: {{fact: tag.AccessionNumber, matches: '[A-Z]{{2}}[0-9]{{6}}'}}
cases:
  - {{name: typed by hand, tags: {{AccessionNumber: "12345"}}, outcome: finding}}
  - {{name: one of ours, tags: {{AccessionNumber: RX123456}}, outcome: passed}}
"""

VISIT = """
id: SITE-002
title: A visit of more than one series
topic: order
severity: minor
status: stable
version: 1
level: visit
rationale: One will do (PS3.3 A.1.2).
check: {fact: study.series, at_most: 1}
cases:
  - {name: two, series: [{tags: {Modality: CT}}, {tags: {Modality: CT}}], outcome: finding}
  - {name: one, tags: {Modality: CT}, outcome: passed}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [
        *drawn(folder, AccessionNumber="RX123456"),
        *drawn(folder, "wrong", BodyPartExamined="KNEE", AccessionNumber="4711"),
    ]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, files: list[Path]) -> Path:
    """Return the state folder of a service that has judged a clean and a wrong series."""
    folder = tmp_path_factory.mktemp("served") / "state"
    folder.mkdir()
    received(folder, files)
    judged(folder)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "accession.yaml").write_text(OWN.format(severity="minor"))
    return tmp_path / "own"


# --- the rules themselves ------------------------------------------------------------------------


def test_a_folder_is_tried_without_a_configuration(run: Run, own: Path) -> None:
    assert "SITE-001" in run("rules", "list", "--rules", own).out
    assert "SITE-001" not in run("rules", "list").out
    (own / "accession.yaml").write_text(OWN.format(severity="minor").replace("{8}", "x"))
    ran = run("rules", "test", "--rules", own)
    assert (ran.status, "0 failed" in ran.out) == (0, True)
    (own / "accession.yaml").write_text(OWN.format(severity="minor").replace("6}", "5}"))
    ran = run("rules", "test", "--rules", own)
    assert ran.status == 1
    assert "case 'one of ours': wanted passed, got finding" in ran.out


def test_what_is_doubtful_is_told(run: Run, own: Path, tmp_path: Path) -> None:
    text = OWN.format(severity="minor").replace("applies_when", "# applies_when")
    (own / "accession.yaml").write_text(text)
    (tmp_path / "service.yaml").write_text(
        "rules:\n  folders: [own]\n  shipped: false\n  changes:\n    SITE-001: {severity: info, "
        "reason: tried, owner: M. Meier, until: 2020-01-31}\n"
    )
    ran = run("rules", "lint", "--config", tmp_path / "service.yaml")
    assert ran.status == 1
    first, second, last = ran.out.splitlines()
    assert "rule SITE-001: it fires where the element is absent" in first
    assert second == "service.yaml: rules.changes.SITE-001: ended on 2020-01-31, ask M. Meier"
    assert last == "1 rules: 2 remarks"
    checked = run("config", "check", "--config", tmp_path / "service.yaml")
    assert "ended on 2020-01-31, ask M. Meier; it does not count any more" in checked.out


def test_a_rule_that_cannot_be_read_is_told_with_its_line(
    run: Run, own: Path, tmp_path: Path
) -> None:
    (own / "accession.yaml").write_text(OWN.format(severity="loud"))
    (tmp_path / "service.yaml").write_text("rules: {folders: [own], shipped: false}\n")
    for command in ("list", "test", "lint", "docs"):
        ran = run("rules", command, "--config", tmp_path / "service.yaml")
        assert ran.status == 2
        assert "accession.yaml:5: rule SITE-001: unknown severity 'loud'" in ran.err


def test_the_catalogue_is_one_page(run: Run, own: Path, tmp_path: Path) -> None:
    page = tmp_path / "rules.html"
    assert run("rules", "docs", "--rules", own, "--out", page).status == 0
    text = page.read_text()
    for rule in rules_as_written(with_folder(Settings(), own)).rules:
        assert f"id='{rule}'" in text
    assert not re.search(r"https?://|src=|<link|@import|url\(", text)
    ran = run("rules", "docs", "--out", tmp_path / "none" / "rules.html")
    assert (ran.status, "cannot be written" in ran.err) == (2, True)


def test_reference_and_schema_go_to_the_output(run: Run) -> None:
    assert run("rules", "docs", "--reference").out == reference()
    assert run("rules", "schema").document["title"] == "A rule of qa-daemon"


def test_the_rule_of_the_readme_shows_in_the_queue(
    run: Run, files: list[Path], tmp_path: Path
) -> None:
    (text,) = re.findall(r"```yaml\n(id: SITE.*?)```", Path("README.md").read_text(), re.DOTALL)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "accession.yaml").write_text(text)
    (tmp_path / "service.yaml").write_text("rules: {folders: [ours]}\n")
    state = tmp_path / "state"
    state.mkdir()
    received(state, files[-1:])
    judged(state, tmp_path / "service.yaml")
    ran = run("queue", "list", "--state", state)
    assert "The Accession Number is not one of ours" in ran.out


# --- explain -------------------------------------------------------------------------------------


def test_rules_are_explained_with_what_they_saw(run: Run, own: Path, files: list[Path]) -> None:
    ran = run("rules", "explain", "all", files[0].parent, "--rules", own)
    assert ran.status == 0
    said = " ".join(ran.out.split())
    for rule in rules_as_written(Settings()).enabled:
        assert f"{rule.id} " in said
    assert "SITE-001 finding The Accession Number is not one of ours" in said
    assert "SITE-001 passed" in said
    assert "tag.AccessionNumber = 4711" in said
    assert "tag.AccessionNumber = RX123456" in said
    assert "needs body_region, at least 0.97 sure: enough" in said
    assert "REGION-001 finding" in said
    assert "tag.BodyPartExamined = KNEE" in said
    assert "Study 2.25" in said
    assert "Visit of 2 series" in said


def test_what_was_received_is_explained_by_key_or_uid_beside_its_visit(
    run: Run, own: Path, state: Path
) -> None:
    (own / "visit.yaml").write_text(VISIT)
    wrong, clean = json.loads(run("series", "list", "--json", "--state", state).out)
    ids = ("REGION-001", "SITE-001", "SITE-002")
    options = ("--rules", own, "--state", state)
    for name in (wrong["series_key"][:8], wrong["series_instance_uid"]):
        ran = run("rules", "explain", *ids, name, *options)
        said = " ".join(ran.out.split())
        assert [said.count(f"{rule} finding") for rule in ids] == [1, 1, 1]
        assert "Visit of 2 series" in said
        assert clean["series_instance_uid"] not in said
    both = (clean["study_instance_uid"], wrong["study_instance_uid"])
    said = " ".join(run("rules", "explain", "SITE-001", "SITE-002", *both, *options).out.split())
    assert (said.count("SITE-001 passed"), said.count("SITE-001 finding")) == (1, 1)
    assert said.count("SITE-002 finding") == 1


def test_what_cannot_be_explained_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("rules", "explain", "REGION-999", tmp_path)
    assert (ran.status, "did you mean REGION-0" in ran.err) == (2, True)
    ran = run("rules", "explain", "REGION-001", tmp_path)
    assert (ran.status, "no readable object is there" in ran.err) == (2, True)
    ran = run("rules", "explain", "REGION-001", "REGION-002")
    assert (ran.status, "name what is to be explained" in ran.err) == (2, True)
    (tmp_path / "state").mkdir()
    ran = run("rules", "explain", "REGION-001", "1.2.3", "--state", tmp_path / "state")
    assert (ran.status, "no study of this UID was received" in ran.err) == (2, True)


# --- what would change ---------------------------------------------------------------------------


def replayed(run: Run, *arguments: object) -> dict[str, Any]:
    return run("rules", "replay", "--days", LONG, "--json", *arguments).document


def test_new_rules_are_replayed_over_what_was_received(run: Run, own: Path, state: Path) -> None:
    shipped = (Path("rules") / "body_part" / "against_pixels.yaml").read_text()
    (own / "region.yaml").write_text(shipped.replace("severity: major", "severity: info", 1))
    found = replayed(run, "--rules", own, "--state", state)
    changed, new = found["differences"]
    assert (new["rule"], new["way"], new["before"]) == ("SITE-001", "new", [])
    assert new["after"][0]["severity"] == "minor"
    assert found["rules"]["SITE-001"] == {"before": 0, "after": 1}
    assert (changed["rule"], changed["way"]) == ("REGION-001", "changed")
    assert changed["before"][0]["severity"] == "major"
    assert changed["after"][0]["severity"] == "info"


def test_rules_over_a_visit_are_replayed_once_for_each_visit(
    run: Run, own: Path, state: Path
) -> None:
    (own / "accession.yaml").write_text(VISIT)
    (found,) = replayed(run, "--rules", own, "--state", state)["differences"]
    studies = {
        each["study_instance_uid"]
        for each in json.loads(run("series", "list", "--json", "--state", state).out)
    }
    assert (found["rule"], found["way"]) == ("SITE-002", "new")
    assert found["subject"] == f"visit {' '.join(sorted(studies))}"


def test_the_rules_in_force_are_held_against_what_was_said(
    run: Run, state: Path, tmp_path: Path
) -> None:
    ran = run("rules", "replay", "--days", LONG, "--state", state)
    assert "nothing would differ" in ran.out
    (tmp_path / "service.yaml").write_text(f"state: {state}\nrules: {{disabled: [REGION-001]}}\n")
    ran = run("rules", "replay", "--days", LONG, "--config", tmp_path / "service.yaml")
    said = " ".join(ran.out.split())
    assert "gone REGION-001" in said
    assert "major Body Part Examined says KNEE" in said
    assert "1 difference" in said


def test_models_are_tried_dry(run: Run, state: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "service.yaml").write_text(f"state: {state}\nmodels: {{folder: models}}\n")
    dry = ("series", "recheck", "--dry-run", "--config", tmp_path / "service.yaml")
    found = run(*dry, "--days", LONG, "--json").document["differences"]
    assert "REGION-001" in {each["rule"] for each in found if each["way"] == "gone"}
    states = json.loads(run("series", "list", "--json", "--state", state).out)
    assert sorted(each["state"] for each in states) == ["clean", "waiting"]
    ran = run(*dry, "KEY")
    assert (ran.status, "--dry-run wants --days N" in ran.err) == (2, True)
