"""`qa-daemon lexicon` in this process."""

import io
import json
import sys

import pytest

from qa_daemon.cli.main import main


def test_json_has_an_object_per_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lexicon", "--json", "RX JOELHO D AP/PERFIL", "Screen Save"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "text": "RX JOELHO D AP/PERFIL",
            "regions": [{"region": "KNEE", "side": "R", "weight": 1.0}],
        },
        {"text": "Screen Save", "regions": []},
    ]


def test_the_table_shows_text_region_and_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lexicon", "Hände bds.", "???"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["Hände", "bds.", "HAND", "both", "1.00"]
    assert second.split() == ["???", "nothing", "known"]


def test_a_dash_reads_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("CXR\nKUB\n"))
    assert main(["lexicon", "--json", "-"]) == 0
    named = json.loads(capsys.readouterr().out)
    assert [each["regions"][0]["region"] for each in named] == ["CHEST", "ABDOMEN"]


def test_what_is_no_utf_8_is_replaced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"knie \xff re\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", lines)
    assert main(["lexicon", "--json", "-", "knie \udcff re"]) == 0
    named = json.loads(capsys.readouterr().out)
    assert [each["text"] for each in named] == ["knie \ufffd re"] * 2
