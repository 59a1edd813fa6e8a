"""Templates to pages. Everything that is put in is escaped; nothing is marked safe elsewhere."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from qa_daemon.web.endpoints import csrf_token, visitor_or_none


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
        Below `templates/`; a page extends `base.html`, a fragment does not.
    values
        Beside `visitor` (or None), `csrf` and `path`, which every template has.
    """
    given = {
        "visitor": visitor_or_none(request),
        "csrf": csrf_token(request),
        "path": request.url.path,
        **(values or {}),
    }
    return HTMLResponse(_environment().get_template(template).render(given), status)


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=PackageLoader("qa_daemon.web", "templates"),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # of i18n
    return environment
