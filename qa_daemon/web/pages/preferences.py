"""How a person likes the queue: language, theme, keys."""

from typing import Final

from attrs import evolve
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.texts import LANGUAGES
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.store.listing.preference_rows import Preferences, prefer
from qa_daemon.web.endpoints import desk, field, form, require, visitor
from qa_daemon.web.keys import ACTS, KEYS, STROKE_LENGTH_MAX, refusal_of
from qa_daemon.web.rendering import liked, rendered

THEMES: Final = ("", "light", "dark")


def routes() -> list[BaseRoute]:
    """Return the page and what it sends."""
    return [
        Route("/preferences", _show, methods=["GET"]),
        Route("/preferences", _keep, methods=["POST"]),
        Route("/preferences/theme", _theme, methods=["POST"]),
    ]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    return rendered(request, "preferences.html", {"languages": LANGUAGES, "clash": ""})


@require(Permission.SEE)
def _keep(request: Request) -> Response:
    language, theme = field(request, "language"), field(request, "theme")
    if language not in {"", *LANGUAGES} or theme not in THEMES:
        raise HTTPException(400, "There is no such language or theme.")
    changed = _changed(request)
    clash = refusal_of(changed)
    if clash is not None:
        values = {"languages": LANGUAGES, "clash": ACTS[clash].label}
        return rendered(request, "preferences.html", values, status=400)
    preferred = evolve(
        liked(request),
        language=language,
        theme=theme,
        keys=changed,
        single_keys=field(request, "single_keys") == "on",
    )
    _prefer(request, preferred)
    return RedirectResponse("/preferences", 303)


def _changed(request: Request) -> dict[str, str]:
    """Return the strokes that differ from the usual ones."""
    given = form(request)
    changed = {}
    for key in KEYS:
        stroke = given.get(f"key-{key.act}")
        if isinstance(stroke, str):
            wanted = stroke[:STROKE_LENGTH_MAX].strip() or (" " if stroke == " " else "")
            if wanted != key.stroke and not (key.stroke == " " and wanted == "Space"):
                changed[key.act] = " " if wanted == "Space" else wanted
    return changed


@require(Permission.SEE)
def _theme(request: Request) -> Response:
    theme = field(request, "theme")
    if theme not in THEMES:
        raise HTTPException(400, "There is no such theme.")
    _prefer(request, evolve(liked(request), theme=theme))
    return Response(status_code=204)


def _prefer(request: Request, preferred: Preferences) -> None:
    prefer(desk(request).store, visitor(request).name, preferred, desk(request).now())
