"""Views beside the list: those of the design, modalities, and those that a person has kept."""

from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve, frozen
from starlette.requests import Request

from qa_daemon.language.speech import Speech
from qa_daemon.queue.accounts.permissions import Permission, Visitor
from qa_daemon.queue.listing.address import MINE, query_of, wanted_of
from qa_daemon.store.listing import facet_rows
from qa_daemon.store.listing.facet_rows import Facets
from qa_daemon.store.listing.preference_rows import Preferences
from qa_daemon.store.listing.wanted import State, Wanted
from qa_daemon.web.endpoints import desk, visitor
from qa_daemon.web.rendering import liked, speech_of

#: Modalities that technicians tell apart; radiographs come under two names.
RADIOGRAPHS: Final = ("CR", "DX")
MODALITIES: Final = (("CT", ("CT",)), ("MR", ("MR",)), ("CR / DX", RADIOGRAPHS))
_NAMED: Final = frozenset({"CT", "MR", *RADIOGRAPHS})
#: Other modalities that a filter can name; a site has fewer.
OTHERS_MAX: Final = 40


@frozen(kw_only=True)
class ShownView:
    """A view in the list beside the lines; `count` None = not counted."""

    key: str
    name: str
    icon: str
    query: str
    count: int | None = None
    is_current: bool = False

    @property
    def href(self) -> str:
        """Where it leads."""
        return self.query if self.query.startswith("/") else f"/inbox?{self.query}".rstrip("?")


def asked_of(who: Visitor) -> tuple[str, ...]:
    """Return by which names somebody can be asked."""
    return (who.name, who.role.value)


def heading_of(wanted: Wanted, likes: Preferences, speech: Speech) -> str:
    """Return what a list is called."""
    query = query_of(wanted)
    for view in likes.views:
        if view.query == query:
            return view.name
    if wanted.search:
        return speech.say("Found: {what}", what=wanted.search)
    return speech.say(_built_in(wanted))


def _built_in(wanted: Wanted) -> str:
    if wanted.asked:
        return "Mine"
    if wanted.only_regressed:
        return "Regressed"
    if wanted.only_safety:
        return "Safety first"
    return _STATES[wanted.state]


_STATES: Final = {
    State.OPEN: "All open",
    State.AWAITING: "Second approver",
    State.DEFERRED: "Deferred",
    State.DECIDED: "Decided",
    State.MUTED: "Muted",
}


def views_of(request: Request, wanted: Wanted) -> dict[str, Any]:
    """Return the groups of views, and whether this filter can be kept or given up."""
    speech, likes = speech_of(request), liked(request)
    query = query_of(wanted)
    saved = [view for view in likes.views if view.query == query]
    groups = [
        (speech.say("Views"), _marked(_of_design(request, speech), query)),
        (speech.say("Modality"), _marked(_of_modalities(request, speech), query)),
        (speech.say("Saved"), _marked(_saved(request), query)),
    ]
    return {
        "views": groups,
        "current_saved": saved[0].name if saved else "",
        "can_save": bool(query),
    }


def counts_of(request: Request) -> dict[str, int]:
    """Return the counts of all views by key: what an event tells."""
    speech = speech_of(request)
    shown = [*_of_design(request, speech), *_of_modalities(request, speech), *_saved(request)]
    return {view.key: view.count for view in shown if view.count is not None}


def _marked(views: Iterator[ShownView], query: str) -> list[ShownView]:
    return [evolve(view, is_current=view.query == query) for view in views]


def _of_design(request: Request, speech: Speech) -> Iterator[ShownView]:
    who, own = visitor(request), desk(request)
    found = own.counting.facets(own.now())
    asked = facet_rows.asked_count(own.store, asked_of(who))
    for key, name, icon, query, count in (
        ("open", "All open", "inbox", "", found.open),
        ("safety", "Safety first", "safety", "view=safety", found.safety),
        ("mine", "Mine", "person", f"view={MINE}", asked),
        ("awaiting", "Second approver", "people", "state=awaiting", found.awaiting),
        ("regressed", "Regressed", "back", "view=regressed", found.regressed),
        ("deferred", "Deferred", "clock", "state=deferred", found.deferred),
        ("muted", "Muted", "muted", "/muted", found.muted),
        ("history", "History", "list", "/history", None),
    ):
        yield ShownView(key=key, name=speech.say(name), icon=icon, query=query, count=count)


def _of_modalities(request: Request, speech: Speech) -> Iterator[ShownView]:
    own = desk(request)
    found = own.counting.facets(own.now())
    for name, terms in MODALITIES:
        count = sum(found.modalities.get(term, 0) for term in terms)
        query = query_of(Wanted(modalities=terms))
        yield ShownView(key=f"m-{terms[0]}", name=name, icon="list", query=query, count=count)
    others = _others(found)
    if others:
        count = sum(found.modalities[term] for term in others)
        query = query_of(Wanted(modalities=others))
        name = speech.say("Other")
        yield ShownView(key="m-other", name=name, icon="list", query=query, count=count)


def _others(found: Facets) -> tuple[str, ...]:
    return tuple(sorted(found.modalities.keys() - _NAMED - {""}))[:OTHERS_MAX]


def _saved(request: Request) -> Iterator[ShownView]:
    own, asked = desk(request), asked_of(visitor(request))
    for number, view in enumerate(liked(request).views):
        count = own.counting.tally(wanted_of(view.query, asked), own.now()).findings
        yield ShownView(
            key=f"s-{number}", name=view.name, icon="list", query=view.query, count=count
        )


def may_decide(request: Request) -> bool:
    """Whether who asks may decide."""
    return visitor(request).may(Permission.DECIDE)
