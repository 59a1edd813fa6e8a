"""Who may associate, what may be stored."""

from pathlib import Path

import pytest
from attrs import evolve

from qa_daemon.config.settings import ReceiverSettings, SpoolSettings
from qa_daemon.intake import admission
from qa_daemon.intake.admission import Applicant, Room, refused_association, refused_uids

SENDER = Applicant("10.1.2.3", "CT1", "QADAEMON")
CT = b"1.2.840.10008.5.1.4.1.1.2"


def test_everybody_may_send_where_nothing_is_listed() -> None:
    assert refused_association(SENDER, ReceiverSettings(), []) is None


@pytest.mark.parametrize(
    ("changed", "rejection"),
    [
        ({"calling_ae_titles": ("MR1",)}, admission.UNKNOWN_CALLING),
        ({"calling_ae_titles": (" CT1 ",)}, None),
        ({"calling_addresses": ("10.1.3.0/24",)}, admission.UNKNOWN_CALLING),
        ({"calling_addresses": ("10.1.2.0/24",)}, None),
        ({"calling_addresses": ("10.1.2.3",)}, None),
        ({"check_called_ae_title": True}, None),
        ({"check_called_ae_title": True, "ae_title": "OTHER"}, admission.UNKNOWN_CALLED),
        ({"ae_title": "OTHER"}, None),
    ],
)
def test_lists_and_the_called_title_decide(
    changed: dict[str, object], rejection: admission.Rejection | None
) -> None:
    settings = ReceiverSettings(**changed)  # type: ignore[arg-type]  # one field per case
    assert refused_association(SENDER, settings, []) == rejection


def test_too_many_associations_are_refused_for_the_moment_only() -> None:
    settings = ReceiverSettings(associations_max=3, associations_per_address_max=2)
    assert refused_association(SENDER, settings, ["10.1.2.3"]) is None
    assert refused_association(SENDER, settings, ["10.1.2.3"] * 2) == admission.TOO_MANY
    assert refused_association(SENDER, settings, ["10.1.2.4"] * 3) == admission.TOO_MANY
    assert admission.TOO_MANY.result == 2


def test_a_mapped_address_is_found_in_the_list_of_its_version_4_form() -> None:
    sender = evolve(SENDER, address="::ffff:10.1.2.3")
    settings = ReceiverSettings(calling_addresses=("10.1.2.0/24",))
    assert refused_association(sender, settings, []) is None


@pytest.mark.parametrize(
    ("sop_class", "instance", "answer"),
    [
        (CT, b"1.2.3", None),
        (CT, b"../../etc/passwd", None),
        (CT, b"1." * 31 + b"22", None),
        (b"", b"1.2.3", admission.UID_MISSING),
        (CT, b"", admission.UID_MISSING),
        (CT, b"1" * 65, admission.UID_TOO_LONG),
        (b"1.2.840.10008.5.1.4.1.1.4", b"1.2", admission.NOT_AUTHORIZED),
    ],
)
def test_only_what_cannot_be_named_or_is_denied_is_refused(
    sop_class: bytes, instance: bytes, answer: admission.Answer | None
) -> None:
    settings = ReceiverSettings(denied_sop_classes=("1.2.840.10008.5.1.4.1.1.4",))
    assert refused_uids(sop_class, instance, settings) == answer


@pytest.mark.parametrize("uid", [b"1.2.", b"1.02", b"1..2", b"a.b", b"1.2\n"])
def test_malformed_uids_are_refused_by_strict_sites_only(uid: bytes) -> None:
    assert refused_uids(CT, uid, ReceiverSettings()) is None
    assert refused_uids(CT, uid, ReceiverSettings(strict=True)) == admission.UID_MALFORMED


def test_every_error_comment_fits_its_value_representation() -> None:
    answers = [each for each in vars(admission).values() if isinstance(each, admission.Answer)]
    assert len(answers) >= 10
    assert all(len(answer.comment) <= 64 for answer in answers)


def test_a_spool_below_its_watermark_has_no_room(tmp_path: Path) -> None:
    plenty = SpoolSettings(free_bytes_min=1)
    assert Room(tmp_path, plenty, lambda: 0).refused() is None
    assert Room(tmp_path, SpoolSettings(free_bytes_min=1 << 62), lambda: 0).refused() == (
        admission.NO_ROOM
    )


def test_a_quota_counts_what_the_spool_holds(tmp_path: Path) -> None:
    settings = SpoolSettings(free_bytes_min=1, quota_bytes=1000)
    assert Room(tmp_path, settings, lambda: 999).refused() is None
    assert Room(tmp_path, settings, lambda: 1000).refused() == admission.OVER_QUOTA


def test_a_spool_that_is_gone_is_no_room(tmp_path: Path) -> None:
    room = Room(tmp_path / "gone", SpoolSettings(), lambda: 0)
    assert room.refused() == admission.SPOOL_UNWRITABLE
    (tmp_path / "gone").mkdir()
    assert room.refused() == admission.SPOOL_UNWRITABLE  # looked a moment ago
