"""CSV that spreadsheets show and do not run."""

import csv
import io

import pytest

from qa_daemon.trends.as_csv import harmless, table, tallies_as_csv
from qa_daemon.trends.facts import Facet
from qa_daemon.trends.rates import Tally


@pytest.mark.parametrize(
    "given",
    ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"],
)
def test_no_cell_begins_like_a_formula(given: str) -> None:
    assert harmless(given) == f"'{given}"


@pytest.mark.parametrize("given", ["CT1", "", "a=b", "3 T", "'=1"])
def test_plain_text_stays_as_it_is(given: str) -> None:
    assert harmless(given) == given


def test_numbers_stay_numbers() -> None:
    assert harmless(0.25) == "0.25"


def test_a_table_reads_back_whatever_stands_in_it() -> None:
    rows = [["a,b", 'say "so"'], ["two\nlines", "\0"]]
    read = list(csv.reader(io.StringIO(table(("x", "y"), rows).removeprefix("\ufeff"), newline="")))
    assert read == [["x", "y"], ["a,b", 'say "so"'], ["two\nlines", "\ufffd"]]


def test_a_rate_that_is_not_known_is_an_empty_cell() -> None:
    row = Tally(value="=cmd", findings=3, accepted=0, rejected=0, false_alarms=0, open=3, muted=0)
    head, cells = csv.reader(
        io.StringIO(tallies_as_csv(Facet.STATION, [row]).removeprefix("\ufeff"), newline="")
    )
    told = dict(zip(head, cells, strict=True))
    assert told["station"] == "'=cmd"
    assert (told["findings"], told["accepted_share"], told["series"]) == ("3", "", "")
