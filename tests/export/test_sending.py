"""The outbox is emptied in order, at least once, never early; the refused waits for a person."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from sqlalchemy import event, update

from qa_daemon.config.export import (
    ExportFolderSettings,
    ExportSettings,
    RetrySettings,
    WebhookSettings,
)
from qa_daemon.config.settings import Settings
from qa_daemon.export.sending import Sender, sending
from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import Accept, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.queue.deciding.undo import reverse
from qa_daemon.records.change_set import EntryState
from qa_daemon.records.states import SeriesState, SuggestionState
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.tables import outbox
from qa_daemon.store.review import decision_rows
from tests.export.conftest import Place
from tests.faults.conftest import eventually
from tests.queue.deciding.conftest import TURNED, Ward, seen
from tests.store.conftest import cluster, prepared_sqlite, store, url

__all__ = ["cluster", "prepared_sqlite", "store", "url"]

Start = Callable[[str], Place]
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
SECOND = timedelta(seconds=1)


def settings_for(folder: Path, **export: Any) -> Settings:
    places = ExportSettings(
        folder=ExportFolderSettings(path=folder / "exports"),
        retry=RetrySettings(first_s=1, longest_s=4, attempts_max=3),
        **export,
    )
    return Settings(state=folder, export=places)


def to_http(place: Place) -> dict[str, Any]:
    url = f"http://127.0.0.1:{place.port}/"
    return {"webhooks": (WebhookSettings(name="ris", url=url, deadline_s=5),)}


@define
class Decided:
    """A ward with one accepted suggestion, and its sender."""

    ward: Ward
    sender: Sender

    def drain(self, now: datetime | None = None) -> None:
        """Send until nothing is due."""
        while self.sender.turn(now or datetime.now(UTC)) == 0:
            pass

    def states(self) -> dict[str, EntryState]:
        rows = delivery_rows.entry_list(self.ward.store, (), 100)
        return {row.channel: row.state for row in reversed(rows)}


def decided(store: Store, settings: Settings, at: datetime = LONG_AGO) -> Decided:
    ward = Ward(Desk(store, settings))
    ward.judged("1.2.3.1", TURNED)
    (row,) = ward.rows()
    decide(ward.desk, [seen(row)], Accept(), ward.wish(at))
    return Decided(ward, Sender(store, settings, "9.9"))


def test_nothing_leaves_before_the_window_has_closed(store: Store, tmp_path: Path) -> None:
    begun = decided(store, settings_for(tmp_path))
    begun.drain(LONG_AGO + 59 * SECOND)
    assert begun.states() == {"folder": EntryState.QUEUED}
    assert not (tmp_path / "exports").exists()
    begun.drain(LONG_AGO + 60 * SECOND)
    assert begun.states() == {"folder": EntryState.SENT}
    assert len(list((tmp_path / "exports" / "1.2.3").glob("*.json"))) == 1
    assert begun.ward.state() is SeriesState.DELIVERED
    assert begun.ward.rows()[0].state is SuggestionState.EXPORTED


def test_a_place_that_is_away_is_tried_again_and_holds_no_other_up(
    store: Store, tmp_path: Path, place: Start
) -> None:
    server = place("http")
    server.answers(status=503, body="being restarted")
    begun = decided(store, settings_for(tmp_path, **to_http(server)))
    begun.drain()
    assert begun.states() == {"folder": EntryState.SENT, "webhook:ris": EntryState.QUEUED}
    assert begun.ward.state() is SeriesState.DECIDED
    found = delivery_rows.trouble(store)
    assert (found.refused_count, found.retried_count) == (0, 1)
    assert found.latest is not None
    assert found.latest.answer == "HTTP 503 Service Unavailable being restarted"
    assert timedelta(0) < found.latest.due_at - found.latest.changed_at < 2 * SECOND
    server.answers(status=200)
    begun.drain(datetime.now(UTC) + 10 * SECOND)
    assert begun.states()["webhook:ris"] is EntryState.SENT
    assert begun.ward.state() is SeriesState.DELIVERED
    assert delivery_rows.trouble(store) == delivery_rows.Trouble()
    assert {each["headers"]["Idempotency-Key"] for each in server.got()} == {
        found.latest.change_set.uid
    }


def test_what_is_refused_for_good_is_parked_and_a_person_retries_or_drops_it(
    store: Store, tmp_path: Path, place: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    server = place("http")
    server.answers(status=422, body="no such study")
    begun = decided(store, settings_for(tmp_path, **to_http(server)))
    begun.drain()
    begun.drain(datetime.now(UTC) + timedelta(hours=9))
    assert begun.states()["webhook:ris"] is EntryState.REFUSED
    assert len(server.got()) == 1
    assert "export.refused" in capfd.readouterr().err
    found = delivery_rows.trouble(store)
    assert found.refused_count == 1
    assert found.latest is not None
    assert "no such study" in found.latest.answer
    operator = Operator("eva", datetime.now(UTC))
    assert delivery_rows.retry(store, found.latest.id, operator)
    begun.drain(datetime.now(UTC) + SECOND)
    assert len(server.got()) == 2
    assert delivery_rows.drop(store, found.latest.id, operator)
    assert not delivery_rows.drop(store, found.latest.id, operator)
    assert not delivery_rows.retry(store, found.latest.id, operator)
    assert begun.states()["webhook:ris"] is EntryState.DROPPED


def test_tries_are_bounded_and_a_place_that_is_gone_says_so(
    store: Store, tmp_path: Path, place: Start
) -> None:
    server = place("http")
    server.answers(status=500)
    begun = decided(store, settings_for(tmp_path, **to_http(server)))
    for hours in range(1, 6):
        begun.drain(datetime.now(UTC) + timedelta(hours=hours))
    assert begun.states()["webhook:ris"] is EntryState.REFUSED
    assert len(server.got()) == 3
    (row,) = delivery_rows.entry_list(store, (EntryState.REFUSED,), 9)
    assert "given up after 3 tries" in row.answer
    begun.sender.apply(settings_for(tmp_path))
    delivery_rows.retry(store, row.id, Operator("eva", datetime.now(UTC)))
    begun.drain(datetime.now(UTC) + SECOND)
    (row,) = delivery_rows.entry_list(store, (EntryState.REFUSED,), 9)
    assert "not configured any more" in row.answer


def test_a_newer_revision_keeps_an_older_decision_from_leaving(
    store: Store, tmp_path: Path
) -> None:
    begun = decided(store, settings_for(tmp_path))
    begun.ward.receive(at=LONG_AGO + SECOND)
    begun.drain()
    assert begun.states() == {"folder": EntryState.SUPERSEDED}
    assert not (tmp_path / "exports").exists()


def test_a_reverse_leaves_after_what_it_reverses(
    store: Store, tmp_path: Path, place: Start
) -> None:
    server = place("http")
    server.answers(status=500)
    begun = decided(store, settings_for(tmp_path, **to_http(server)))
    begun.drain()
    ward = begun.ward
    row = ward.rows()[0]
    reverse(ward.desk, seen(row), ward.wish(LONG_AGO + 120 * SECOND))
    server.answers(status=200)
    begun.drain(datetime.now(UTC) + 10 * SECOND)
    kinds = [json.loads(each["body"])["kind"] for each in server.got()]
    assert kinds == ["change", "change", "reverse"]
    assert len(list((tmp_path / "exports" / "1.2.3").glob("*.json"))) == 2


def test_a_sender_that_slept_too_long_notes_nothing(store: Store, tmp_path: Path) -> None:
    decided(store, settings_for(tmp_path))
    now = datetime.now(UTC)
    slow = delivery_rows.claim(store, now, 60)
    assert slow is not None
    assert delivery_rows.claim(store, now + 59 * SECOND, 60) is None
    quick = delivery_rows.claim(store, now + 60 * SECOND, 60)
    assert quick is not None
    assert quick.change_set == slow.change_set
    assert not delivery_rows.sent(store, slow, "", now)
    assert not delivery_rows.refused(store, slow, "", now)
    assert not delivery_rows.later(store, slow, "", now, now)
    assert delivery_rows.sent(store, quick, "", now)


def test_the_thread_sends_what_is_due_and_ends(store: Store, tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    begun = decided(store, settings)
    with sending(store, settings, "9.9"):
        eventually(lambda: begun.states()["folder"] is EntryState.SENT, "it was not sent")


# --- deaths --------------------------------------------------------------------------------------


def dies_at(number: int, url: str, work: Callable[[Store], object]) -> bool:
    """Run in a child that dies before its n-th durable call; return whether it lived to its end."""
    child = os.fork()
    if child == 0:
        left = [number]

        def count_down(*_: object) -> None:
            if left[0] == 0:
                os._exit(9)
            left[0] -= 1

        durable: dict[str, Any] = {"fsync": os.fsync, "replace": Path.replace}

        def fsync(descriptor: int) -> None:
            count_down()
            durable["fsync"](descriptor)

        def replace(self: Path, target: Path) -> Path:
            count_down()
            durable["replace"](self, target)
            return target

        setattr(os, "fsync", fsync)  # noqa: B010  mypy knows the name
        setattr(Path, "replace", replace)  # noqa: B010  as above
        store = Store(url, 5.0)
        event.listen(store._engine, "commit", count_down)
        work(store)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.fixture
def file_url(tmp_path: Path, prepared_sqlite: Path) -> Iterator[str]:
    copy = tmp_path / "dying.sqlite"
    copy.write_bytes(prepared_sqlite.read_bytes())
    yield f"sqlite:///{copy}"
    copy.unlink()


def test_a_decision_is_whole_or_not_there_wherever_its_process_dies(
    file_url: str, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path)
    with Store(file_url, 5.0) as store:
        ward = Ward(Desk(store, settings))
        ward.judged("1.2.3.1", TURNED)
        chosen = seen(ward.rows()[0])
    wish = Wish(who="ana", number="once", at=LONG_AGO)
    deaths = 0
    lived = False
    while not lived:
        lived = dies_at(
            deaths,
            file_url,
            lambda store: decide(Desk(store, settings), [chosen], Accept(), wish),
        )
        with Store(file_url, 5.0) as store:
            kept = decision_rows.history(store, 9)
            entries = delivery_rows.entry_list(store, (), 9)
            assert len(kept) == len(entries) == int(lived)
        deaths += 1
    assert deaths >= 2
    with Store(file_url, 5.0) as store:
        again = decide(Desk(store, settings), [chosen], Accept(), wish)
        assert again.finding_ids == (chosen.finding_id,)
        assert len(decision_rows.history(store, 9)) == 1


def test_a_change_set_arrives_at_least_once_wherever_its_sender_dies(
    file_url: str, tmp_path: Path, place: Start
) -> None:
    server = place("http")
    settings = settings_for(tmp_path, **to_http(server))
    with Store(file_url, 5.0) as store:
        decided(store, settings)
    deaths = 0
    lived = False
    while not lived:
        lived = dies_at(deaths, file_url, lambda store: _drain(store, settings))
        deaths += 1
        with Store(file_url, 5.0) as store:
            for row in delivery_rows.entry_list(store, (EntryState.SENT,), 9):
                _has_arrived(row.channel, row.change_set.uid, tmp_path, server)
            # The lease of the dead sender is over.
            with store.writing() as connection:
                connection.execute(update(outbox).values(lease_until=None))
    assert deaths >= 8
    with Store(file_url, 5.0) as store:
        rows = delivery_rows.entry_list(store, (), 9)
    assert {row.state for row in rows} == {EntryState.SENT}
    assert {each["headers"]["Idempotency-Key"] for each in server.got()} == {rows[0].change_set.uid}
    folder = tmp_path / "exports" / "1.2.3"
    assert sorted(path.suffix for path in folder.iterdir() if path.suffix != ".part") == [
        *(".csv", ".json", ".txt"),
    ]


def _drain(store: Store, settings: Settings) -> None:
    sender = Sender(store, settings, "9.9")
    while sender.turn(datetime.now(UTC)) == 0:
        pass


def _has_arrived(channel: str, uid: str, folder: Path, server: Place) -> None:
    if channel == "folder":
        assert (folder / "exports" / "1.2.3" / f"{uid}.json").exists()
    else:
        assert server.got()
