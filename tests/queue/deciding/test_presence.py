"""People at one finding see each other, and nobody who has gone."""

from concurrent.futures import ThreadPoolExecutor

from qa_daemon.queue.deciding import presence
from qa_daemon.store.review.presence_rows import Presence
from tests.queue.deciding.conftest import At, Ward


def test_two_people_at_one_finding_see_each_other(ward: Ward, at: At) -> None:
    ward.judged()
    turned, gap, _ = (row.id for row in ward.rows())
    assert presence.here(ward.desk, turned, "ana", at(0)) == ()
    assert presence.here(ward.desk, turned, "bo", at(5)) == (Presence("ana", at(0)),)
    assert presence.here(ward.desk, gap, "eva", at(6)) == ()
    assert presence.here(ward.desk, turned, "ana", at(10)) == (Presence("bo", at(5)),)
    presence.gone(ward.desk, turned, "bo")
    assert presence.here(ward.desk, turned, "ana", at(20)) == ()


def test_who_is_not_seen_any_more_has_gone(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0].id
    presence.here(ward.desk, turned, "ana", at(0))
    assert presence.here(ward.desk, turned, "bo", at(30)) == (Presence("ana", at(0)),)
    assert presence.here(ward.desk, turned, "bo", at(30.5)) == ()
    assert presence.here(ward.desk, 999_999, "bo", at(31)) == ()


def test_two_pages_of_one_person_do_not_disturb_each_other(ward: Ward, at: At) -> None:
    ward.judged()
    turned = ward.rows()[0].id
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: presence.here(ward.desk, turned, "ana", at(0)), range(8)))
    assert seen == [()] * 8
