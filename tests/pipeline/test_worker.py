"""A series is moved on step by step; whatever befalls one costs the others nothing."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from attrs import evolve

from qa_daemon.dicom.header import read_instance
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds import beside
from qa_daemon.grounds.visit import orders_known
from qa_daemon.limits import Limits
from qa_daemon.pipeline import steps
from qa_daemon.pipeline.closing import Closing
from qa_daemon.pipeline.steps import Interrupted
from qa_daemon.pipeline.worker import STATES, Worker
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, leases, series_rows
from qa_daemon.store.leases import Lease, Terms
from qa_daemon.store.series_rows import SeriesFilter
from tests.faults.conftest import eventually
from tests.pipeline.conftest import Works

TERMS: Final = Terms(lease_s=60, attempts_max=3)


def until(worker: Worker, works: Works, wanted: dict[str, str]) -> None:
    def reached() -> bool:
        worker.turn()
        return works.states() == wanted

    eventually(reached, f"{wanted}")


def test_a_settled_series_is_predicted_and_judged(works: Works) -> None:
    works.receive("1.2.3.1")
    worker = works.worker()
    states = [works.states()["1.2.3.1"]]
    for _ in range(4):
        worker.turn()
        states.append(works.states()["1.2.3.1"])
    assert states[0] == "receiving"
    assert "predicted" in states
    assert states[-1] == "waiting"
    assert worker.turn() == works.settings.worker.poll_s


def test_a_series_whose_objects_are_gone_is_quarantined_and_the_next_is_judged(
    works: Works,
) -> None:
    works.receive("1.2.3.1")
    works.receive("1.2.4.1")
    works.service.spool.remove(
        *(row.source for row in works.service.rows() if row.series_instance_uid == "1.2.3.1")
    )
    until(works.worker(), works, {"1.2.3.1": "quarantined", "1.2.4.1": "waiting"})


def test_a_bug_over_one_series_is_tried_again_and_then_quarantined(
    works: Works, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    works.receive("1.2.3.1")
    works.receive("1.2.4.1")

    def breaking(instances: tuple[Instance, ...], revision: int = 1) -> Series:
        if instances[0].series_instance_uid == "1.2.3.1":
            raise ZeroDivisionError("DOE^JANE")
        return assemble(instances, revision)

    monkeypatch.setattr(steps, "assemble", breaking)
    until(works.worker(), works, {"1.2.3.1": "quarantined", "1.2.4.1": "waiting"})
    said = capfd.readouterr().err
    assert said.count("step.failed") == 2
    assert "ZeroDivisionError" in said
    assert "DOE" not in said


def test_a_step_that_is_interrupted_is_taken_again(works: Works) -> None:
    works.receive("1.2.3.1")
    worker = works.worker()
    asked: list[int] = []

    def goes_on() -> None:
        asked.append(len(asked))
        if len(asked) == 2:
            raise Interrupted

    worker.bench = evolve(worker.bench, goes_on=goes_on)
    assert worker.turn() == 0.0
    assert works.states() == {"1.2.3.1": "settled"}
    until(worker, works, {"1.2.3.1": "waiting"})
    assert len(asked) > 2


def test_a_damaged_database_ends_the_worker(works: Works) -> None:
    works.receive("1.2.3.1")
    works.service.index.stop(5.0)
    works.service.store.close()
    database = works.service.state / "store.sqlite"
    for path in (database, database.with_name(database.name + "-wal")):
        if path.exists():
            path.write_bytes(b"\xa5" * path.stat().st_size)
    with pytest.raises(ConfigurationError, match="qa-daemon rebuild"):
        works.worker().turn()


def test_what_arrives_later_is_judged_again_under_a_new_revision(works: Works) -> None:
    works.receive("1.2.3.1", 2)
    worker = works.worker()
    until(worker, works, {"1.2.3.1": "waiting"})
    works.receive("1.2.3.1", 3)
    until(worker, works, {"1.2.3.1": "waiting"})
    store = works.service.store
    (row,) = series_rows.series_list(store, series_rows.SeriesFilter(), 10)
    assert row.revision == 2
    assert len(instance_rows.instances_of(store, row.series_key, 2)) == 3


def claimed(works: Works, seconds_ago: float) -> Lease:
    """Return a lease that was begun so long ago, of a step that holds for a minute."""
    later = datetime.now(UTC) + timedelta(hours=1)
    Closing(works.service.store).close_due(works.settings.assembly, later)
    then = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    lease = leases.claim(works.service.store, STATES, TERMS, then)
    assert lease is not None
    return lease


def test_a_lease_is_prolonged_while_the_step_goes_from_object_to_object(works: Works) -> None:
    works.receive("1.2.3.1")
    lease, bench = claimed(works, 40), works.worker().bench
    others: list[object] = []

    def goes_on() -> None:
        in_half_a_minute = datetime.now(UTC) + timedelta(seconds=30)
        others.append(leases.claim(works.service.store, STATES, TERMS, in_half_a_minute))

    assert steps.take(evolve(bench, goes_on=goes_on), lease, TERMS)
    assert others
    assert set(others) == {None}
    assert works.states() == {"1.2.3.1": "predicted"}


def test_a_step_stops_once_another_worker_has_its_series(works: Works) -> None:
    works.receive("1.2.3.1")
    lease, bench = claimed(works, 70), works.worker().bench
    second = leases.claim(works.service.store, STATES, TERMS, datetime.now(UTC))
    assert second is not None
    read: list[int] = []
    assert not steps.take(evolve(bench, goes_on=lambda: read.append(1)), lease, TERMS)
    assert read == []
    assert works.states() == {"1.2.3.1": "settled"}
    assert steps.take(bench, second, TERMS)


def read_last_year(content: memoryview, key: str) -> Instance:
    """Read as a release did that did not look for Study Date."""
    whole = read_instance(content, Limits(), source=key)
    fewer = {name: value for name, value in whole.elements.items() if name != "StudyDate"}
    return evolve(whole, elements=fewer, vocabulary="that of last year")


def test_an_element_that_was_not_looked_for_is_read_from_the_spool(works: Works) -> None:
    works.service.index.exchange(read_last_year)
    works.receive("1.2.3.1")
    bench = works.worker().bench
    (row,) = series_rows.series_list(bench.store, SeriesFilter(), 1)
    stored = instance_rows.instances_of(bench.store, row.series_key, row.revision)
    assert {each.vocabulary for each in stored} == {"that of last year"}
    read = steps.instances_read(bench, row.series_key, row.revision)
    assert {each.vocabulary for each in read} == {bench.engine.vocabulary.digest}
    assert [each.elements["StudyDate"].values for each in read] == [("20260301",)] * 3
    assert [each.digest for each in read] == [each.digest for each in stored]


def test_a_sibling_whose_records_are_lost_still_bears_witness(works: Works) -> None:
    works.service.index.exchange(read_last_year)
    works.receive("1.2.3.1")
    works.receive("1.2.3.2")
    lost = [row.source for row in works.service.rows() if row.series_instance_uid == "1.2.3.2"]
    works.service.spool.remove(*lost)
    bench = works.worker().bench
    rows = series_rows.series_list(bench.store, SeriesFilter(), 2)
    (kept,) = (row for row in rows if row.series_instance_uid == "1.2.3.1")
    series = assemble(steps.instances_read(bench, kept.series_key, kept.revision))
    siblings, context = beside.surroundings(
        bench.sources, kept.series_key, series, orders_known(bench.store, series)
    )
    assert [len(each.instances) for each in siblings] == [3]
    assert {each.vocabulary for each in siblings[0].instances} == {"that of last year"}
    assert context.received is not None
