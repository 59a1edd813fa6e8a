"""The page of trends, its export, and the digest to read and to print."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.speech import Speech
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.statistics.digest import digest
from qa_daemon.queue.statistics.snapshot import Snapshot, Statistics, zone_of
from qa_daemon.trends.as_csv import bars_as_csv, tallies_as_csv
from qa_daemon.trends.facts import Facet
from qa_daemon.trends.overview import Overview, overview
from qa_daemon.web.endpoints import desk, require, visitor
from qa_daemon.web.rendering import rendered, speech_of
from qa_daemon.web.trends import drawn, muting
from qa_daemon.web.trends.asked import ANY, PERIODS_DAYS, Asked, asked_in

#: Values of a filter that can be chosen; all others are reached by address.
CHOICES_MAX: Final = 200
#: Rows of the table by value; the export has all of them.
ROWS_MAX: Final = 50
#: Models whose sureness is drawn: those that have moved furthest first.
DRIFTS_MAX: Final = 6
#: Filters, in the order of the page.
FILTERS: Final = (
    Facet.STATION, Facet.RULE, Facet.MODALITY, Facet.BODY_PART, Facet.AE, Facet.PROTOCOL,
    Facet.SHIFT,
)  # fmt: skip
DIGEST_DAYS: Final = 7

_STATISTICS: Final = Statistics()


def routes() -> list[BaseRoute]:
    """Return the routes of trends."""
    return [
        Route("/trends", _show, methods=["GET"]),
        Route("/trends/export.csv", _export, methods=["GET"]),
        Route("/trends/digest", _digest, methods=["GET"]),
        *muting.routes(),
    ]


@frozen
class _Looked:
    """One look at the statistics."""

    asked: Asked
    found: Snapshot
    seen: Overview


def _look(request: Request, query: Mapping[str, str]) -> _Looked:
    now, settings = desk(request).now(), desk(request).settings.trends
    asked = asked_in(query, now, zone_of(settings))
    found = _STATISTICS.snapshot(desk(request).store, settings, _days_back(asked, now), now)
    seen = overview(found.findings, found.series, asked.cut, asked.by, now)
    return _Looked(asked, found, seen)


def _days_back(asked: Asked, now: datetime) -> int:
    """Return how many days before today the period begins: so far back facts are needed."""
    today = now.astimezone(asked.period.zone).date()
    return max(1, (today - asked.period.first).days + 1)


@require(Permission.SEE)
def _show(request: Request) -> Response:
    looked = _look(request, request.query_params)
    speech = speech_of(request)
    settings = desk(request).settings.trends
    drifts = sorted(looked.found.drifts, key=lambda each: -(each.index or -1.0))[:DRIFTS_MAX]
    plots: dict[str, Any] = {
        "findings": drawn.findings_plot(looked.seen, looked.asked, looked.found, speech),
        "acceptance": drawn.acceptance_plot(looked.seen, looked.found, speech),
        "backlog": drawn.backlog_plot(looked.seen, settings.backlog_goal_s, speech),
        "throughput": drawn.throughput_plot(looked.seen, speech),
    }
    given = {
        "asked": looked.asked,
        "seen": looked.seen,
        "found": looked.found,
        "plots": plots,
        "drifts": [(each, drawn.drift_plot(each, speech)) for each in drifts],
        "revisions": [
            (each, drawn.revision_in_words(each, speech))
            for each in drawn.revisions_within(looked.seen, looked.found.revisions)
        ],
        "periods": PERIODS_DAYS,
        "filters": _filters(looked),
        "facets": list(Facet),
        "names": _names(speech),
        "rows": looked.seen.tallies[:ROWS_MAX],
        "more_rows": max(0, len(looked.seen.tallies) - ROWS_MAX),
        "may_mute": visitor(request).may(Permission.DECIDE),
        "now": desk(request).now(),
        "Facet": Facet,
        "ANY": ANY,
        "seconds": lambda seconds: timedelta(seconds=seconds),
    }
    return rendered(request, "trends/trends.html", given)


@require(Permission.SEE)
def _export(request: Request) -> Response:
    looked = _look(request, request.query_params)
    is_by_time = request.query_params.get("what") == "bars"
    told = (
        bars_as_csv(looked.seen.bars)
        if is_by_time
        else tallies_as_csv(looked.asked.by, looked.seen.tallies)
    )
    period = looked.asked.period
    what = "days" if is_by_time else looked.asked.by.value
    name = f"qa-trends-{what}-{period.first}-{period.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(told.encode("utf-8"), 200, headers, "text/csv")


@require(Permission.SEE)
def _digest(request: Request) -> Response:
    looked = _look(request, {"days": str(DIGEST_DAYS)})
    told = digest(looked.seen, looked.found.drifts, speech_of(request), "")
    given = {"digest": told, "inside": Markup(told.html)}  # noqa: S704  made of escaped parts
    return rendered(request, "trends/digest.html", given)


def _filters(looked: _Looked) -> list[tuple[Facet, list[str], str]]:
    """Return each filter with its choices and what is chosen."""
    found = []
    for facet in FILTERS:
        names = list(looked.found.findings.names[facet][:CHOICES_MAX])
        chosen = looked.asked.only.get(facet, ANY)
        if chosen != ANY and chosen not in names:
            names.append(chosen)
        found.append((facet, names, chosen))
    return found


def _names(speech: Speech) -> dict[Facet, str]:
    return {
        Facet.RULE: speech.say("Rule"),
        Facet.STATION: speech.say("Station"),
        Facet.AE: speech.say("Sender (AE title)"),
        Facet.PROTOCOL: speech.say("Protocol"),
        Facet.BODY_PART: speech.say("Body part as tagged"),
        Facet.MODALITY: speech.say("Modality"),
        Facet.SHIFT: speech.say("Shift"),
    }
