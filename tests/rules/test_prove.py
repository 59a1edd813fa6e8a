"""The shipped rules hold their own cases, and the prover tells when one does not."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.prove import prove
from qa_daemon.rules.reading.proposals import SOURCES as WORDED
from qa_daemon.rules.schema import Outcome, RulePack
from qa_daemon.suggest.propose import REGISTERED, SOURCES, propose

Text = Callable[..., str]

CT = {"Modality": "CT"}


def test_every_case_of_every_shipped_rule_comes_out_as_it_says(shipped_pack: RulePack) -> None:
    failures = prove(shipped_pack, propose)
    assert not failures, "\n".join(map(str, failures))


def test_every_shipped_rule_has_a_case_that_fires_and_one_that_does_not(
    shipped_pack: RulePack,
) -> None:
    for rule in shipped_pack.rules.values():
        fires = [case.outcome is Outcome.FINDING for case in rule.cases]
        assert any(fires), rule.path
        assert not all(fires), rule.path


def test_every_shipped_rule_says_where_the_standard_says_so(shipped_pack: RulePack) -> None:
    for rule in shipped_pack.rules.values():
        assert re.search(r"PS3\.[0-9]+", rule.rationale), rule.path
        assert re.fullmatch(r"[A-Z]+-[0-9]{3}", rule.id), rule.path
        assert all(case.name for case in rule.cases), rule.path


def test_every_shipped_rule_says_when_it_errs(shipped_pack: RulePack) -> None:
    for rule in shipped_pack.rules.values():
        assert rule.known_false_positives, rule.path


def test_every_registered_check_is_used_by_a_shipped_rule() -> None:
    texts = "".join(path.read_text() for path in Path("rules").rglob("*.yaml"))
    for name in (*SERIES_CHECKS, *STUDY_CHECKS):
        assert f"registered: {name}" in texts


def test_the_ways_of_suggesting_that_rules_may_name_are_there(rule_text: Text) -> None:
    for name in REGISTERED:
        assert load_pack({"rules/a.yaml": rule_text(suggest={"registered": name})}).rules
    assert set(SOURCES) == set(WORDED)
    arguments = {
        "from_fact": "tag.Modality",
        "from_table": {"A": "B"},
        "from_check": True,
    }
    for source in SOURCES:
        suggest = {"replace": "Modality", source: arguments.get(source, "plane")}
        assert load_pack({"rules/a.yaml": rule_text(suggest=suggest)}).rules


#: Proposed by the pre-scan but refused there, so that no rule ever sees them.
REFUSED_KINDS = frozenset(
    """
    archive archive-unsafe cannot-understand context-not-accepted deflate-broken empty
    not-a-storage-class not-dicom nesting-too-deep out-of-resources too-large
    transfer-syntax-unknown uid-missing wait
    """.split()  # noqa: SIM905  a table reads better as text
)
#: Found by rules of their own, from the values themselves.
OTHERWISE_FOUND = frozenset(
    """
    charset-unknown iop-invalid iop-missing iop-not-orthonormal ipp-implausible ipp-invalid
    laterality-invalid
    patient-position-invalid pixel-spacing-invalid uid-reused window-invalid
    """.split()  # noqa: SIM905  a table reads better as text
)


def kinds_with_rules(pack: RulePack) -> set[str]:
    texts = "".join(Path(rule.path).read_text() for rule in pack.rules.values())
    listed = re.findall(r"free_of:\s*(\[[^\]]*\]|(?:\n\s+- [a-z0-9-]+)+)", texts)
    return set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", " ".join(listed)))


@pytest.mark.shared
def test_every_irregularity_of_the_hostile_corpus_has_a_rule(
    shipped_pack: RulePack, shared_data: Path
) -> None:
    script = (shared_data / "nasty" / "make_nasty.py").read_text()
    known = kinds_with_rules(shipped_pack) | OTHERWISE_FOUND | REFUSED_KINDS
    wanted = set(re.findall(r"finding:([a-z0-9]+(?:-[a-z0-9]+)+)", script))
    assert len(wanted) > 30
    assert sorted(wanted - known) == []


def test_every_irregularity_that_the_rooms_note_has_a_rule(shipped_pack: RulePack) -> None:
    noting = re.compile(r'(?:add|note|Irregularity|Undecodable)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)+)"')
    rooms = [
        path
        for room in ("dicom", "pixels", "predict")
        for path in Path(f"qa_daemon/{room}").rglob("*.py")
    ]
    noted = {kind for path in rooms for kind in noting.findall(path.read_text())}
    assert len(noted) > 20
    known = kinds_with_rules(shipped_pack) | OTHERWISE_FOUND | REFUSED_KINDS
    assert sorted(noted - known) == []


def test_a_case_that_fails_is_told_with_what_was_wanted(rule_text: Text) -> None:
    pack = load_pack(
        {
            "rules/a.yaml": rule_text(
                cases=[
                    {"name": "a", "tags": CT, "outcome": "finding"},
                    {"name": "b", "outcome": "finding", "severity": "critical"},
                    {"name": "c", "outcome": "finding", "proposes": ["CT"]},
                    {"name": "d", "outcome": "finding", "proposes": []},
                ]
            )
        }
    )
    assert [str(failure) for failure in prove(pack, propose)] == [
        "rules/a.yaml: rule TEST-001: case 'a': wanted finding, got passed",
        "rules/a.yaml: rule TEST-001: case 'b': wanted severity critical, got minor",
        "rules/a.yaml: rule TEST-001: case 'c': wanted proposes ['CT'], got []",
    ]


def test_a_case_that_proposes_unasked_is_told(rule_text: Text) -> None:
    text = rule_text(
        check={"fact": "tag.Modality", "equals": "CT"},
        suggest={"replace": "Modality", "with": "CT"},
        cases=[{"name": "a", "tags": {"Modality": "MR"}, "outcome": "finding", "proposes": []}],
    )
    (failure,) = prove(load_pack({"rules/a.yaml": text}), propose)
    assert failure.got == "['CT']"


def test_a_case_that_ends_in_no_verdict_tells_why(rule_text: Text) -> None:
    text = rule_text(
        needs=[{"prediction": "body_region"}],
        cases=[{"name": "a", "tags": CT, "predictions": {"body_region": {}}, "outcome": "passed"}],
    )
    (failure,) = prove(load_pack({"rules/a.yaml": text}))
    assert failure.got == "not_evaluated (body_region: low_probability)"


def test_the_facts_of_shipped_rules_are_read(shipped_pack: RulePack) -> None:
    texts = "".join(Path(rule.path).read_text() for rule in shipped_pack.rules.values())
    assert set(re.findall(r"tag\.([A-Za-z]+)", texts)) <= set(KEYWORDS)
