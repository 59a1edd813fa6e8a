"""The rules in force are the shipped ones as a site has changed them, until its days are over."""

from datetime import date
from pathlib import Path

import pytest

from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.dicom.elements import BASIC
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds.rulebook import (
    rulebook,
    rules_as_written,
    rules_in_force,
    vocabulary_in_force,
)
from qa_daemon.pipeline.engine import engine
from qa_daemon.records.finding import Severity
from qa_daemon.rules.schema import Registered

DAY = date(2027, 1, 15)
SIGNED = "reason: new scanner, owner: M. Meier, until:"
RULE = """
id: {id}
title: A rule of the site
topic: order
severity: minor
status: stable
version: 1
level: series
rationale: PS3.3
check: {{fact: {fact}, filled: true}}
"""


def settings_of(folder: Path, rules: str) -> Settings:
    path = folder / "service.yaml"
    path.write_text(f"state: {folder}\nrules:\n{rules}")
    return load_settings(path, {"HOME": str(folder)})


def test_a_site_changes_single_rules(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        f"""
  changes:
    GEOM-004: {{severity: info, options: {{degrees: 45}}, {SIGNED} 2027-01-15}}
    MODALITY-001: {{enabled: false, {SIGNED} 2027-03-01}}
    REGION-001: {{thresholds: {{body_region: 0.99}}, {SIGNED} 2027-03-01}}
    MODALITY-002: {{severity: info, {SIGNED} 2027-01-14}}
""",
    )
    book = rulebook(settings, DAY)
    rules = book.pack.rules
    assert rules["GEOM-004"].severity is Severity.INFO
    assert rules["GEOM-004"].check == Registered("planes_alike", {"degrees": 45})
    assert not rules["MODALITY-001"].is_enabled
    assert rules["REGION-001"].needs[0].probability == 0.99
    assert book.expired == ("rules.changes.MODALITY-002: ended on 2027-01-14, ask M. Meier",)
    assert book.until == DAY
    later = rulebook(settings, date(2027, 1, 16))
    assert later.pack.rules["GEOM-004"] == rules_as_written(settings).rules["GEOM-004"]
    assert later.until == date(2027, 3, 1)
    assert later.pack.digest != book.pack.digest
    assert rulebook(settings, date(2027, 1, 17)).pack.digest == later.pack.digest


def test_exceptions_are_given_to_the_rules_that_they_name(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        f"""
  exceptions:
    - {{rules: [GEOM-004, MODALITY-001], station: [CT1, CT2], {SIGNED} 2027-03-01}}
    - {{rules: ["*"], patient_id: [TEST*], {SIGNED} 2027-04-01}}
    - {{rules: [GEOM-004], ae_title: [OLD], {SIGNED} 2026-12-31}}
""",
    )
    book = rulebook(settings, DAY)
    where = [each.where for each in book.pack.rules["GEOM-004"].exceptions]
    assert where == [{"station": ("CT1", "CT2")}, {"patient_id": ("TEST*",)}]
    assert len(book.pack.rules["REGION-001"].exceptions) == 1
    assert book.expired == (
        "rules.exceptions: GEOM-004 (new scanner) ended on 2026-12-31, ask M. Meier",
    )


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (f"  changes: {{GEOM-999: {{{SIGNED} 2027-03-01}}}}", "rules.changes: there is no rule"),
        (f"  exceptions: [{{rules: [GEOM-999], {SIGNED} 2027-03-01}}]", "did you mean GEOM-0"),
        (f"  exceptions: [{{rules: ['*'], {SIGNED} 2027-03-01}}]", "leaves everything out"),
        (f"  changes: {{GEOM-004: {{options: {{d: 1}}, {SIGNED} 2027-03-01}}}}", "no option 'd'"),
        ("  changes: {GEOM-004: {severity: info}}", "`reason` is missing"),
        (f"  changes: {{GEOM-004: {{{SIGNED} soon}}}}", "is no day, write it as 2026-12-31"),
        (f"  changes: {{GEOM-004: {{severity: loud, {SIGNED} 2027-03-01}}}}", "is no severity"),
        (f"  exceptions: [{{station: [CT1], {SIGNED} 2027-03-01}}]", "`rules` is missing"),
        (f"  changes: {{GEOM-004: {{thresholds: {{veiw: 1}}, {SIGNED} 2027-03-01}}}}", "'veiw'"),
    ],
)
def test_what_a_site_got_wrong_is_told(tmp_path: Path, rules: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        rulebook(settings_of(tmp_path, rules), DAY)
    assert said in str(caught.value)


def test_a_code_of_orders_that_means_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("orders: {codes: {4711^99RIS: Sonderleistung, 4712^99RIS: Knie re.}}\n")
    with (
        pytest.raises(ConfigurationError, match=r"4711\^99RIS: the lexicon finds no part"),
        engine(load_settings(path, {"HOME": str(tmp_path)})),
    ):
        pass


def test_all_rules_that_are_not_there_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    rules = f"""
  disabled: [GEOM-998]
  changes:
    GEOM-999: {{{SIGNED} 2027-03-01}}
  exceptions:
    - {{rules: [GEOM-004, TIME-997], ae_title: [OLD], {SIGNED} 2027-12-31}}
"""
    with pytest.raises(ConfigurationError) as caught:
        rulebook(settings_of(tmp_path, rules), DAY)
    assert [line.partition(";")[0] for line in str(caught.value).splitlines()] == [
        f"{tmp_path}/service.yaml:{line}: rules.{key}: there is no rule {name}"
        for line, key, name in [
            (4, "disabled", "GEOM-998"), (6, "changes", "GEOM-999"), (8, "exceptions", "TIME-997"),
        ]
    ]  # fmt: skip


def test_a_rule_of_the_site_stands_in_for_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.yaml").write_text(RULE.format(id="MODALITY-001", fact="tag.Modality"))
    rules = rules_in_force(settings_of(tmp_path, "  folders: [own]")).rules
    assert rules["MODALITY-001"].title == "A rule of the site"
    assert rules["MODALITY-002"].path.startswith("rules/")


def test_the_elements_that_rules_name_are_in_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    path = tmp_path / "own" / "a.yaml"
    settings = settings_of(tmp_path, "  folders: [own]")
    path.write_text(RULE.format(id="OWN-1", fact="private.GEMS_IDEN_01.0009xx27"))
    assert (9, "GEMS_IDEN_01", 0x27) in vocabulary_in_force(settings).private
    path.write_text(RULE.format(id="OWN-1", fact="tag.VisitComments"))
    assert "VisitComments" in vocabulary_in_force(settings).by_tag.values()
    path.write_text("id: [")
    assert vocabulary_in_force(settings) == BASIC
