"""Lines as a role may see them."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from qa_daemon.errors import InputError
from qa_daemon.language.speech import speech
from qa_daemon.language.wording import Wording
from qa_daemon.queue.listing.muting import DAYS_AT_MOST, MuteEnd, MuteWish, ruling_of
from qa_daemon.queue.listing.pseudonym import pseudonym
from qa_daemon.queue.listing.shown import Sight, line_of, printable
from qa_daemon.records.finding import Severity
from qa_daemon.records.issue import IssueState, Practice, Sightings
from qa_daemon.store.listing.line_rows import LineRow
from qa_daemon.store.listing.listed_rows import Person

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SEEN = Sightings(count=2, first_at=NOW - timedelta(hours=5), last_at=NOW)
ROW = LineRow(
    issue_key="i",
    finding_id=7,
    series_key="s",
    revision=1,
    rank=1,
    severity=Severity.MAJOR,
    confidence=0.97,
    rule="REGION-001",
    practice=Practice("CT", "CT1", "Abdomen"),
    calling_ae="AE",
    person=Person(name="Doe^Jane", patient_id="P1", accession="A1"),
    wording=Wording("REGION-001", parts={"found": "HAND", "shown": "SHOULDER"}),
    message="as the rule says it",
    standing="open",
    asked="",
    look_first=False,
    count=2,
    first_at=SEEN.first_at,
    bars=(0, 0, 0, 0, 0, 1, 1),
    sightings=SEEN,
    ruling=None,
)
SIGHT = Sight(speech=speech("en"), now=NOW, sees_patients=True, key=b"k")


def test_a_line_says_what_is_wrong_of_whom_and_since_when() -> None:
    line = line_of(ROW, SIGHT)
    assert line.sentence == "Tagged HAND, but the pictures show a shoulder"
    assert (line.patient, line.accession, line.age, line.state) == (
        "Doe^Jane", "A1", "5 h", IssueState.NEW
    )  # fmt: skip
    assert line.is_issue


def test_who_may_not_see_patients_sees_a_pseudonym_and_no_number() -> None:
    line = line_of(ROW, evolve(SIGHT, sees_patients=False))
    assert line.patient == f"Patient {pseudonym(b'k', 'P1')}"
    shown = f"{line.patient}{line.patient_id}{line.accession}{line.sentence}"
    assert not any(text in shown for text in ("Doe", "P1", "A1"))


def test_a_pseudonym_is_one_patients_here_and_says_nothing_elsewhere() -> None:
    assert pseudonym(b"k", "P1") == pseudonym(b"k", "P1", "Another^Spelling")
    assert pseudonym(b"k", "P1") != pseudonym(b"k", "P2")
    assert pseudonym(b"k", "P1") != pseudonym(b"other", "P1")
    assert pseudonym(b"k", "", "Doe") != ""
    assert pseudonym(b"k", "") == ""


def test_a_rule_that_no_catalogue_knows_says_its_own_message() -> None:
    assert line_of(evolve(ROW, wording=Wording("SITE-1")), SIGHT).sentence == "as the rule says it"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\0b\x1b[1m", "a␀b␛[1m"),
        ("a\u202eb\u2066", "a\ufffdb\ufffd"),
        ("x" * 70, "x" * 63 + "…"),
        ("  a ", "a"),
        ("<script>", "<script>"),
    ],
)
def test_a_received_text_cannot_act_and_ends(text: str, shown: str) -> None:
    assert printable(text) == shown


def wish(end: MuteEnd, **more: object) -> MuteWish:
    given = {"days": 7, "more": 20, "reason": " known  fault ", "owner": "ana", "who": "ben"}
    return MuteWish(end=end, at=NOW, **(given | more))  # type: ignore[arg-type]  # of a test


def test_every_mute_ends() -> None:
    day = ruling_of(wish(MuteEnd.DATE))
    assert (day.until, day.more, day.until_rising) == (NOW + timedelta(days=7), None, False)
    assert (day.reason, day.owner, day.who) == ("known fault", "ana", "ben")
    most = NOW + timedelta(days=DAYS_AT_MOST)
    more, rises = ruling_of(wish(MuteEnd.MORE)), ruling_of(wish(MuteEnd.RISES))
    assert (more.until, more.more) == (most, 20)
    assert (rises.until, rises.until_rising) == (most, True)


@pytest.mark.parametrize(
    ("end", "more"),
    [
        (MuteEnd.DATE, {"days": 0}),
        (MuteEnd.DATE, {"days": 367}),
        (MuteEnd.MORE, {"more": 0}),
        (MuteEnd.MORE, {"more": 10_001}),
        (MuteEnd.DATE, {"reason": " "}),
        (MuteEnd.DATE, {"owner": ""}),
    ],
)
def test_a_mute_without_reason_owner_or_end_is_refused(
    end: MuteEnd, more: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="mute:"):
        ruling_of(wish(end, **more))
