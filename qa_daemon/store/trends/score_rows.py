"""How sure each model was of each series, and what its card says that it usually is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, and_, case, delete, func, insert, select, update

from qa_daemon.records.prediction import MULTI_LABEL, Prediction
from qa_daemon.store.database import Store
from qa_daemon.store.trends.tables import model_baselines, scores
from qa_daemon.trends.drift import BIN_COUNT, Distribution, Scores
from qa_daemon.trends.overview import Revision

#: Series of a site that stand for what is usual where a card says nothing.
FIRST_SERIES: Final = 1000
#: Models of which something is told; a site has some ten in force and a few older ones.
MODELS_MAX: Final = 100


def replace(
    connection: Connection, series_key: str, predictions: Sequence[Prediction], at: datetime
) -> None:
    """Keep how sure the models are of a series, in place of what an earlier step left."""
    connection.execute(delete(scores).where(scores.c.series_key == series_key))
    rows = [
        {
            "series_key": series_key,
            "target": prediction.target,
            "model": prediction.model,
            "probability": prediction.probability,
            "abstained": int(prediction.abstained),
            "at": at,
        }
        for prediction in predictions
        if prediction.sop_instance_uid is None
        and prediction.probability is not None
        and prediction.target not in MULTI_LABEL
    ]
    if rows:
        connection.execute(insert(scores), list({row["target"]: row for row in rows}.values()))


def keep_baselines(store: Store, told: Mapping[tuple[str, str], Distribution]) -> None:
    """Keep what the cards of models say of their scores, by target and id@version."""
    with store.writing() as connection:
        for (target, model), baseline in told.items():
            own = and_(model_baselines.c.target == target, model_baselines.c.model == model)
            counts = ",".join(map(str, baseline.counts))
            changed = update(model_baselines).where(own).values(counts=counts)
            if connection.execute(changed).rowcount == 0:
                values = {"target": target, "model": model, "counts": counts}
                connection.execute(insert(model_baselines).values(values))


def recent_scores(store: Store, since: datetime) -> tuple[Scores, ...]:
    """Return what each model said since then, with what is expected of it, by target and model."""
    with store.reading() as connection:
        told = _baselines(connection)
        spans = _spans(connection)
        seen = _seen(connection, since)
        return tuple(
            Scores(
                target=target,
                model=model,
                since=max(since, spans[target, model]),
                seen=counted.distribution,
                abstained=counted.abstained,
                expected=told.get((target, model)) or _first(connection, target, model),
                is_of_card=(target, model) in told,
            )
            for (target, model), counted in sorted(seen.items())
        )


def model_revisions(store: Store) -> tuple[Revision, ...]:
    """Return when each model first said something, the earliest first."""
    with store.reading() as connection:
        begun: dict[str, datetime] = {}
        for (_target, model), at in _spans(connection).items():
            begun[model] = min(at, begun.get(model, at))
    return tuple(
        Revision(kind="model", name=model, at=at)
        for model, at in sorted(begun.items(), key=lambda each: (each[1], each[0]))
    )


@frozen
class _Counted:
    distribution: Distribution
    abstained: int


def _bin() -> Any:
    # Not a cast to an integer, which rounds on PostgreSQL and cuts on SQLite.
    limits = (((number + 1) / BIN_COUNT, number) for number in range(BIN_COUNT - 1))
    return case(
        *((scores.c.probability < limit, number) for limit, number in limits), else_=BIN_COUNT - 1
    )


def _seen(connection: Connection, since: datetime) -> dict[tuple[str, str], _Counted]:
    tenth = _bin().label("tenth")
    statement = (
        select(
            scores.c.target,
            scores.c.model,
            tenth,
            func.count().label("series_count"),
            func.sum(scores.c.abstained).label("abstained"),
        )
        .where(scores.c.at >= since)
        .group_by(scores.c.target, scores.c.model, tenth)
    )
    counts: dict[tuple[str, str], list[int]] = {}
    abstained: dict[tuple[str, str], int] = {}
    for row in connection.execute(statement):
        key = (row.target, row.model)
        counts.setdefault(key, [0] * BIN_COUNT)[row.tenth] = row.series_count
        abstained[key] = abstained.get(key, 0) + int(row.abstained)
    return {
        key: _Counted(Distribution(tuple(counted)), abstained[key])
        for key, counted in counts.items()
    }


def _spans(connection: Connection) -> dict[tuple[str, str], datetime]:
    first = func.min(scores.c.at)
    statement = (
        select(scores.c.target, scores.c.model, first.label("first"))
        .group_by(scores.c.target, scores.c.model)
        .order_by(first.desc())
        .limit(MODELS_MAX)
    )
    return {(row.target, row.model): row.first for row in connection.execute(statement)}


def _first(connection: Connection, target: str, model: str) -> Distribution:
    """Return the first scores of a model at this site."""
    own = (
        select(_bin().label("tenth"))
        .where(scores.c.target == target, scores.c.model == model)
        .order_by(scores.c.at, scores.c.series_key)
        .limit(FIRST_SERIES)
        .subquery()
    )
    statement = select(own.c.tenth, func.count().label("series_count")).group_by(own.c.tenth)
    counts = [0] * BIN_COUNT
    for row in connection.execute(statement):
        counts[row.tenth] = row.series_count
    return Distribution(tuple(counts))


def _baselines(connection: Connection) -> dict[tuple[str, str], Distribution]:
    return {
        (row.target, row.model): Distribution(tuple(map(int, row.counts.split(","))))
        for row in connection.execute(select(model_baselines).limit(MODELS_MAX))
    }
