"""Templates to pages. Everything that is put in is escaped; nothing is marked safe elsewhere."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from qa_daemon.language.speech import Speech, speech
from qa_daemon.language.texts import LANGUAGES
from qa_daemon.queue.listing.trouble import trouble_told
from qa_daemon.store.listing.preference_rows import Preferences, preferences_of
from qa_daemon.web.endpoints import csrf_token, desk, visitor_or_none
from qa_daemon.web.keys import KEYS, keymap, strokes


def rendered(
    request: HTTPConnection,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    template
        Below `templates/`; a page of the queue extends `frame.html`, one before the sign-in
        `base.html`, a fragment neither.
    values
        Beside what every template has: `visitor` (or None), `csrf`, `path`, `speech` with `_` and
        `ngettext`, `liked` (Preferences), `keymap`, `keys`, `strokes`, `places`, and
        `export_trouble()`, which asks what does not leave.
    """
    likes = liked(request)
    tongue = speech_of(request)
    given = {
        "visitor": visitor_or_none(request),
        "csrf": csrf_token(request),
        "path": request.url.path,
        "speech": tongue,
        "_": tongue.say,
        "gettext": tongue.say,
        "ngettext": tongue.count,
        "liked": likes,
        "keymap": keymap(likes.keys),
        "keys": KEYS,
        "strokes": strokes(likes.keys),
        "places": desk(request).places,
        "export_trouble": partial(_export_trouble, request, tongue),
        **(values or {}),
    }
    return HTMLResponse(_environment().get_template(template).render(given), status)


def _export_trouble(request: HTTPConnection, tongue: Speech) -> Mapping[str, Any] | None:
    return trouble_told(desk(request).store, tongue)


def liked(request: HTTPConnection) -> Preferences:
    """Return how who asks likes the queue; read once a request."""
    state = request.scope["state"]
    found = state.get("liked")
    if not isinstance(found, Preferences):
        who = visitor_or_none(request)
        found = Preferences() if who is None else preferences_of(desk(request).store, who.name)
        state["liked"] = found
    return found


def speech_of(request: HTTPConnection) -> Speech:
    """Return the language of who asks: as chosen, else as the browser asks."""
    who = visitor_or_none(request)
    chosen = liked(request).language or ("" if who is None else who.language)
    return speech(chosen or _asked_for(request.headers.get("accept-language", "")))


def _asked_for(header: str) -> str:
    """Return the first language of an Accept-Language header that there is a catalogue for."""
    for part in header.split(",")[:20]:
        language = part.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=PackageLoader("qa_daemon.web", "templates"),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
