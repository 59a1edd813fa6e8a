"""Orders are asked for when images come, and again when nobody answered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from qa_daemon.config.settings import OrderSettings, QuerySettings, Settings
from qa_daemon.peers.association import Peer
from qa_daemon.pipeline.ordering.refresh import RETRY_S, Refresh, refreshing
from qa_daemon.records.element import Element
from qa_daemon.store.database import Store
from qa_daemon.store.migrations import schema
from qa_daemon.store.recording import record
from qa_daemon.store.visits import order_rows
from tests.faults.conftest import eventually
from tests.peers.conftest import archive, stored, worklist  # noqa: F401  fixtures
from tests.store.conftest import Sender

DAY = "20260301"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'qa.sqlite'}"
    schema.prepare(url)
    with Store(url, 5.0) as store:
        yield store


def receive(store: Store, patient: str) -> None:
    receipt = Sender().receipt(f"1.2.{len(patient)}")
    assert receipt.instance is not None
    elements = {
        "Modality": Element("CS", ("DX",)),
        "PatientID": Element("LO", (patient,)),
        "StudyDate": Element("DA", (DAY,)),
    }
    instance = evolve(receipt.instance, elements=elements)
    record(store, [evolve(receipt, instance=instance)], datetime.now(UTC))


def asking(peer: Peer) -> Settings:
    query = QuerySettings(host=peer.host, port=peer.port, ae_title=peer.ae_title, deadline_s=3.0)
    return Settings(orders=OrderSettings(worklist=query))


def told(store: Store) -> list[str]:
    return sorted(
        each.order.key.accession_number for each in order_rows.orders_of(store, "P1", DAY)
    )


def test_a_visit_with_images_is_asked_about_once(store: Store, worklist: Peer) -> None:  # noqa: F811
    receive(store, "P1")
    refresh = Refresh(store, asking(worklist))
    refresh.turn()
    assert told(store) == ["A1", "A2"]
    now = datetime.now(UTC)
    assert order_rows.due(store, now - timedelta(days=1), now, 10) == ()


def test_who_does_not_answer_is_asked_again_ever_more_rarely(store: Store, worklist: Peer) -> None:  # noqa: F811
    receive(store, "P1")
    refresh = Refresh(store, asking(evolve(worklist, port=1)))
    refresh.turn()
    assert told(store) == []
    now = datetime.now(UTC)
    since = now - timedelta(days=1)
    assert order_rows.due(store, since, now, 10) == ()
    (again,) = order_rows.due(store, since, now + timedelta(seconds=RETRY_S), 10)
    assert again.attempts == 1
    refresh.apply(asking(worklist))
    order_rows.asked(store, again.visit_key, now, now, again.attempts)
    refresh.turn()
    assert told(store) == ["A1", "A2"]


def test_nobody_is_asked_where_no_host_stands(store: Store) -> None:
    receive(store, "P1")
    assert Refresh(store, Settings()).turn() > 0
    now = datetime.now(UTC)
    assert len(order_rows.due(store, now - timedelta(days=1), now, 10)) == 1


def test_the_thread_asks_by_itself_and_ends_with_its_block(store: Store, worklist: Peer) -> None:  # noqa: F811
    receive(store, "P1")
    with refreshing(store, asking(worklist)):
        eventually(lambda: told(store) == ["A1", "A2"], "orders of the worklist")
