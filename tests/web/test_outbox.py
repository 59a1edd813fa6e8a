"""The page of what leaves: what a place refused is told everywhere, tried again or dropped."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from qa_daemon.config.load import load_settings
from qa_daemon.queue.deciding.answer import decide
from qa_daemon.queue.deciding.answers import Accept, Seen, Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.change_set import EntryState
from qa_daemon.records.finding import Severity
from qa_daemon.store import result_rows
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.delivery_rows import EntryRow
from qa_daemon.store.result_rows import FindingFilter
from tests.web.conftest import Site

WORDS = "HTTP 422 <script>alert(1)</script> no such study"


@pytest.fixture
def refused(site: Site) -> Iterator[EntryRow]:
    """A finding was accepted long ago, and its place has refused it."""
    store, long_ago = site.store, datetime.now(UTC) - timedelta(hours=1)
    wanted = FindingFilter(severity_min=Severity.MINOR, is_open=True)
    listed = (
        result_rows.finding_row(store, row.id)
        for row in result_rows.finding_list(store, wanted, 50)
    )
    row = next(
        row for row in listed
        if row is not None and row.finding.suggestion is not None and row.series_key
    )  # fmt: skip
    desk = Desk(store, load_settings(None, overrides={"state": site.state}))
    wish = Wish(who="technician", number=f"w{row.id}", at=long_ago)
    decide(desk, [Seen(row.id, row.revision)], Accept(), wish)
    entry = delivery_rows.claim(store, datetime.now(UTC), 60)
    assert entry is not None
    assert delivery_rows.refused(store, entry, WORDS, datetime.now(UTC))
    found = delivery_rows.entry_row(store, entry.id)
    assert found is not None
    yield found
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM outbox")


def test_what_was_refused_is_told_in_the_words_of_the_place(site: Site, refused: EntryRow) -> None:
    technician = site.signed_in("technician")
    for path in ("/outbox", "/outbox?state=refused", "/inbox"):
        answer = technician.get(path)
        assert answer.status_code == 200
        assert "Export failed: 1 change set has not left." in answer.text
        assert WORDS in unescape(answer.text)
        assert "<script>alert" not in answer.text
    assert refused.channel in technician.get("/outbox").text
    assert "Nothing is in the outbox." in technician.get("/outbox?state=sent").text
    assert technician.get("/outbox?state=x&before=%F0").status_code == 200


def test_a_technician_tries_it_again_and_drops_it(site: Site, refused: EntryRow) -> None:
    technician = site.signed_in("technician")
    assert technician.post(f"/outbox/{refused.id}/retry").status_code == 303
    row = delivery_rows.entry_row(site.store, refused.id)
    assert row is not None
    assert (row.state, row.attempts) == (EntryState.QUEUED, 0)
    assert technician.post(f"/outbox/{refused.id}/drop").status_code == 303
    row = delivery_rows.entry_row(site.store, refused.id)
    assert row is not None
    assert row.state is EntryState.DROPPED
    again = technician.post(f"/outbox/{refused.id}/drop")
    assert again.status_code == 409
    assert "Nothing was changed." in again.text


def test_a_viewer_sees_it_and_may_do_nothing(site: Site, refused: EntryRow) -> None:
    viewer = site.signed_in("viewer")
    page = viewer.get("/outbox").text
    assert "Export failed" in page
    assert not re.search(r'action="/outbox/', page)
    assert viewer.post(f"/outbox/{refused.id}/retry").status_code == 403
    row = delivery_rows.entry_row(site.store, refused.id)
    assert row is not None
    assert row.state is EntryState.REFUSED
