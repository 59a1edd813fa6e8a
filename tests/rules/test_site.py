"""What a site makes otherwise in rules: options, thresholds, severities, and exceptions."""

from collections.abc import Callable, Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.errors import ConfigurationError
from qa_daemon.records.finding import Level, Severity, Topic
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import Context, SeriesFacts, StudyFacts
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.prove import case_series, prove
from qa_daemon.rules.schema import CaseSeries, Excepted, FactTest, Outcome, Registered, Rule, Status
from qa_daemon.rules.site import Change, changed, exception_for

Text = Callable[..., str]
Maker = Callable[..., Rule]


def excepting(**where: tuple[str, ...]) -> Excepted:
    return Excepted(where, "renamed in March", "M. Meier", "2027-03-31")


def facts(calling_ae: str = "", **tags: str) -> SeriesFacts:
    return SeriesFacts(case_series(CaseSeries(tags)), context=Context(calling_ae=calling_ae))


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({"station": ("ct1",)}, True),
        ({"station": ("CT2", "CT*")}, True),
        ({"station": ("CT",)}, False),
        ({"station": ("CT1",), "modality": ("MR",)}, False),
        ({"ae_title": ("SCAN*",), "protocol": ("*abdomen*",)}, True),
        ({"ae_title": ("OTHER",)}, False),
        ({"patient_id": ("TEST*",)}, True),
        ({"patient_name": ("*",)}, True),
    ],
)
def test_an_exception_fits_where_all_that_is_listed_fits(
    rule: Maker, where: Mapping[str, tuple[str, ...]], *, fits: bool
) -> None:
    images = facts(
        "SCANNER", StationName="CT1", Modality="CT", ProtocolName="Abdomen nativ", PatientID="TEST7"
    )
    exception = excepting(**where)
    made = attr_with(rule(check={"fact": "tag.Modality", "equals": "MR"}), exception)
    assert exception_for(made, images) == (exception if fits else None)
    judgement = judged(made, images)
    assert judgement.outcome is (Outcome.NOT_APPLICABLE if fits else Outcome.FINDING)
    if fits:
        said = "left out by the site until 2027-03-31: renamed in March (M. Meier)"
        assert judgement.reason == said
    study = StudyFacts((images.series,), images.context)
    of_study = judged(attr_with(rule(level="study"), exception), study)
    assert of_study.outcome is (Outcome.NOT_APPLICABLE if fits else Outcome.PASSED)


def attr_with(made: Rule, exception: Excepted) -> Rule:
    return evolve(made, exceptions=(exception,))


def star(text: str, pattern: str) -> bool:
    """Match by trying every length for the first star."""
    first, found, rest = pattern.partition("*")
    if not found:
        return text == pattern
    return text.startswith(first) and any(
        star(text[at:], rest) for at in range(len(first), len(text) + 1)
    )


@given(text=st.text("ab", max_size=8), pattern=st.text("ab*", max_size=6))
def test_a_star_stands_for_any_text(text: str, pattern: str) -> None:
    made = Rule(
        id="A",
        title="A rule",
        topic=Topic.ORDER,
        severity=Severity.INFO,
        status=Status.TEST,
        version=1,
        level=Level.SERIES,
        rationale="",
        check=FactTest("tag.Modality", "filled", operand=True),
        exceptions=(excepting(ae_title=(pattern,)),),
    )
    assert (exception_for(made, facts(text)) is not None) is star(text, pattern)


def test_severity_thresholds_and_the_switch_are_the_sites(rule: Maker) -> None:
    made = rule(needs=[{"prediction": "view", "probability": 0.9}, {"prediction": "plane"}])
    other = changed(
        made, Change(is_enabled=False, severity=Severity.INFO, thresholds={"view": 0.99})
    )
    assert [need.probability for need in other.needs] == [0.99, 0.0]
    assert (other.severity, other.is_enabled) == (Severity.INFO, False)
    assert changed(made, Change()) == made
    assert changed(rule(status="draft"), Change(is_enabled=True)).is_enabled
    assert not changed(rule(status="draft"), Change()).is_enabled
    assert not rule(enabled=False).is_enabled
    assert changed(rule(enabled=False), Change(is_enabled=True)).is_enabled


# --- options -------------------------------------------------------------------------------------

LENGTH = {"fact": "tag.StudyID", "length": {"at_most": "$longest"}}


def test_a_condition_takes_an_option_of_the_rule_or_of_the_site(rule_text: Text) -> None:
    text = rule_text(
        check={"all": [LENGTH, {"fact": "tag.StudyID", "matches": "$pattern"}]},
        options={"longest": 4, "pattern": "[A-Z]+"},
        cases=[
            {"name": "long", "tags": {"StudyID": "ABCDE"}, "outcome": "finding"},
            {"name": "short", "tags": {"StudyID": "ABCD"}, "outcome": "passed"},
        ],
    )
    assert not prove(load_pack({"rules/a.yaml": text}))
    other = load_pack({"rules/a.yaml": text}, {"TEST-001": {"longest": 5}})
    assert [failure.case for failure in prove(other)] == ["long"]
    assert other.digest != load_pack({"rules/a.yaml": text}).digest


def test_a_registered_check_takes_its_options_from_the_site(rule_text: Text) -> None:
    text = rule_text(check={"registered": "planes_alike", "degrees": 30})
    made = load_pack({"rules/a.yaml": text}, {"TEST-001": {"degrees": 45}}).rules["TEST-001"]
    assert made.check == Registered("planes_alike", {"degrees": 45})


@pytest.mark.parametrize(
    ("other", "site", "said"),
    [
        ({"check": LENGTH}, {}, "'$longest' is no option of this rule; it has none"),
        ({"check": LENGTH, "options": {"longets": 1}}, {}, "the nearest known is 'longets'"),
        ({"options": {"longest": 1}}, {}, "no condition uses $longest"),
        ({"options": {"No": 1}}, {}, "options are NAME: value"),
        ({"check": LENGTH, "options": {"longest": 1}}, {"long": 1}, "it has no option 'long'"),
        ({}, {"long": 1}, "it has none"),
        ({"check": LENGTH, "options": {"longest": 1}}, {"longest": "many"}, "'length' takes"),
        ({"enabled": "yes please"}, {}, "enabled is true or false"),
    ],
)
def test_options_that_do_not_fit_are_told(
    rule_text: Text, other: dict[str, object], site: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_pack({"rules/a.yaml": rule_text(**other)}, {"TEST-001": site})
    assert said in str(caught.value)
