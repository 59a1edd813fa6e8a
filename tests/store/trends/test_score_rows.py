"""How sure models are is kept per series, counted by tenths, and compared with their cards."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import evolve

from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.states import SeriesState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.trends import score_rows
from qa_daemon.trends.drift import Distribution

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)


def said(probability: float | None, model: str = "view@1.0.0", **more: Any) -> Prediction:
    plain = Prediction("view", model, "AP", probability, abstained=False)
    return evolve(plain, **more)


def predicted(store: Store, sender: Any, uid: str, at: datetime, *said: Prediction) -> None:
    record(store, [sender.receipt(uid)], at)
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, at)
    lease = leases.claim(store, (SeriesState.SETTLED,), TERMS, at)
    assert lease is not None
    assert result_rows.save_inference(store, lease, Inference(predictions=said), at)


def counts(**tenths: int) -> Distribution:
    return Distribution(tuple(tenths.get(f"t{tenth}", 0) for tenth in range(10)))


def test_scores_are_counted_by_tenths_with_what_was_not_used(
    store: Store, sender: Any, at: At
) -> None:
    predicted(store, sender, "1.2.3.1", at(0), said(0.95))
    predicted(store, sender, "1.2.3.2", at(1), said(1.0))
    predicted(store, sender, "1.2.3.3", at(2), said(0.1, abstained=True))
    (found,) = score_rows.recent_scores(store, at(0))
    assert (found.target, found.model, found.since) == ("view", "view@1.0.0", at(0))
    assert (found.seen, found.abstained) == (counts(t9=2, t1=1), 1)
    (found,) = score_rows.recent_scores(store, at(2))
    assert (found.seen, found.since) == (counts(t1=1), at(2))


def test_only_what_was_computed_of_the_whole_series_with_one_label_is_a_score(
    store: Store, sender: Any, at: At
) -> None:
    of_a_frame = said(0.9, sop_instance_uid="1.2.3.1.1")
    of_many_labels = Prediction("body_part", "body_part@1.0.0", "HAND", 0.9, abstained=False)
    predicted(store, sender, "1.2.3.1", at(0), said(None), of_a_frame, of_many_labels)
    assert score_rows.recent_scores(store, at(0)) == ()


def test_a_step_that_is_repeated_counts_once(store: Store, sender: Any, at: At) -> None:
    predicted(store, sender, "1.2.3.1", at(0), said(0.9))
    predicted(store, sender, "1.2.3.1", at(1), said(0.5))
    (found,) = score_rows.recent_scores(store, at(0))
    assert found.seen == counts(t5=1)


def test_scores_go_with_their_series(store: Store, sender: Any, at: At) -> None:
    predicted(store, sender, "1.2.3.1", at(0), said(0.9))
    (row,) = series_rows.series_list(store, series_rows.SeriesFilter(), 10)
    series_rows.remove_series(store, row.series_key, Operator("ana", at(1)))
    assert score_rows.recent_scores(store, at(0)) == ()


def test_what_a_card_says_is_expected_and_else_what_came_first(
    store: Store, sender: Any, at: At
) -> None:
    predicted(store, sender, "1.2.3.1", at(0), said(0.5))
    predicted(store, sender, "1.2.3.2", at(9), said(0.9))
    (found,) = score_rows.recent_scores(store, at(9))
    assert (found.expected, found.is_of_card) == (counts(t5=1, t9=1), False)
    card = counts(t9=300)
    for _ in range(2):
        score_rows.keep_baselines(store, {("view", "view@1.0.0"): card})
    (found,) = score_rows.recent_scores(store, at(9))
    assert (found.expected, found.is_of_card) == (card, True)


def test_models_are_told_with_when_each_first_spoke(store: Store, sender: Any, at: At) -> None:
    predicted(store, sender, "1.2.3.1", at(0), said(0.9))
    predicted(store, sender, "1.2.3.2", at(5), said(0.9, "view@1.1.0"))
    told = [(each.name, each.at) for each in score_rows.model_revisions(store)]
    assert told == [("view@1.0.0", at(0)), ("view@1.1.0", at(5))]
