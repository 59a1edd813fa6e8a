"""What the lexicon makes of descriptions as they are written in seven languages."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.lexicon.matching import wrong_letters
from qa_daemon.orders.lexicon.read import regions_named, regions_of_snomed
from qa_daemon.orders.lexicon.tokens import plain, tokens
from qa_daemon.orders.lexicon.vocabulary import LANGUAGES, Kind, canonical, vocabulary
from qa_daemon.records.order import NamedRegion

PHRASES = Path(__file__).with_name("phrases.csv")
#: Regions of this weight, or near the best, are meant; lighter ones are other possible readings.
MEANT = 0.6
NEAR_BEST = 0.95


def phrases() -> list[tuple[str, frozenset[tuple[str, str]]]]:
    with PHRASES.open(encoding="utf-8", newline="") as file:
        return [
            (
                row["text"],
                frozenset(
                    zip(row["regions"].split("|"), row["sides"].split("|"), strict=True)
                    if row["regions"]
                    else ()
                ),
            )
            for row in csv.DictReader(file)
        ]


def meant(named: tuple[NamedRegion, ...]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (each.region, each.side or "")
        for each in named
        if each.weight >= MEANT or each.weight >= NEAR_BEST * named[0].weight
    )


@pytest.mark.parametrize(("text", "wanted"), phrases())
def test_a_phrase_names_its_regions_and_sides(
    text: str, wanted: frozenset[tuple[str, str]]
) -> None:
    assert meant(regions_named(text)) == wanted


def test_each_language_has_its_phrases() -> None:
    with PHRASES.open(encoding="utf-8", newline="") as file:
        counts = Counter(row["language"] for row in csv.DictReader(file))
    assert sum(counts.values()) >= 400
    assert all(counts[language] >= 50 for language in LANGUAGES if language != "any")


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("CT sinus", "HEAD", "FACE"),
        ("XR leg", "LOWERLEG", "LOWERLIMB"),
        ("RX DEDO D", "FINGER", "TOE"),
        ("CT Schädel", "HEAD", "SKULL"),
        ("MRT Brust", "BREAST", "CHEST"),
        ("CT thoracic", "CHEST", "TSPINE"),
    ],
)
def test_an_ambiguous_word_gives_several_regions(text: str, first: str, second: str) -> None:
    named = regions_named(text)
    assert [each.region for each in named[:2]] == [first, second]
    assert named[0].weight > named[1].weight


@pytest.mark.parametrize(
    "text", ["LSPINE AP/L", "L5/S1", "T1 knee", "KNEE AP AND L", "Left lateral chest", "HIP W/O",
             "RX TOBILLO AP Y L", "Epaule d'enfant", "RT PLAN pelvis hip", "CT D12",
             "KNEE RE-DO", "Th12 L1", "TC D1 mano", "RE: knee pain", "HWS 4E", "ADDOME E PELVI"]
)  # fmt: skip
def test_letters_that_mean_something_else_are_no_sides(text: str) -> None:
    assert {each.side for each in regions_named(text)} <= {None}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("RX COTOV D", {("ELBOW", "R")}),  # cut by a field of twelve signs
        ("Ellenb. li.", {("ELBOW", "L")}),
        ("genou selon 3 incidences", {("KNEE", "")}),
        ("XR HIP LEFT, S/P RIGHT THR", {("HIP", "L")}),
        ("RX QUADRIL D E COXA E", {("HIP", "R"), ("THIGH", "L")}),
        ("RX RODILLA D E I", {("KNEE", "B")}),
        ("re. Schulter li. Hand", {("SHOULDER", "R"), ("HAND", "L")}),
        ("Knie L 2E", {("KNEE", "L")}),
        ("L ankle re-do", {("ANKLE", "L")}),
    ],
)
def test_cut_words_and_letters_between_sides(text: str, wanted: set[tuple[str, str]]) -> None:
    assert meant(regions_named(text)) == wanted


def test_a_part_without_a_side_gets_none() -> None:
    assert regions_named("left chest") == (NamedRegion("CHEST", None, 1.0),)


def test_a_snomed_code_is_its_term() -> None:
    assert regions_of_snomed("72696002") == ("KNEE",)
    assert regions_of_snomed("416775004") == ("CHEST", "ABDOMEN", "PELVIS")
    assert regions_of_snomed("1") == ()


def test_codes_of_older_editions_are_known() -> None:
    assert regions_of_snomed("43799004") == ("CHEST",)


def test_combined_terms_are_split_and_of_one_code_the_first_counts() -> None:
    assert canonical()["THORAX"] == ("CHEST",)
    assert canonical()["LSSPINE"] == ("LSPINE", "SSPINE")
    assert canonical()["WHOLEBODY"] == ("WHOLEBODY",)


def test_every_word_leads_to_atomic_terms_only() -> None:
    atomic = {term for terms in canonical().values() for term in terms}
    named = {
        region
        for entries in vocabulary().values()
        for entry in entries
        for region, _ in entry.regions
    }
    assert named <= atomic <= set(body_parts())


def test_every_term_of_the_table_names_itself() -> None:
    lost = {
        term
        for term, terms in canonical().items()
        if not set(terms) <= {each.region for each in regions_named(term)}
        and not {entry.kind for entry in vocabulary().get(term.lower(), ())} & {Kind.OTHER}
    }
    # these are words of some language, too, which then counts: Spanish hepática, Italian splenica
    assert lost <= {"LUMBAR", "BACK", "INTRACRANIAL", "ENDOVAGINAL", "ENDOMETRIUM", "HEPATICA",
                    "SPLENICA"}  # fmt: skip


def test_a_lost_letter_is_a_misspelt_one() -> None:
    assert meant(regions_named("Schl\ufffdsselbein re.")) == {("CLAVICLE", "R")}


def test_words_split_at_humps_and_digits() -> None:
    assert [token.plain for token in tokens("CTHead_ThoraxRoutine L5/S1 W/O")] == [
        "ct", "head", "thorax", "routine", "l", "5", "s", "1", "w", "o",
    ]  # fmt: skip


def test_plain_text_has_no_accents() -> None:
    assert plain("Œdème ÀÇÑÖß") == "oedeme acnoss"


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [("knee", "knee", 0), ("kene", "knee", 1), ("ankel", "ankle", 1), ("hip", "knee", 3)],
)
def test_wrong_letters_are_counted(one: str, other: str, wrong: int) -> None:
    assert wrong_letters(one, other, 2) == wrong


WORDS = sorted({row[0] for row in phrases()})


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)))
def test_any_text_gives_falling_weights_of_known_terms(text: str) -> None:
    named = regions_named(text)
    weights = [each.weight for each in named]
    assert weights == sorted(weights, reverse=True)
    assert all(0 < weight <= 1 for weight in weights)
    assert len({each.region for each in named}) == len(named)
    paired = {part.term for part in body_parts().values() if part.paired}
    assert all(each.side is None or each.region in paired for each in named)
