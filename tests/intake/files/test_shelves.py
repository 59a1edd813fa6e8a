"""Where files go afterwards."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.config.settings import AfterIntake
from qa_daemon.intake.files.shelves import (
    COLLISIONS_MAX,
    REASON_LINES_MAX,
    WATCHED_S,
    Shelves,
    shortened,
)
from qa_daemon.intake.files.stable import Candidate, Signature
from qa_daemon.records.finding import Rejection

NOT_DICOM = Rejection("a.zip!/x", "not_dicom", "no DICM and no data set", "not-dicom")


def candidate(path: Path, content: bytes = b"content") -> Candidate:
    path.write_bytes(content)
    return Candidate(path, Signature.of(path.lstat()))


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path, AfterIntake.MOVE)


def test_nobody_else_may_look_onto_the_shelves(tmp_path: Path, shelves: Shelves) -> None:
    (tmp_path / "sub").mkdir()
    assert shelves.put_away(candidate(tmp_path / "a"))
    assert shelves.reject(candidate(tmp_path / "sub" / "b"), (NOT_DICOM,))
    assert (tmp_path / "done").stat().st_mode & 0o007 == 0
    assert (tmp_path / "rejected").stat().st_mode & 0o007 == 0


def test_a_file_that_changed_meanwhile_stays_where_it_is(tmp_path: Path, shelves: Shelves) -> None:
    file = candidate(tmp_path / "a")
    file.path.write_bytes(b"longer content")
    assert not shelves.put_away(file)
    assert not shelves.reject(file, (NOT_DICOM,))
    assert file.path.read_bytes() == b"longer content"
    assert not list((tmp_path).rglob("*.txt"))


def test_a_file_that_vanished_is_not_moved(tmp_path: Path, shelves: Shelves) -> None:
    file = candidate(tmp_path / "a")
    file.path.unlink()
    assert not shelves.put_away(file)


def test_after_many_collisions_a_random_name_is_taken(tmp_path: Path, shelves: Shelves) -> None:
    for _ in range(COLLISIONS_MAX + 3):
        assert shelves.put_away(candidate(tmp_path / "a"))
    assert len(list((tmp_path / "done").iterdir())) == COLLISIONS_MAX + 3


def test_notes_lie_beside_a_file_that_was_taken(tmp_path: Path, shelves: Shelves) -> None:
    assert shelves.put_away(candidate(tmp_path / "DICOMDIR"), ("dicomdir-loop: a circle",))
    assert (tmp_path / "done" / "DICOMDIR.notes.txt").read_text() == "dicomdir-loop: a circle\n"


def test_the_reason_says_what_where_and_what_to_do(tmp_path: Path, shelves: Shelves) -> None:
    shelves.reject(candidate(tmp_path / "a.zip"), (NOT_DICOM,))
    assert (tmp_path / "rejected" / "a.zip.reason.txt").read_text().splitlines() == [
        "file: a.zip",
        "",
        "where: a.zip!/x",
        "reason: not_dicom (not-dicom)",
        "what: no DICM and no data set",
        "what to do: Nothing, if it was no DICOM file; else ask the sender for the original.",
    ]


def test_a_long_list_of_reasons_has_an_end(tmp_path: Path, shelves: Shelves) -> None:
    shelves.reject(candidate(tmp_path / "a"), (NOT_DICOM,) * (REASON_LINES_MAX + 7))
    told = (tmp_path / "rejected" / "a.reason.txt").read_text()
    assert told.endswith("and 7 more\n")
    assert told.count("what: ") == REASON_LINES_MAX


def test_a_file_that_is_written_on_its_shelf_is_brought_back(
    tmp_path: Path, shelves: Shelves
) -> None:
    first, second = candidate(tmp_path / "sub-a"), candidate(tmp_path / "b")
    with first.path.open("ab") as writing:
        assert shelves.put_away(first)
        assert shelves.reject(second, (NOT_DICOM,))
        assert shelves.bring_back(time.monotonic()) == 0
        writing.write(b" and more")
    (tmp_path / "rejected" / "b").write_bytes(b"more")
    assert shelves.bring_back(time.monotonic()) == 2
    assert first.path.read_bytes() == b"content and more"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["b", "sub-a"]


def test_a_shelf_is_watched_for_a_while_only(tmp_path: Path, shelves: Shelves) -> None:
    shelves.put_away(candidate(tmp_path / "a"))
    assert shelves.bring_back(time.monotonic() + 2 * WATCHED_S) == 0
    (tmp_path / "done" / "a").write_bytes(b"edited by the site later on")
    assert shelves.bring_back(time.monotonic()) == 0


def test_a_new_file_of_the_same_name_keeps_an_older_one_on_its_shelf(
    tmp_path: Path, shelves: Shelves
) -> None:
    shelves.put_away(candidate(tmp_path / "a"))
    (tmp_path / "done" / "a").write_bytes(b"written on")
    (tmp_path / "a").write_bytes(b"new")
    assert shelves.bring_back(time.monotonic()) == 0
    assert (tmp_path / "a").read_bytes() == b"new"


@given(st.binary(min_size=1, max_size=255).filter(lambda name: not set(name) & set(b"/\0")))
def test_a_shortened_name_fits_and_keeps_its_suffix(name: bytes) -> None:
    short = shortened(os.fsdecode(name), ".reason.txt")
    assert len(os.fsencode(short)) <= 255
    assert short.endswith(".reason.txt")
    assert os.fsencode(short)[:-11] == name[:244]
