"""Search keys of a worklist."""

from datetime import UTC, datetime

import pytest

from qa_daemon.errors import InputError
from qa_daemon.queue.workitems.identity import uid_of
from qa_daemon.queue.workitems.search import KEYS_MAX, filter_of
from qa_daemon.records.finding import Severity
from qa_daemon.store.workitems.list_rows import WorklistFilter

KEY = b"k" * 32


def found(*given: tuple[str, str]) -> WorklistFilter:
    return filter_of(given, KEY)[0]


def test_no_key_finds_everything() -> None:
    assert found() == WorklistFilter()
    assert found(("limit", "3"), ("includefield", "all")) == WorklistFilter()


@pytest.mark.parametrize("name", ["ProcedureStepState", "00741000"])
def test_a_key_is_named_by_keyword_or_tag(name: str) -> None:
    assert found((name, "SCHEDULED")) == WorklistFilter(states=("SCHEDULED",))


def test_several_values_are_either_of_them() -> None:
    assert found(("ProcedureStepState", "SCHEDULED,IN PROGRESS")).states == (
        "SCHEDULED", "IN PROGRESS",
    )  # fmt: skip
    assert found(("ScheduledProcedureStepPriority", "HIGH\\LOW")).severities == (
        Severity.CRITICAL, Severity.MINOR,
    )  # fmt: skip


def test_a_uid_of_somebody_else_finds_nothing() -> None:
    assert found(("SOPInstanceUID", uid_of(3, KEY))).finding_ids == (3,)
    assert found(("SOPInstanceUID", "1.2.3")).finding_ids == ()


@pytest.mark.parametrize(
    ("given", "begins", "ends"),
    [
        ("20260301", datetime(2026, 3, 1, tzinfo=UTC),
         datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("202602", datetime(2026, 2, 1, tzinfo=UTC),
         datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("20260301-20260302", datetime(2026, 3, 1, tzinfo=UTC),
         datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC)),
        ("20260301120000+0100-", datetime(2026, 3, 1, 11, tzinfo=UTC), None),
        ("-20260301", None, datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_is_a_moment_a_day_or_a_range(
    given: str, begins: datetime | None, ends: datetime | None
) -> None:
    wanted = found(("ScheduledProcedureStepStartDateTime", given))
    assert (wanted.made_from, wanted.made_until) == (begins, ends)


@pytest.mark.parametrize(
    "given",
    [
        ("NoSuchKeyword", "x"), ("99999999", "x"), ("", "x"),
        ("ProcedureStepState", "DONE"),
        ("ScheduledProcedureStepStartDateTime", "yesterday"),
        ("ScheduledProcedureStepStartDateTime", "20260231"),
        ("ScheduledProcedureStepStartDateTime", "00000101"),
        ("ScheduledProcedureStepStartDateTime", "20260101120000+9999"),
    ],
)  # fmt: skip
def test_what_is_no_attribute_or_no_value_of_it_is_refused(given: tuple[str, str]) -> None:
    with pytest.raises(InputError):
        found(given)


def test_a_key_that_is_not_matched_finds_everything_and_is_told() -> None:
    assert filter_of([("PatientName", "A*")], KEY) == (WorklistFilter(), True)
    assert filter_of([("PatientName", "")], KEY) == (WorklistFilter(), False)


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(InputError, match="parameters"):
        filter_of([("PatientID", "1")] * (KEYS_MAX + 1), KEY)
