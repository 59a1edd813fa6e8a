"""The inbox: lines to work down, filters in the address, views with counts."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from attrs import asdict, evolve, frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.speech import Speech
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding.presence import GONE_AFTER
from qa_daemon.queue.listing.address import query_of, wanted_of
from qa_daemon.queue.listing.shown import Line, line_of
from qa_daemon.records.issue import IssueState
from qa_daemon.store.listing import facet_rows, line_rows, preference_rows
from qa_daemon.store.listing.line_rows import Tally
from qa_daemon.store.listing.preference_rows import VIEWS_MAX, View
from qa_daemon.store.listing.wanted import Sort, Wanted
from qa_daemon.store.previews.preview_rows import drawn_among
from qa_daemon.store.review import presence_rows
from qa_daemon.web.endpoints import desk, field, require, visitor
from qa_daemon.web.pages.inbox.filters import filters_of
from qa_daemon.web.pages.inbox.views import asked_of, heading_of, views_of
from qa_daemon.web.pages.sight import sight_of
from qa_daemon.web.rendering import liked, rendered, speech_of

#: Lines of one page; find-in-page and screen readers take no more at once gladly.
LINES: Final = 100
#: A name that fits beside the list.
VIEW_NAME_LENGTH_MAX: Final = 40
#: Whether the receiver answers is asked in passing, of a list that is empty.
RECEIVER_TIMEOUT_S: Final = 0.3
#: Findings of an issue that the pane beside the list names.
PEEKED: Final = 5


def routes() -> list[BaseRoute]:
    """Return the list, its side pane, and the views of one's own."""
    return [
        Route("/inbox", _show, methods=["GET"]),
        Route("/inbox/peek/{finding_id:int}", _peek, methods=["GET"]),
        Route("/inbox/views", _save_view, methods=["POST"]),
        Route("/inbox/views/remove", _remove_view, methods=["POST"]),
    ]


@frozen(kw_only=True)
class ShownLine:
    """A line with all that its template asks for."""

    line: Line
    index: int
    href: str
    picture: str
    state_word: str
    state_class: str
    present: tuple[str, ...]


@frozen
class Group:
    """Lines under one head."""

    name: str
    words: str
    lines: tuple[ShownLine, ...]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    return rendered(request, "inbox.html", list_of(request, request.url.query))


def list_of(request: Request, query: str) -> dict[str, Any]:
    """Return all that the templates of the list ask for.

    Parameters
    ----------
    query
        The filter, as it stands in the address of the list.
    """
    who, store, now = visitor(request), desk(request).store, desk(request).now()
    wanted = wanted_of(query, asked_of(who))
    after = dict(parse_qsl(query)).get("after", "")
    counted = desk(request).counting
    tally = counted.tally(wanted, now)
    page = line_rows.page_of(store, wanted, now, after, LINES)
    sight, speech = sight_of(request), speech_of(request)
    lines = [line_of(row, sight) for row in page.lines]
    own = query_of(wanted)
    return {
        "heading": heading_of(wanted, liked(request), speech),
        "tally": tally,
        "query": own,
        "here": f"/inbox?{own}",
        "search": wanted.search,
        "after": page.after,
        "next_href": _next_href(own, page.after),
        "since": counted.stamp().finding_id,
        "groups": _grouped(tuple(_drawn(lines, request, own)), wanted, tally, speech),
        "is_filtered": wanted.unordered != Wanted(),
        "is_look_first": any(line.row.look_first for line in lines),
        "may_decide": who.may(Permission.DECIDE),
        **views_of(request, wanted),
        **asdict(filters_of(request, wanted), recurse=False),
        **({} if lines else _quiet(request, speech)),
    }


def _next_href(query: str, after: str) -> str:
    return f"/inbox?{query}{'&' if query else ''}{urlencode({'after': after})}" if after else ""


def _drawn(lines: Sequence[Line], request: Request, query: str) -> Iterator[ShownLine]:
    speech = speech_of(request)
    ids = [line.row.finding_id for line in lines]
    now = desk(request).now()
    present = presence_rows.present(desk(request).store, ids, now - GONE_AFTER)
    drawn = drawn_among(desk(request).store, [line.row.series_key for line in lines])
    own = visitor(request).name
    for index, line in enumerate(lines, 1):
        state = line.state
        yield ShownLine(
            line=line,
            index=index,
            href=f"/finding/{line.row.finding_id}" + (f"?from={quote(query)}" if query else ""),
            picture=f"/picture/{line.row.series_key}" if line.row.series_key in drawn else "",
            state_word="" if state is None else speech.say(STATE_WORDS[state]),
            state_class="" if state is None else STATE_CLASSES.get(state, ""),
            present=tuple(who for who in present.get(line.row.finding_id, ()) if who != own),
        )


#: What a line says of how its issue stands; nothing where it only goes on.
STATE_WORDS: Final = {
    IssueState.NEW: "New",
    IssueState.ESCALATING: "Rising",
    IssueState.REGRESSED: "Regressed",
    IssueState.MUTED: "Muted",
    IssueState.RESOLVED: "Resolved",
}
STATE_CLASSES: Final = {IssueState.REGRESSED: "reg", IssueState.ESCALATING: "esc"}


def _grouped(
    shown: tuple[ShownLine, ...], wanted: Wanted, tally: Tally, speech: Speech
) -> tuple[Group, ...]:
    if not shown:
        return ()
    if wanted.sort is not Sort.SAFETY:
        return (Group("", "", shown),)
    first = tuple(line for line in shown if line.line.row.rank == 0)
    rest = tuple(line for line in shown if line.line.row.rank != 0)
    groups = []
    if first:
        words = _words(tally.first_lines, tally.first_findings, speech)
        why = speech.say("orientation, side, patient, order")
        groups.append(Group(speech.say("Safety first"), f"{words}: {why}", first))
    if rest:
        lines, findings = tally.lines - tally.first_lines, tally.findings - tally.first_findings
        groups.append(Group(speech.say("Others"), _words(lines, findings, speech), rest))
    return tuple(groups)


def _words(lines: int, findings: int, speech: Speech) -> str:
    told = speech.count("{count} line", "{count} lines", lines)
    return f"{told}, {speech.count('{count} finding', '{count} findings', findings)}"


def _quiet(request: Request, speech: Speech) -> dict[str, object]:
    """Return what an empty list says, so that a dead receiver does not look like a good day."""
    now = desk(request).now()
    finding_at, images_at = facet_rows.last_times(desk(request).store)
    return {
        "last_finding": "" if finding_at is None else speech.age(now - finding_at),
        "last_images": "" if images_at is None else speech.age(now - images_at),
        "receiver_answers": _answers(request),
    }


def _answers(request: Request) -> bool:
    receiver = desk(request).settings.receiver
    host = receiver.host if receiver.host not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104  what to connect to where it listens everywhere
    try:
        with socket.create_connection((host, receiver.port), RECEIVER_TIMEOUT_S):
            return True
    except OSError:
        return False


@require(Permission.SEE)
def _peek(request: Request) -> Response:
    store, now = desk(request).store, desk(request).now()
    row = line_rows.listed_finding(store, request.path_params["finding_id"])
    if row is None:
        raise HTTPException(404)
    sight = sight_of(request)
    wanted = wanted_of(request.query_params.get("of", ""), asked_of(visitor(request)))
    beside = line_rows.findings_of(store, row.issue_key, wanted.state, now, PEEKED)
    values = {
        "line": line_of(row, sight),
        "beside": [line_of(each, sight) for each in beside],
        "may_decide": visitor(request).may(Permission.DECIDE),
    }
    return rendered(request, "inbox/peek.html", values)


@require(Permission.SEE)
def _save_view(request: Request) -> Response:
    """Keep a filter under a name; the same name again replaces it."""
    name = " ".join(field(request, "name").split())[:VIEW_NAME_LENGTH_MAX]
    query = query_of(wanted_of(field(request, "query"), asked_of(visitor(request))))
    likes = liked(request)
    others = tuple(view for view in likes.views if view.name != name)
    if not name or len(others) >= VIEWS_MAX:
        raise HTTPException(400, f"A view needs a name, and at most {VIEWS_MAX} are kept.")
    _prefer(request, (*others, View(name, query)))
    return RedirectResponse(f"/inbox?{query}", 303)


@require(Permission.SEE)
def _remove_view(request: Request) -> Response:
    name = field(request, "name")
    _prefer(request, tuple(view for view in liked(request).views if view.name != name))
    return RedirectResponse("/inbox", 303)


def _prefer(request: Request, views: tuple[View, ...]) -> None:
    preferred = evolve(liked(request), views=views)
    own = desk(request)
    preference_rows.prefer(own.store, visitor(request).name, preferred, own.now())
