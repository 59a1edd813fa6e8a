"""What a real archive says of a patient's day."""

from collections.abc import Callable

import pytest
from attrs import evolve

from qa_daemon.errors import RetryableError
from qa_daemon.peers.archive import studies_archived
from qa_daemon.peers.association import Peer
from qa_daemon.records.order import NamedRegion, OrderSource


@pytest.fixture(scope="module")
def filled(archive: Peer, stored: Callable[..., None]) -> Peer:
    stored("P1", "A1", "Knie re.")
    stored("P1", "A2", "OSG re.")
    stored("P1", "A3", "Hand re.", "20260302")
    stored("P1", "", "ohne Auftrag")
    stored("P11", "A4", "Thorax")
    return archive


def test_the_other_studies_of_the_day_are_orders(filled: Peer) -> None:
    found = {each.key.accession_number: each for each in studies_archived(filled, "P1", "20260301")}
    assert set(found) == {"A1", "A2"}
    knee = found["A1"]
    assert knee.source is OrderSource.ARCHIVE
    assert knee.regions == (NamedRegion("KNEE", "R", 1.0),)
    assert (knee.requested_procedure_id, knee.modalities) == ("SA1", frozenset({"DX"}))
    assert knee.study_instance_uid


def test_a_pattern_is_never_asked_for(filled: Peer) -> None:
    assert studies_archived(filled, "P*", "20260301") == ()
    assert studies_archived(filled, "P1", "") == ()


def test_a_peer_that_is_not_there_is_told(filled: Peer) -> None:
    with pytest.raises(RetryableError, match="ARCHIVE at"):
        studies_archived(evolve(filled, port=1), "P1", "20260301")


def test_a_silent_peer_ends_in_time(silent: Peer) -> None:
    with pytest.raises(RetryableError, match="DEAF at"):
        studies_archived(silent, "P1", "20260301")
