"""The plots of the page in one reader's language."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from qa_daemon.language.speech import Speech
from qa_daemon.queue.statistics.snapshot import Snapshot
from qa_daemon.trends.daily import Bar
from qa_daemon.trends.drift import Drift
from qa_daemon.trends.overview import Overview, Revision
from qa_daemon.trends.period import Grain
from qa_daemon.trends.plots.axes import Marker, Tick
from qa_daemon.trends.plots.bars import Stack, stacked
from qa_daemon.trends.plots.lines import Line, LinePlot, lines
from qa_daemon.trends.plots.steps import histogram
from qa_daemon.trends.rates import ACCEPTED_SHARE_MIN
from qa_daemon.web.trends.asked import Asked

#: Labels below a plot; more lie on each other at 1024 px.
TICKS_MAX: Final = 6
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0
#: Older than this, hours are no measure any more.
_DAYS_FROM_S: Final = 2 * _DAY_S
#: As much of a digest as tells packs apart.
_DIGEST_SHOWN: Final = 7


def findings_plot(seen: Overview, asked: Asked, found: Snapshot, speech: Speech) -> Markup:
    """Return the findings bar by bar, by what became of them."""
    stacks = [
        Stack(
            (bar.accepted, bar.rejected, bar.open + bar.muted),
            _bar_in_words(bar, seen.cut.period.grain, speech),
            _zoomed(bar, asked),
        )
        for bar in seen.bars
    ]
    name = speech.say("Findings by what became of them")
    return Markup(  # noqa: S704  made of escaped parts
        stacked(name, stacks, _ticks(seen, speech), _markers(seen, found.revisions, speech))
    )


def acceptance_plot(seen: Overview, found: Snapshot, speech: Speech) -> Markup:
    """Return the share of accepted findings over time; grey where a bar has few verdicts."""
    shares = [bar.acceptance for bar in seen.bars]
    plot = LinePlot(
        name=speech.say("Accepted of decided"),
        lines=(
            Line(
                speech.say("accepted"),
                tuple(share.value for share in shares),
                tuple(share.is_telling for share in shares),
            ),
        ),
        ticks=_ticks(seen, speech),
        said=lambda value: f"{100 * value:.0f}\N{THIN SPACE}%",
        markers=_markers(seen, found.revisions, speech),
        goal=(ACCEPTED_SHARE_MIN, f"{100 * ACCEPTED_SHARE_MIN:.0f}\N{THIN SPACE}%"),
        top=1.0,
    )
    return Markup(lines(plot))  # noqa: S704  made of escaped parts


def backlog_plot(seen: Overview, goal_s: float, speech: Speech) -> Markup:
    """Return the age of what lay open at the end of each bar, in hours, or in days if it is old."""
    oldest = max((each.oldest_tenth_s or 0.0 for each in seen.backlog), default=0.0)
    is_old = max(oldest, goal_s) > _DAYS_FROM_S
    unit_s, words = (_DAY_S, "{n} d") if is_old else (_HOUR_S, "{n} h")

    def values(name: str) -> tuple[float | None, ...]:
        missing = (None,) * (len(seen.bars) - len(seen.backlog))
        found = (getattr(each, name) for each in seen.backlog)
        return (*(None if age is None else age / unit_s for age in found), *missing)

    def said(value: float) -> str:
        return speech.say(words, n=f"{value:g}")

    goal = speech.say("site goal, {age}", age=speech.age(timedelta(seconds=goal_s)))
    plot = LinePlot(
        name=speech.say("Age of what lies open"),
        lines=(
            Line(speech.say("oldest tenth"), values("oldest_tenth_s")),
            Line(speech.say("median"), values("median_s")),
        ),
        ticks=_ticks(seen, speech),
        said=said,
        goal=(goal_s / unit_s, goal),
    )
    return Markup(lines(plot))  # noqa: S704  made of escaped parts


def throughput_plot(seen: Overview, speech: Speech) -> Markup:
    """Return the verdicts given, bar by bar."""
    stacks = [
        Stack(
            (bar.verdicts,), f"{_when(bar.begins, seen.cut.period.grain, speech)}: {bar.verdicts}"
        )
        for bar in seen.bars
    ]
    name = speech.say("Verdicts given")
    return Markup(stacked(name, stacks, _ticks(seen, speech), ()))  # noqa: S704  made of escaped parts


def drift_plot(drift: Drift, speech: Speech) -> Markup:
    """Return the probabilities of late against those expected."""
    titles = [
        speech.say(
            "{low} to {high}: {count} series", low=f".{tenth}",
            high=f".{tenth + 1}" if tenth < 9 else "1", count=count,
        )
        for tenth, count in enumerate(drift.seen.counts)
    ]  # fmt: skip
    name = speech.say("Sureness of {model}", model=drift.model)
    return Markup(histogram(name, drift.seen.shares, drift.expected.shares, titles))  # noqa: S704  made of escaped parts


def revision_in_words(revision: Revision, speech: Speech) -> str:
    """Return what was changed, in few words."""
    if revision.kind == "rules":
        return speech.say("rules {digest}", digest=revision.name[:_DIGEST_SHOWN])
    return revision.name


def revisions_within(seen: Overview, revisions: Iterable[Revision]) -> list[Revision]:
    """Return what came into force in the period, the first of each kind apart: it changed nothing.

    What was there when the first series was judged is no revision.
    """
    known = list(revisions)
    firsts = {kind: next((r for r in known if r.kind == kind), None) for kind in ("rules", "model")}
    begins, ends = seen.cut.period.begins, seen.cut.period.ends
    begun = min((each.at for each in known), default=begins)
    return [
        each
        for each in known
        if begins <= each.at < ends
        and each is not firsts[each.kind]
        and each.at - begun > timedelta(days=1)
    ]


def _markers(seen: Overview, revisions: Iterable[Revision], speech: Speech) -> tuple[Marker, ...]:
    begins, ends = seen.cut.period.begins.timestamp(), seen.cut.period.ends.timestamp()
    return tuple(
        Marker((each.at.timestamp() - begins) / (ends - begins), revision_in_words(each, speech))
        for each in revisions_within(seen, revisions)
    )


def _ticks(seen: Overview, speech: Speech) -> tuple[Tick, ...]:
    bars = seen.bars
    step = -(-len(bars) // TICKS_MAX)
    return tuple(
        Tick((number + 0.5) / len(bars), _when(bar.begins, seen.cut.period.grain, speech))
        for number, bar in enumerate(bars)
        if number % step == 0
    )


def _when(at: datetime, grain: Grain, speech: Speech) -> str:
    return speech.time(at, at.tzinfo) if grain is Grain.HOUR else speech.short_day(at, at.tzinfo)


def _bar_in_words(bar: Bar, grain: Grain, speech: Speech) -> str:
    return speech.say(
        "{when}: {accepted} accepted, {rejected} rejected, {open} open",
        when=_when(bar.begins, grain, speech),
        accepted=bar.accepted,
        rejected=bar.rejected,
        open=bar.open + bar.muted,
    )


def _zoomed(bar: Bar, asked: Asked) -> str | None:
    """Return the page of one bar alone; an hour is the shortest."""
    if asked.period.grain is Grain.HOUR:
        return None
    first = bar.begins.date()
    last = (bar.ends - timedelta(seconds=1)).date()
    return asked.within(first, max(first, last)).link()
