"""No value of a patient passes the filter, whatever key it comes under."""

import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.telemetry.facts import FORMS, WITHHELD, Pseudonym, Pseudonyms, SiteText, allowed

HOSTILE = (
    "DOE^JANE",
    "Doe, Jane",
    "19700101",
    "1.2.826.0.1.3680043.8.498.1",
    "PID-4711/1999",
    "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg",
    "x\n{'level': 'error'}",
    "\x1b[31mDOE",
    "A" * 5000,
)
AE_TITLES = {"ae_title", "called_ae_title", "calling_ae_title"}
PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_hostile_text_passes_under_any_key(value: str) -> None:
    passed = allowed(dict.fromkeys(FORMS.keys() - AE_TITLES, value), PSEUDONYMS)
    assert value not in {str(kept) for key, kept in passed.items() if key != "version"}
    assert all(value not in str(kept) for key, kept in passed.items() if key != "version")


def test_versions_are_numbers_with_dots_only() -> None:
    assert allowed({"version": "DOE^JANE"}, PSEUDONYMS) == {"version": WITHHELD}
    assert allowed({"version": "1.2.0"}, PSEUDONYMS) == {"version": "1.2.0"}


def test_an_unknown_key_is_dropped_and_counted() -> None:
    facts = {"patient_name": "DOE^JANE", "path": "/in/DOE^JANE.dcm", "instances": 3}
    assert allowed(facts, PSEUDONYMS) == {"instances": 3, "dropped": 2}


@given(st.text(max_size=40))
def test_a_key_of_an_object_is_always_sixteen_hex_digits(identifier: str) -> None:
    passed = allowed({"series_key": identifier}, PSEUDONYMS)
    assert re.fullmatch("[0-9a-f]{16}", str(passed["series_key"]))


def test_one_identifier_has_one_hash_under_one_key_and_another_under_another() -> None:
    assert PSEUDONYMS.of("1.2.3") == Pseudonyms(b"k" * 32).of(b"1.2.3")
    assert PSEUDONYMS.of("1.2.3") != Pseudonyms(b"l" * 32).of("1.2.3")
    assert allowed({"series_key": PSEUDONYMS.of("1.2.3")}, PSEUDONYMS) == {
        "series_key": PSEUDONYMS.of("1.2.3")
    }
    assert isinstance(PSEUDONYMS.of("1.2.3"), Pseudonym)


def test_rows_numbers_and_words_of_the_code_pass() -> None:
    class State(StrEnum):
        SETTLED = "settled"

    facts = {
        "series_key": 12,
        "to_state": State.SETTLED,
        "reason": "uid-missing",
        "error": "OperationalError",
        "rule": "REGION-001",
        "model": "axial_orientation@1.0",
        "address": "10.1.2.3",
        "duration_ms": 12.34567891,
        "sop_class": "1.2.840.10008.5.1.4.1.1.2",
    }
    assert allowed(facts, PSEUDONYMS) == {
        **facts,
        "to_state": "settled",
        "duration_ms": 12.345679,
    }


def test_a_value_without_the_form_of_its_key_is_withheld() -> None:
    facts = {"instances": "3", "address": "DOE", "where": "/a/b", "rule": "doe", "bytes": None}
    assert allowed(facts, PSEUDONYMS) == dict.fromkeys(
        ("instances", "address", "where", "rule"), WITHHELD
    )


def test_text_that_the_code_marked_as_the_sites_own_passes() -> None:
    assert allowed({"where": SiteText("/etc/service.yaml")}, PSEUDONYMS) == {
        "where": "/etc/service.yaml"
    }


def test_an_ae_title_keeps_its_letters_and_loses_control_characters() -> None:
    assert allowed({"calling_ae_title": " CT_1 "}, PSEUDONYMS) == {"calling_ae_title": "CT_1"}
    assert allowed({"calling_ae_title": "A\n^\x1b"}, PSEUDONYMS) == {"calling_ae_title": "A???"}
    assert allowed({"calling_ae_title": "A" * 17}, PSEUDONYMS) == {"calling_ae_title": WITHHELD}


def test_a_private_sop_class_is_hashed() -> None:
    passed = allowed({"sop_class": "1.2.3.4"}, PSEUDONYMS)
    assert passed == {"sop_class": PSEUDONYMS.of("1.2.3.4")}


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = Pseudonyms.kept_in(tmp_path / "state")
    place = tmp_path / "state" / "log.key"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert Pseudonyms.kept_in(tmp_path / "state") == first
    assert len(first.key) == 32
    assert [entry.name for entry in place.parent.iterdir()] == ["log.key"]
    assert "key" not in repr(first)


def test_roles_that_start_together_share_one_key(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def key(_: int) -> bytes:
        together.wait()
        return Pseudonyms.kept_in(tmp_path).key

    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(key, range(4)))
    assert len(keys) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["log.key"]
