"""Copies of refused objects."""

import json
from pathlib import Path

import pytest

from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope
from qa_daemon.spool.spool import Spool
from qa_daemon.spool.write import SpoolUnavailable


def test_a_refused_object_leaves_its_beginning_and_the_reason(
    tmp_path: Path, envelope: Envelope
) -> None:
    spool = Spool(tmp_path, Limits(quarantine_bytes_max=10))
    key = spool.set_aside(b"0123456789abc", envelope, "limit", "too large")
    assert (tmp_path / "quarantine" / f"{key}.part").read_bytes() == b"0123456789"
    said = json.loads((tmp_path / "quarantine" / f"{key}.json").read_text())
    assert (said["reason"], said["message"], said["length"]) == ("limit", "too large", 13)
    assert said["calling_ae"] == "CT1"
    assert list(spool.keys()) == []


def test_the_oldest_copies_make_room(spool: Spool, envelope: Envelope, tmp_path: Path) -> None:
    keys = [spool.set_aside(b"x", envelope, "limit", "") for _ in range(5)]
    lying = {path.stem for path in (tmp_path / "spool" / "quarantine").iterdir()}
    assert lying == set(keys[2:])


def test_a_quarantine_that_cannot_be_written_is_unavailable(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    (tmp_path / "spool" / "quarantine").rmdir()
    with pytest.raises(SpoolUnavailable, match="set aside"):
        spool.set_aside(b"x", envelope, "limit", "")
