"""The tables of scores."""

from typing import Final

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text

from qa_daemon.store.tables import count, metadata, text, time

#: How sure each model was of each series; single-label targets, of which one figure says it.
scores: Final = Table(
    "scores",
    metadata,
    Column(
        "series_key", Text, ForeignKey("series.series_key", ondelete="CASCADE"), primary_key=True
    ),
    text("target", primary_key=True),
    text("model"),
    Column("probability", Float, nullable=False),
    count("abstained"),  # 1 where it was not used
    time("at"),
    Index(None, "target", "model", "at"),
)

#: How sure a model is of the pictures that its card was measured on: ten counts, by tenths.
model_baselines: Final = Table(
    "model_baselines",
    metadata,
    text("target", primary_key=True),
    text("model", primary_key=True),
    text("counts"),
)
