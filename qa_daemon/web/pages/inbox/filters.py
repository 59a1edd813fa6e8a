"""The filters above the list: what is set, what can be set, and how it is sorted."""

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import evolve, frozen
from starlette.requests import Request

from qa_daemon.language.speech import Speech
from qa_daemon.queue.listing.address import query_of, toggled
from qa_daemon.queue.listing.shown import printable
from qa_daemon.records.finding import Severity
from qa_daemon.store.listing.wanted import Sort, State, Wanted
from qa_daemon.web.endpoints import desk
from qa_daemon.web.rendering import speech_of

#: Entries of one menu, the most frequent first.
ENTRIES_MAX: Final = 40


@frozen
class Chip:
    """A filter that is set; its address takes it away."""

    label: str
    value: str
    href: str


@frozen
class Entry:
    """A value that can be chosen."""

    name: str
    href: str
    count: int | None
    is_current: bool


@frozen
class Menu:
    """A filter that can be set."""

    label: str
    entries: tuple[Entry, ...]


@frozen(kw_only=True)
class Filters:
    """All of it; the names are those of the template."""

    chips: tuple[Chip, ...]
    menus: tuple[Menu, ...]
    sorts: tuple[Entry, ...]
    sort_label: str


SORTS: Final = {
    Sort.SAFETY: "safety, regressed, oldest",
    Sort.SEVERITY: "severity, oldest",
    Sort.OLDEST: "oldest",
    Sort.NEWEST: "newest",
    Sort.COUNT: "most frequent",
}
STATES: Final = {
    State.OPEN: "waiting",
    State.AWAITING: "awaits a second person",
    State.DEFERRED: "deferred",
    State.DECIDED: "decided",
    State.MUTED: "muted",
}


def filters_of(request: Request, wanted: Wanted) -> Filters:
    """Return what stands above the list of a filter."""
    speech = speech_of(request)
    return Filters(
        chips=tuple(_chips(wanted, speech)),
        menus=tuple(_menus(request, wanted, speech)),
        sorts=tuple(
            Entry(speech.say(words), _href(evolve(wanted, sort=sort)), None, wanted.sort is sort)
            for sort, words in SORTS.items()
        ),
        sort_label=speech.say(SORTS[wanted.sort]),
    )


def _href(wanted: Wanted) -> str:
    query = query_of(wanted)
    return f"/inbox?{query}" if query else "/inbox"


def _chips(wanted: Wanted, speech: Speech) -> Iterator[Chip]:
    if wanted.state is not State.OPEN:
        name = speech.say(STATES[wanted.state])
        yield Chip(speech.say("State"), name, _href(evolve(wanted, state=State.OPEN)))
    for key, label, values in (
        ("modality", "Modality", wanted.modalities),
        ("ae", "AE", wanted.aes),
        ("station", "Station", wanted.stations),
        ("rule", "Rule", wanted.rules),
    ):
        for value in values:
            yield Chip(speech.say(label), printable(value), _href(toggled(wanted, key, value)))
    for severity in wanted.severities:
        name = speech.say(severity.word.capitalize())
        yield Chip(speech.say("Severity"), name, _href(toggled(wanted, "severity", severity.word)))
    if wanted.search:
        yield Chip(speech.say("Search"), printable(wanted.search), _href(evolve(wanted, search="")))


def _menus(request: Request, wanted: Wanted, speech: Speech) -> Iterator[Menu]:
    counted = desk(request).counting
    now = desk(request).now()
    found = counted.facets(now)
    yield Menu(
        speech.say("State"),
        tuple(
            Entry(
                speech.say(words), _href(evolve(wanted, state=state)), None, wanted.state is state
            )
            for state, words in STATES.items()
        ),
    )
    senders: Mapping[str, int | None] = dict.fromkeys(counted.senders(now))
    for key, label, values, chosen in (
        ("modality", "Modality", found.modalities, wanted.modalities),
        ("ae", "AE", senders, wanted.aes),
        ("station", "Station", found.stations, wanted.stations),
        ("rule", "Rule", found.rules, wanted.rules),
    ):
        yield Menu(speech.say(label), tuple(_entries(wanted, key, values, chosen)))
    yield Menu(
        speech.say("Severity"),
        tuple(
            Entry(
                speech.say(each.word.capitalize()),
                _href(toggled(wanted, "severity", each.word)),
                None,
                each in wanted.severities,
            )
            for each in sorted(Severity, reverse=True)
            if each is not Severity.INFO
        ),
    )


def _entries(
    wanted: Wanted, key: str, values: Mapping[str, int | None], chosen: tuple[str, ...]
) -> Iterator[Entry]:
    often = sorted(values.items(), key=lambda item: (-(item[1] or 0), item[0]))
    for value, count in often[:ENTRIES_MAX]:
        if value:
            href = _href(toggled(wanted, key, value))
            yield Entry(printable(value), href, count, value in chosen)
