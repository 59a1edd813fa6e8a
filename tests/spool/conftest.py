"""A spool and objects to put into it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope
from qa_daemon.spool.spool import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", Limits(quarantine_objects_max=3)) as spool:
        yield spool


@pytest.fixture
def envelope() -> Envelope:
    return Envelope(
        received_at=datetime(2026, 3, 1, 12, 30, 5, 250, tzinfo=UTC),
        calling_ae="CT1",
        association_id="a1",
        sop_instance_uid="1.2.3",
        data_set_offset=4,
    )
