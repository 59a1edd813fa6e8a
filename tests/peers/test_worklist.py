"""What a real worklist server says of a visit's orders."""

from time import monotonic

import pytest
from attrs import evolve

from qa_daemon.errors import RetryableError
from qa_daemon.peers.association import Peer
from qa_daemon.peers.worklist import Visited, _order, orders_scheduled
from qa_daemon.records.order import Issuer, NamedRegion, Order, OrderKey
from tests.peers.conftest import ENTRIES

VISIT = Visited(patient_id="P1", day="20260301", modalities=("DX",))


def accessions(orders: tuple[Order, ...]) -> list[str]:
    return sorted(order.key.accession_number for order in orders)


def test_a_patient_s_orders_of_the_day_are_found(worklist: Peer) -> None:
    assert accessions(orders_scheduled(worklist, VISIT)) == ["A1", "A2"]


def test_an_order_is_whole(worklist: Peer) -> None:
    order = next(
        each for each in orders_scheduled(worklist, VISIT) if each.key.accession_number == "A1"
    )
    assert (order.requested_procedure_id, order.admission_id) == ("RA1", "V1")
    assert order.study_instance_uid == "1.2.3.1"
    assert order.regions == (NamedRegion("KNEE", "R", 1.0),)
    (step,) = order.steps
    assert (step.id, step.modality, step.station_ae, step.date) == ("SA1", "DX", "DX1", "20260301")
    assert [code.value for code in order.codes] == ["X1"]


def test_the_issuer_of_a_number_is_read() -> None:
    """DCMTK's server does not tell it; others do."""
    assert _order(ENTRIES["knee"]).key == OrderKey("A1", Issuer("RIS"))


def test_steps_of_one_procedure_are_one_order(worklist: Peer) -> None:
    order = next(
        each for each in orders_scheduled(worklist, VISIT) if each.key.accession_number == "A2"
    )
    assert sorted(step.id for step in order.steps) == ["SA2", "SA2b"]


def test_another_day_has_other_orders(worklist: Peer) -> None:
    assert accessions(orders_scheduled(worklist, evolve(VISIT, day="20260302"))) == ["A3"]


def test_a_pattern_is_never_asked_for(worklist: Peer) -> None:
    for odd in ("*", "P?", "P1\\P2", ""):
        assert orders_scheduled(worklist, evolve(VISIT, patient_id=odd)) == ()


def test_another_issuer_s_patient_is_another_patient(worklist: Peer) -> None:
    away = Visited(patient_id="P3", day="20260301", issuer_of_patient_id="AWAY")
    assert orders_scheduled(worklist, away) == ()
    home = evolve(away, issuer_of_patient_id="HOME")
    assert accessions(orders_scheduled(worklist, home)) == ["B7"]


NOBODY = Visited(patient_id="?", day="20260301", modalities=("DX",))


@pytest.mark.parametrize(
    "visit",
    [
        evolve(NOBODY, study_instance_uids=("1.2.3.4",)),
        evolve(NOBODY, step_ids=("SA4",)),
        evolve(NOBODY, accession_numbers=("A4",)),
    ],
)
def test_without_the_patient_the_next_surest_key_is_asked_for(
    worklist: Peer, visit: Visited
) -> None:
    assert accessions(orders_scheduled(worklist, visit)) == ["A4"]


def test_an_accession_that_two_patients_have_is_nobody_s(worklist: Peer) -> None:
    visit = Visited(patient_id="", day="20260301", modalities=("DX",), accession_numbers=("B9",))
    assert orders_scheduled(worklist, visit) == ()


def test_an_accession_alone_must_fit_day_and_machine(worklist: Peer) -> None:
    visit = Visited(patient_id="", day="20260301", modalities=("CT",), accession_numbers=("A4",))
    assert orders_scheduled(worklist, visit) == ()
    late = evolve(visit, modalities=("DX",), day="20260305")
    assert orders_scheduled(worklist, late) == ()


def test_an_order_that_the_images_name_is_found_beside_those_of_the_day(worklist: Peer) -> None:
    """It is scheduled for tomorrow, and was carried out today."""
    named = evolve(VISIT, accession_numbers=("A3",), study_instance_uids=("9.9",))
    assert accessions(orders_scheduled(worklist, named)) == ["A1", "A2", "A3"]
    by_step = evolve(VISIT, step_ids=("SA3",), study_instance_uids=("9.9",))
    assert accessions(orders_scheduled(worklist, by_step)) == ["A1", "A2", "A3"]


def test_an_accession_alone_may_lie_one_day_away(worklist: Peer) -> None:
    night = Visited(patient_id="", day="20260302", modalities=("DX",), accession_numbers=("A4",))
    assert accessions(orders_scheduled(worklist, night)) == ["A4"]
    odd = evolve(night, day="2026-3-2")
    assert orders_scheduled(worklist, odd) == ()


def test_too_many_answers_are_a_failure(worklist: Peer) -> None:
    with pytest.raises(RetryableError, match="more than 1 answers"):
        orders_scheduled(evolve(worklist, answers_max=1), VISIT)


def test_a_silent_peer_ends_in_time(silent: Peer) -> None:
    begun = monotonic()
    with pytest.raises(RetryableError, match="DEAF at"):
        orders_scheduled(silent, VISIT)
    assert monotonic() - begun < 3 * silent.deadline_s


def test_a_peer_that_is_not_there_is_told(worklist: Peer) -> None:
    with pytest.raises(RetryableError, match="cannot be reached"):
        orders_scheduled(evolve(worklist, port=1), VISIT)


def test_a_title_that_the_worklist_does_not_serve_is_told(worklist: Peer) -> None:
    with pytest.raises(RetryableError, match=r"NOBODY at .* AE titles"):
        orders_scheduled(evolve(worklist, ae_title="NOBODY"), VISIT)
