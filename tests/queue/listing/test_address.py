"""Filters as addresses and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.errors import InputError
from qa_daemon.queue.listing.address import query_of, toggled, wanted_of
from qa_daemon.records.finding import Severity
from qa_daemon.store.listing.wanted import Sort, State, Wanted

ASKED = ("ana", "technician")
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
values = st.lists(words, max_size=3, unique=True).map(lambda found: tuple(sorted(found)))


@st.composite
def filters(draw: st.DrawFn) -> Wanted:
    view = draw(st.sampled_from(["", "mine", "safety", "regressed"]))
    severities = draw(st.sets(st.sampled_from(Severity)))
    return Wanted(
        state=draw(st.sampled_from(State)),
        sort=draw(st.sampled_from(Sort)),
        modalities=draw(values),
        aes=draw(values),
        stations=draw(values),
        rules=draw(values),
        severities=tuple(sorted(severities, reverse=True)),
        search=" ".join(draw(words).split()),
        asked=ASKED if view == "mine" else (),
        only_safety=view == "safety",
        only_regressed=view == "regressed",
    )


@given(filters())
def test_a_filter_comes_back_from_its_address(wanted: Wanted) -> None:
    assert wanted_of(query_of(wanted), ASKED) == wanted


def test_the_usual_list_has_no_query() -> None:
    assert query_of(Wanted()) == ""
    assert wanted_of("") == Wanted()


def test_what_an_address_does_not_know_is_passed_over() -> None:
    assert wanted_of("after=x&colour=red&modality=CT") == Wanted(modalities=("CT",))


@pytest.mark.parametrize("query", ["state=gone", "sort=colour", "severity=fatal"])
def test_a_value_that_is_none_is_refused_with_its_name(query: str) -> None:
    with pytest.raises(InputError, match=query.partition("=")[0]):
        wanted_of(query)


def test_more_values_than_a_filter_holds_are_refused() -> None:
    with pytest.raises(InputError, match="more than 50"):
        wanted_of("&".join(f"station=S{number}" for number in range(51)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("modality", "CT"), ("ae", "A"), ("station", "S"), ("rule", "R-1"), ("severity", "major")],
)
def test_a_value_is_put_in_and_taken_out_again(name: str, value: str) -> None:
    once = toggled(Wanted(), name, value)
    assert f"{name}={value}" in query_of(once)
    assert toggled(once, name, value) == Wanted()
