"""GET of the review page, of its pictures, and of what a person may choose there."""

from typing import Any, Final
from urllib.parse import quote

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.geometry.orientation import inverse, turn_between
from qa_daemon.language.speech import Speech
from qa_daemon.queue.accounts.permissions import Permission, Visitor
from qa_daemon.queue.deciding import amend
from qa_daemon.queue.deciding.answers import Refused
from qa_daemon.queue.listing.pseudonym import pseudonym
from qa_daemon.queue.reviewing.hanging import hung_by_class
from qa_daemon.queue.reviewing.page import Review, review_of
from qa_daemon.queue.reviewing.rule import rule_words
from qa_daemon.queue.reviewing.tag_table import table
from qa_daemon.records.decision import RejectReason, Verb
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Topic
from qa_daemon.store.audit.entries import note_view
from qa_daemon.store.previews.folder import PreviewFolder
from qa_daemon.store.previews.preview_rows import previews_of
from qa_daemon.store.review import decision_rows
from qa_daemon.web.deciding import decision_desk, new_number
from qa_daemon.web.endpoints import desk, require, visitor
from qa_daemon.web.failures import NOT_FOUND
from qa_daemon.web.guard.gate import BACKGROUND_HEADER
from qa_daemon.web.rendering import rendered, speech_of
from qa_daemon.web.review import verdicts, wording
from qa_daemon.web.review.graph import graph
from qa_daemon.web.review.stack import picture_url, stack

#: A picture's name is the digest of its pixels: it never changes.
CACHE: Final = "private, max-age=31536000, immutable"
REASON_WORDS: Final = {
    RejectReason.TAGS_RIGHT: "The tags are right",
    RejectReason.OTHER_FAULT: "Another fault than this",
    RejectReason.ANATOMY: "Anatomy is really so (situs inversus)",
    RejectReason.TEST: "Test or phantom images",
    RejectReason.UNTELLABLE: "Cannot be told from these pictures",
    RejectReason.OTHER: "Other, with a word",
}


def routes() -> list[BaseRoute]:
    """Return the review page, its pictures and its verdicts."""
    return [
        Route("/finding/{number}", _page, methods=["GET"]),
        Route("/finding/{number}/class/{label}", _class_chosen, methods=["GET"]),
        Route("/picture/{series_key}", _glimpse, methods=["GET"]),
        Route("/picture/{series_key}/{name}", _picture, methods=["GET"]),
        *verdicts.routes(),
    ]


@require(Permission.SEE)
def _page(request: Request) -> Response:
    review = _found(request)
    place = desk(request)
    if review.series_key and BACKGROUND_HEADER not in request.headers:
        note_view(place.store, visitor(request).operator(place.now()), review.series_key)
    return rendered(request, "review/page.html", _values(request, review))


@require(Permission.SEE)
def _class_chosen(request: Request) -> Response:
    """Show what would be written if the picture shows another class."""
    review, label = _found(request), request.path_params["label"]
    try:
        offered = amend.class_suggestions(decision_desk(request), review.row, label)
    except Refused as refused:
        raise HTTPException(400, str(refused)) from refused
    values = _values(request, review) | {"rows": table(offered[0]), "chosen": label}
    return rendered(request, "review/tags.html", values)


@require(Permission.SEE)
def _picture(request: Request) -> Response:
    folder = PreviewFolder(desk(request).settings.preview_folder)
    file = folder.picture(request.path_params["series_key"], request.path_params["name"])
    if file is None or not file.is_file():
        raise HTTPException(404, NOT_FOUND)
    return FileResponse(file, media_type="image/webp", headers={"Cache-Control": CACHE})


@require(Permission.SEE)
def _glimpse(request: Request) -> Response:
    """Lead to the thumbnail that stands for a series now; a later revision may have another."""
    series_key = request.path_params["series_key"]
    drawn = previews_of(desk(request).store, series_key)
    if drawn is None or not drawn.glimpse:
        raise HTTPException(404, NOT_FOUND)
    place = f"/picture/{quote(series_key, safe='')}/{drawn.glimpse}"
    return RedirectResponse(place, 302, headers={"Cache-Control": "private, max-age=60"})


def _found(request: Request) -> Review:
    place = desk(request)
    rank = request.query_params.get("rank", "0")
    review = review_of(
        place.store,
        verdicts.finding_number(request),
        place.now(),
        rank=int(rank) if rank in {"0", "1", "2", "3"} else 0,
    )
    if review is None:
        raise HTTPException(404, NOT_FOUND)
    return review


@frozen
class Tile:
    """One of the eight pictures of the class picker."""

    label: int
    key: int
    turn: int
    words: str
    is_tagged: bool
    is_suggested: bool


def _values(request: Request, review: Review) -> dict[str, Any]:
    person = visitor(request)
    spoken = speech_of(request)
    settings = desk(request).settings
    standing = decision_rows.decision_of(desk(request).store, review.row.id)
    finding = review.row.finding
    return {
        "speech": spoken,
        "say": spoken.say,
        "review": review,
        "finding": finding,
        "wording": wording,
        "question": wording.question(review, spoken),
        "sentence": wording.sentence(review, spoken),
        "patient": _patient(request, review, person, spoken),
        "stack": stack(review, spoken),
        "picture_url": picture_url,
        "tiles": _tiles(review, spoken),
        "has_classes": finding.topic is Topic.ORIENTATION and review.is_hung_anew,
        "rows": review.rows,
        "chosen": "",
        "rule": rule_words(settings, finding.rule),
        "reasons": [
            (at, each.value, REASON_WORDS[each]) for at, each in enumerate(RejectReason, 1)
        ],
        "graph": None if review.visit is None else graph(review.visit),
        "answers": [each.verb is Verb.ACCEPT for each in review.recurring.answered],
        "decided": None if standing is None or not standing.decision.is_final else standing,
        "may_decide": person.may(Permission.DECIDE),
        "hung_by_class": hung_by_class,
        "request_number": new_number(),
    }


def _patient(
    request: Request, review: Review, person: Visitor, spoken: Speech
) -> wording.PatientLine:
    elements = {} if review.instance is None else review.instance.elements
    told = [first_text(elements, keyword) for keyword in ("PatientID", "PatientName")]
    code = pseudonym(desk(request).pseudonym_key, *told)
    alias = spoken.say("Patient {code}", code=code)
    return wording.patient_line(review, spoken, sees_patients=person.sees_patients, alias=alias)


def _tiles(review: Review, spoken: Speech) -> list[Tile]:
    """Return the slice in hand under each hypothesis: the true one looks like the textbook."""
    suggested = _suggested_class(review)
    return [
        Tile(
            label=label,
            key=label + 1,
            turn=hung_by_class(label),
            words=wording.turn_words(turn_between(label, review.tagged), spoken),
            is_tagged=label == review.tagged,
            is_suggested=label == suggested,
        )
        for label in range(8)
    ]


def _suggested_class(review: Review) -> int | None:
    if not review.pairs:
        return None
    suggested = review.pairs[review.start].suggested
    return None if suggested is None else inverse(suggested.turn)
