"""Orders that come after the images were judged: the visit is judged again, once."""

from datetime import UTC, datetime, timedelta

from attrs import evolve

from qa_daemon.pipeline.ordering.refresh import Refresh
from qa_daemon.records.finding import Outcomes, Verdict
from qa_daemon.records.order import Order, OrderKey, OrderSource, ScheduledStep
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows
from qa_daemon.store.leases import Terms
from qa_daemon.store.result_rows import FindingFilter, Judgement
from qa_daemon.store.visits import order_rows
from tests.faults.conftest import eventually
from tests.pipeline.conftest import Works

OTHER = Order(
    OrderKey("4712"),
    OrderSource.HL7,
    patient_id="4711",
    description="CT Abdomen",
    requested_procedure_id="R1",
    steps=(ScheduledStep(modality="CT", date="20260301"),),
)


def judged(works: Works) -> None:
    worker = works.worker()

    def is_judged() -> bool:
        worker.turn()
        return set(works.states().values()) == {"waiting"}

    eventually(is_judged, "a verdict")


def told(works: Works, *orders: Order) -> dict[str, str]:
    """Keep orders as the receiver does, let the worker look for news; return where series stand."""
    order_rows.keep(works.service.store, orders, datetime.now(UTC))
    Refresh(works.service.store, works.settings).turn()
    return works.states()


def found(works: Works) -> set[str]:
    rows = result_rows.finding_list(works.service.store, FindingFilter(), 100)
    return {row.finding.rule for row in rows if row.finding.rule.startswith("ORDER-")}


def test_an_order_that_comes_later_changes_the_verdict(works: Works) -> None:
    works.receive("1.2.3.1")
    judged(works)
    assert not {"ORDER-022", "ORDER-023"} & found(works)
    assert told(works, OTHER) == {"1.2.3.1": "predicted"}
    judged(works)
    assert {"ORDER-022", "ORDER-023"} <= found(works)


def test_a_message_that_comes_twice_changes_nothing(works: Works) -> None:
    works.receive("1.2.3.1")
    told(works, OTHER)
    judged(works)
    assert told(works, OTHER) == {"1.2.3.1": "waiting"}


def test_an_order_that_is_taken_back_misses_no_images_any_more(works: Works) -> None:
    works.receive("1.2.3.1")
    own = evolve(OTHER, key=OrderKey("4711"))
    told(works, own, OTHER)
    judged(works)
    assert "ORDER-022" in found(works)
    assert told(works, evolve(OTHER, is_cancelled=True)) == {"1.2.3.1": "predicted"}
    judged(works)
    assert "ORDER-022" not in found(works)


def test_an_order_that_moves_to_another_day_is_news_for_both(works: Works) -> None:
    works.receive("1.2.3.1")
    told(works, OTHER)
    judged(works)
    tomorrow = evolve(OTHER, steps=(ScheduledStep(modality="CT", date="20260302"),))
    assert told(works, tomorrow) == {"1.2.3.1": "predicted"}
    judged(works)
    assert "ORDER-022" not in found(works)


def test_an_order_of_another_day_or_patient_is_no_news(works: Works) -> None:
    works.receive("1.2.3.1")
    judged(works)
    elsewhen = evolve(OTHER, steps=(ScheduledStep(modality="CT", date="20260302"),))
    somebody = evolve(OTHER, patient_id="4713")
    assert told(works, elsewhen, somebody) == {"1.2.3.1": "waiting"}


def test_a_verdict_under_way_was_reached_without_the_order_and_is_not_written(
    works: Works,
) -> None:
    works.receive("1.2.3.1")
    worker, store = works.worker(), works.service.store
    eventually(lambda: worker.turn() >= 0 and "predicted" in works.states().values(), "predicted")
    terms, now = Terms(lease_s=60, attempts_max=3), datetime.now(UTC)
    lease = leases.claim(store, [SeriesState.PREDICTED], terms, now + timedelta(seconds=1))
    assert lease is not None
    told(works, OTHER)
    nothing = Judgement(event=SeriesEvent.PASS, verdict=Verdict((), Outcomes()))
    assert not result_rows.save_judgement(store, lease, nothing, now)
    judged(works)
    assert "ORDER-022" in found(works)
