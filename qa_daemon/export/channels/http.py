"""POST to a program of the site: bounded in time and size, never led elsewhere."""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
from attrs import frozen

from qa_daemon.export.package import Answer, Verdict

#: As much of an answer as is read; more of it tells nobody more.
ANSWER_BYTES_MAX: Final = 4096
#: A place may ask for a pause, but not for one that nobody would notice the end of.
PAUSE_S_MAX: Final = 3600
#: Statuses that time may mend, beside 5xx: Request Timeout, Too Early, Too Many Requests.
_PASSING: Final = frozenset({408, 425, 429})


@frozen(kw_only=True)
class Place:
    """Where to POST.

    Attributes
    ----------
    deadline_s
        For all of it.
    authorities
        PEM of whom to trust; None = as the system does.
    fine
        Statuses beside 2xx that say that it has it.
    """

    url: str
    deadline_s: float
    authorities: Path | None = None
    fine: frozenset[int] = frozenset()


def post(place: Place, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send once; return what the place said, and whether to try again."""
    until = monotonic() + place.deadline_s
    try:
        trust = _trust(place.authorities)
        with (
            httpx.Client(
                verify=trust, timeout=place.deadline_s, follow_redirects=False, trust_env=False
            ) as client,
            client.stream("POST", place.url, content=body, headers=dict(headers)) as response,
        ):
            words = _read(response, until)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Answer(verdict=Verdict.REFUSED, words="the URL cannot be used; mend it")
    except (httpx.HTTPError, OSError, ssl.SSLError) as error:
        return Answer(verdict=Verdict.LATER, words=f"no answer ({type(error).__name__})")
    return _judged(place, response, words)


def _trust(authorities: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if authorities is None else str(authorities))


def _read(response: httpx.Response, until: float) -> str:
    content = b""
    for piece in response.iter_bytes():
        content += piece
        if len(content) > ANSWER_BYTES_MAX or monotonic() > until:
            break  # it has said enough, or takes too long to say it; the status stands
    return content[:ANSWER_BYTES_MAX].decode("utf-8", "replace").strip()


def _judged(place: Place, response: httpx.Response, words: str) -> Answer:
    status = response.status_code
    said = " ".join(filter(None, (f"HTTP {status} {response.reason_phrase}".strip(), words)))
    if response.is_success or status in place.fine:
        return Answer(verdict=Verdict.SENT, words=said)
    if response.is_redirect:
        return Answer(verdict=Verdict.REFUSED, words=f"{said}: leads elsewhere, which is not gone")
    if status >= 500 or status in _PASSING:
        return Answer(verdict=Verdict.LATER, words=said, after=_pause(response))
    return Answer(verdict=Verdict.REFUSED, words=said)


def _pause(response: httpx.Response) -> timedelta | None:
    """Return the Retry-After of an answer, where it is in seconds."""
    text = response.headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        return None
    return timedelta(seconds=min(int(text), PAUSE_S_MAX))
