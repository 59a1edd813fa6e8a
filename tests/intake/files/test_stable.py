"""Which files lie still."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.intake.files.stable import (
    FOLDERS_DEEP_MAX,
    Signature,
    Stability,
    files_below,
    is_unfinished,
)

A = Path("/in/a.dcm")


def signature(size: int = 10, mtime_ns: int = 1, mode: int = 0o100000) -> Signature:
    return Signature(1, 2, size, mtime_ns, mode)


def paths(found: Iterable[tuple[Path, Signature]], below: Path) -> list[str]:
    return [str(path.relative_to(below)) for path, _ in found]


def test_a_file_is_still_once_it_has_not_changed_for_the_quiet_time() -> None:
    stability = Stability(quiet_s=2.0)
    assert stability.still({A: signature()}, 100.0) == ([], 2.0)
    assert stability.still({A: signature()}, 101.5) == ([], 0.5)
    assert [each.path for each in stability.still({A: signature()}, 102.0)[0]] == [A]


@pytest.mark.parametrize("changed", [signature(size=11), signature(mtime_ns=2)])
def test_a_change_of_size_or_time_begins_the_quiet_time_anew(changed: Signature) -> None:
    stability = Stability(quiet_s=2.0)
    stability.still({A: signature()}, 100.0)
    assert stability.still({A: changed}, 101.9) == ([], 2.0)
    assert stability.still({A: changed}, 103.8)[0] == []
    assert stability.still({A: changed}, 103.9)[0] != []


@pytest.mark.parametrize(
    ("path", "seen"),
    [(Path("/in/.a.dcm.Xy12Z"), signature()), (A, signature(size=0))],
)
def test_dotted_and_empty_files_wait_longer(path: Path, seen: Signature) -> None:
    stability = Stability(quiet_s=2.0)
    assert stability.still({path: seen}, 0.0) == ([], 10.0)
    assert stability.still({path: seen}, 9.9)[0] == []
    assert stability.still({path: seen}, 10.0)[0] != []


def test_a_file_that_was_away_begins_anew() -> None:
    stability = Stability(quiet_s=2.0)
    stability.still({A: signature()}, 0.0)
    stability.still({}, 1.0)
    assert stability.still({A: signature()}, 3.0) == ([], 2.0)


def test_a_file_that_could_not_be_moved_away_is_left_until_it_changes() -> None:
    stability = Stability(quiet_s=2.0)
    stability.left[A] = signature()
    stability.still({A: signature()}, 0.0)
    assert stability.still({A: signature()}, 9.0) == ([], float("inf"))
    assert stability.still({A: signature(size=11)}, 10.0) == ([], 2.0)
    assert not stability.left


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 2)), max_size=30))
def test_no_file_is_ever_taken_before_it_lay_still(steps: list[tuple[float, int]]) -> None:
    stability, now, last_change, last_size = Stability(quiet_s=2.0), 0.0, 0.0, -1
    for wait_s, size in steps:
        now += wait_s
        if size != last_size:
            last_change, last_size = now, size
        ready, next_s = stability.still({A: signature(size=size + 1)}, now)
        assert bool(ready) == (last_change + 2.0 - now <= 0)
        assert ready or next_s > 0


@pytest.mark.parametrize("name", ["a.part", "A.PART", "a.dcm.tmp", "x.filepart", "x.dcm~"])
def test_names_of_copies_in_progress_are_known(name: str) -> None:
    assert is_unfinished(name)
    assert not is_unfinished(name + ".dcm")


def test_files_are_found_in_order_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "b" / "done").mkdir(parents=True)
    (tmp_path / "done").mkdir()
    for name in ("z", "b/2", "b/1", "b/done/x", "done/y", "c.part"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = paths(files_below(tmp_path, frozenset(("done",))), tmp_path)
    assert found == ["b/1", "b/2", "b/done/x", "loop", "z"]


def test_a_folder_that_becomes_a_link_while_it_is_listed_is_not_followed(tmp_path: Path) -> None:
    watched, elsewhere = tmp_path / "watched", tmp_path / "elsewhere"
    for folder in (watched / "a", watched / "b" / "c", elsewhere / "c"):
        folder.mkdir(parents=True)
    for name in ("a/1", "b/c/2"):
        (watched / name).write_bytes(b"x")
    (elsewhere / "c" / "secret").write_bytes(b"x")
    found = files_below(watched, frozenset())
    first, _ = next(found)
    shutil.rmtree(watched / "b")
    (watched / "b").symlink_to(elsewhere)
    rest = paths(found, watched)
    assert first == watched / "a" / "1"
    assert rest == ["b"]  # the link itself, which is no regular file


def test_folders_nested_without_end_are_not_followed(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(FOLDERS_DEEP_MAX + 5):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("x", os.O_CREAT, dir_fd=here))
    os.close(here)
    assert list(files_below(tmp_path, frozenset())) == []
