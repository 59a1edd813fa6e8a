"""Where the reports of a series stand, for every UID that intake lets in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.pipeline.reports import report_paths

FOLDER = Path("/reports")


@given(uids=st.tuples(*[st.from_regex(r"\A[0-9A-Za-z]{1,9}(\.[0-9A-Za-z]{1,9}){0,5}\Z")] * 2))
def test_every_uid_that_comes_in_has_its_files_two_levels_below_the_folder(
    uids: tuple[str, str],
) -> None:
    for path in report_paths(FOLDER, *uids):
        assert path.parent.parent == FOLDER
        assert ".." not in path.parts


@pytest.mark.parametrize("uid", ["", ".", "..", "1/2", "../1", "1..2", "1.2\n", "a b", "\u0663"])
def test_what_intake_never_lets_in_becomes_no_path(uid: str) -> None:
    with pytest.raises(AssertionError):
        report_paths(FOLDER, "1", uid)
    with pytest.raises(AssertionError):
        report_paths(FOLDER, uid, "1")
