"""UIDs of work items."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.queue.workitems.contents import is_uid
from qa_daemon.queue.workitems.identity import finding_of, uid_of

KEY, OTHER = b"k" * 32, b"o" * 32
NUMBERS = st.integers(1, (1 << 62) - 1)


@given(NUMBERS)
def test_a_uid_stands_for_one_finding_of_one_service(number: int) -> None:
    uid = uid_of(number, KEY)
    assert is_uid(uid)
    assert finding_of(uid, KEY) == number
    assert finding_of(uid, OTHER) is None
    made = uuid.UUID(int=int(uid.removeprefix("2.25.")))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


@given(st.text(max_size=70))
def test_whatever_is_asked_for_is_nobodys_unless_we_made_it(asked: str) -> None:
    assert finding_of(asked, KEY) is None


@pytest.mark.parametrize("change", [1, 1 << 62, 1 << 70, 1 << 127])
def test_a_neighbouring_uid_is_not_found_by_guessing(change: int) -> None:
    number = int(uid_of(7, KEY).removeprefix("2.25."))
    assert finding_of(f"2.25.{number ^ change}", KEY) is None
