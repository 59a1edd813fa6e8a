"""What is said of findings, in both languages, and how dates and figures are written."""

import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qa_daemon.language.speech import Speech, speech
from qa_daemon.language.texts import LANGUAGES, texts_in
from qa_daemon.language.wording import Wording, wording_of
from qa_daemon.records.finding import Finding
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.prove import facts_of
from qa_daemon.rules.schema import Outcome, RulePack
from qa_daemon.suggest.propose import propose

RULES = Path(__file__).resolve().parents[2] / "rules"
#: A line of the list holds some 60 characters at 1280 px; the rest ends in dots.
SENTENCE_LENGTH_MAX = 72
#: Words that no technician should read of a finding.
BANNED = re.compile(
    r"\b(AI|KI|anomal\w+|invalid|ungültig\w*|error|Fehler|please|bitte)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack({str(file): file.read_text() for file in sorted(RULES.rglob("*.yaml"))})


@pytest.fixture(scope="module")
def found(pack: RulePack) -> list[Finding]:
    """Every finding of every case of every shipped rule, suggestions attached."""
    findings: list[Finding] = []
    for rule in pack.rules.values():
        for case in rule.cases:
            if case.outcome is Outcome.FINDING:
                facts = facts_of(rule, case)
                said = judged(rule, facts).findings
                findings.extend(propose(rule, finding, facts) for finding in said)
    return findings


@pytest.fixture(params=LANGUAGES)
def tongue(request: pytest.FixtureRequest) -> Speech:
    return speech(request.param)


def names(language: str, context: str) -> set[str]:
    return {name for found, name in texts_in(language).forms if found == context}


def placeholders(text: str) -> set[str]:
    return {part for _, part, _, _ in string.Formatter().parse(text) if part}


def test_every_shipped_rule_has_a_sentence_that_needs_nothing(
    pack: RulePack, tongue: Speech
) -> None:
    silent = [rule for rule in sorted(pack.rules) if not tongue.sentence(Wording(rule))]
    assert silent == []


def test_the_catalogue_speaks_of_no_rule_that_is_not_shipped(
    pack: RulePack, tongue: Speech
) -> None:
    spoken_of = {name.split()[0] for name in names(tongue.language, "finding")}
    assert spoken_of == set(pack.rules)


def test_what_every_case_of_every_rule_finds_is_said_in_one_line(
    found: list[Finding], tongue: Speech
) -> None:
    assert len(found) > 250
    said = {tongue.sentence(wording_of(finding)) or "" for finding in found}
    assert all(said)
    assert [text for text in said if placeholders(text) or BANNED.search(text)] == []
    assert [text for text in said if len(text) > SENTENCE_LENGTH_MAX] == []


def test_both_catalogues_hold_the_same_sentences_with_the_same_parts() -> None:
    for context in ("finding", "part", "side"):
        assert names("en", context) == names("de", context)
    english, german = texts_in("en"), texts_in("de")
    for (context, name), forms in english.forms.items():
        other = german.forms[context, name]
        assert len(forms) == len(other), name
        assert placeholders(forms[-1]) == placeholders(other[-1]), name


def test_the_sentence_names_what_is_known_and_nothing_that_is_not(tongue: Speech) -> None:
    whole = Wording("REGION-001", parts={"found": "HAND", "shown": "SHOULDER"})
    assert tongue.sentence(whole) == {
        "en": "Tagged HAND, but the pictures show a shoulder",
        "de": "Getaggt als HAND, Bilder zeigen eine Schulter",
    }[tongue.language]  # fmt: skip
    assert tongue.sentence(Wording("REGION-001", parts={"found": "HAND"})) == {
        "en": "The pictures show another body part than the tag",
        "de": "Bilder zeigen eine andere Körperregion als das Tag",
    }[tongue.language]  # fmt: skip


def test_a_variant_of_a_rule_has_its_own_sentence() -> None:
    english = speech("en")
    said = {english.sentence(Wording("ORIENT-005", each)) for each in
            ("", "mirror", "quarter", "half", "mirror quarter", "mirror half")}  # fmt: skip
    assert len(said) == 6


def test_one_slice_and_several_are_said_by_the_catalogues_rule() -> None:
    german = speech("de")
    assert german.sentence(Wording("GEOM-004", count=1)) == (
        "1 Schicht ist anders gedreht als die übrigen"
    )
    assert german.sentence(Wording("GEOM-004", count=1200)) == (
        "1.200 Schichten sind anders gedreht als die übrigen"
    )


def test_a_rule_of_the_site_that_no_catalogue_knows_has_no_sentence() -> None:
    assert speech("de").sentence(Wording("SITE-001")) is None


def test_a_term_that_nobody_has_translated_stands_as_it_is_stored() -> None:
    assert speech("de").part("SUPTHYROIDA") == "SUPTHYROIDA"


def test_no_value_that_might_name_a_patient_gets_into_a_sentence(found: list[Finding]) -> None:
    told = [wording_of(finding) for finding in found if finding.topic == "identity"]
    assert {text for wording in told for text in wording.parts.values()} <= {"MALE", "f", "F"}


def test_dates_and_figures_are_written_as_the_language_writes_them() -> None:
    at = datetime(2026, 11, 20, 10, 42, tzinfo=UTC)
    english, german = speech("en"), speech("de")
    assert (english.day(at, UTC), german.day(at, UTC)) == ("20 Nov 2026", "20.11.2026")
    assert (english.time(at, UTC), german.time(at, UTC)) == ("10:42", "10:42")
    assert (english.number(12345), german.number(12345)) == ("12,345", "12.345")
    assert [english.percent(each) for each in (None, 0.0004, 0.97, 0.9996, 1.0)] == [
        "\N{EN DASH}", "under 0.1 %", "97\N{HAIR SPACE}%", "99\N{HAIR SPACE}%",
        "100\N{HAIR SPACE}%",
    ]  # fmt: skip


def test_ages_are_told_in_the_greatest_unit_that_fits() -> None:
    english, german = speech("en"), speech("de")
    spans = [timedelta(seconds=5), timedelta(minutes=12), timedelta(hours=5), timedelta(days=2)]
    assert [english.age(span) for span in spans] == ["now", "12 min", "5 h", "2 d"]
    assert [german.age(span) for span in spans] == ["jetzt", "12 min", "5 h", "2 d"]
    assert english.age(timedelta(seconds=-5)) == "now"


def test_an_unknown_language_falls_back_to_english() -> None:
    assert speech("fr").language == "en"


def test_a_text_that_is_not_translated_is_said_in_english() -> None:
    assert speech("de").say("Nobody has translated {this}", this=7) == "Nobody has translated 7"


def test_a_list_of_words_ends_as_the_language_ends_it() -> None:
    assert speech("en").listed(["a", "b", "c"]) == "a, b and c"
    assert speech("de").listed(["a", "b"]) == "a und b"
