"""Trends as CSV that a spreadsheet shows and never runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from qa_daemon.trends.daily import Bar
from qa_daemon.trends.facts import Facet
from qa_daemon.trends.rates import Tally

#: A cell that begins with one of these is a formula to a spreadsheet (CWE-1236); full-width forms
#: are taken for them in East Asian locales, and tab or line ends may hide one behind them.
_FORMULA_STARTS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
#: So that spreadsheets read the bytes as UTF-8.
MARK: Final = "\ufeff"


def harmless(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: text that could be gets a quote.

    Numbers stay numbers: this product writes none below zero.
    """
    if isinstance(value, int | float):
        return str(value)
    clean = str(value).replace("\0", "\ufffd")
    return f"'{clean}" if clean.lstrip(" ").startswith(tuple(_FORMULA_STARTS)) else clean


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV (RFC 4180), all cells quoted, the head first."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(map(harmless, head))
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return MARK + written.getvalue()


def tallies_as_csv(facet: Facet, rows: Iterable[Tally]) -> str:
    """Return counts and rates by the values of a facet; what is not known stays empty."""
    head = (
        facet.value, "findings", "accepted", "rejected", "false_alarms", "open", "muted",
        "accepted_share", "interval_low", "interval_high", "series",
        "false_alarms_per_100_series",
    )  # fmt: skip
    return table(head, (_tally_row(row) for row in rows))


def _tally_row(row: Tally) -> tuple[object, ...]:
    share, (low, high) = row.acceptance.value, row.acceptance.interval
    per_series = row.false_alarms_per_100_series
    return (
        row.value,
        row.findings,
        row.accepted,
        row.rejected,
        row.false_alarms,
        row.open,
        row.muted,
        "" if share is None else round(share, 4),
        "" if share is None else round(low, 4),
        "" if share is None else round(high, 4),
        "" if row.series is None else row.series,
        "" if per_series is None else round(per_series, 3),
    )


def bars_as_csv(rows: Iterable[Bar]) -> str:
    """Return what was found and decided, bar by bar, with times as ISO 8601."""
    head = (
        "begins", "ends", "findings", "accepted", "rejected", "false_alarms", "open", "muted",
        "verdicts_given",
    )  # fmt: skip
    return table(
        head,
        (
            (
                bar.begins.isoformat(), bar.ends.isoformat(), bar.findings, bar.accepted,
                bar.rejected, bar.false_alarms, bar.open, bar.muted, bar.verdicts,
            )
            for bar in rows
        ),
    )  # fmt: skip
