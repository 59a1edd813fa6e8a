"""The weekly digest: a week in figures, as HTML for a mail and for a page, and as plain text.

Tables and old attributes only: mail programs drop style sheets, scripts and SVG, and the page is
served without inline style.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape
from typing import Final

from attrs import frozen

from qa_daemon.language.speech import Speech
from qa_daemon.trends.drift import Drift
from qa_daemon.trends.overview import Overview
from qa_daemon.trends.rates import Place, Share, Tally

#: Rules and stations that the digest names; the page has all.
ROWS_MAX: Final = 10
_TABLE: Final = '<table border="0" cellpadding="6" cellspacing="0">'


@frozen(kw_only=True)
class Digest:
    """A week in words.

    Attributes
    ----------
    html
        The inside of a page's or a mail's body.
    """

    subject: str
    html: str
    text: str


def digest(seen: Overview, drifts: Sequence[Drift], speech: Speech, address: str) -> Digest:
    """Return the digest of the period that `seen` is of.

    Parameters
    ----------
    address
        Of the trends page; "" = no link.
    """
    period = seen.cut.period
    first, last = (
        speech.day(period.begins, period.zone),
        speech.day(period.ends - timedelta(seconds=1), period.zone),
    )
    subject = speech.say("QA of headers, {first} to {last}", first=first, last=last)
    figures = list(_figures(seen, speech))
    warnings = [*_wrong(seen.wrong, speech), *_drifted(drifts, speech)]
    rows = [_row(row, speech) for row in seen.tallies[:ROWS_MAX]]
    head = [speech.say(each) for each in ("Rule", "Findings", "Accepted", "False alarms", "Open")]
    statement = speech.say(
        "This service checks headers of images. It makes no diagnosis, and nothing here is one."
    )
    return Digest(
        subject=subject,
        html="".join(
            (
                f"<h1>{escape(subject)}</h1>",
                _table((), figures),
                _listed(speech.say("Look at this"), warnings),
                f"<h2>{escape(speech.say('By rule'))}</h2>",
                _table(head, rows),
                _link(address, speech),
                f"<p>{escape(statement)}</p>",
            )
        ),
        text=_text(subject, figures, warnings, [head, *rows], (address, statement)),
    )


def _figures(seen: Overview, speech: Speech) -> Iterable[tuple[str, ...]]:
    whole, before = seen.whole, seen.before
    yield (
        speech.say("Findings"),
        speech.number(whole.findings),
        speech.say("{n} in the week before", n=speech.number(before.findings)),
    )
    yield speech.say("Accepted"), share(whole.acceptance, speech), ""
    per_series = whole.false_alarms_per_100_series
    yield (
        speech.say("False alarms per 100 series"),
        "\N{EN DASH}" if per_series is None else f"{per_series:.1f}",
        speech.say("{n} false alarms", n=speech.number(whole.false_alarms)),
    )
    yield speech.say("Open now"), speech.number(seen.open_now.open), _oldest(seen, speech)
    wait = seen.median_wait_s
    yield (
        speech.say("Median wait for a verdict"),
        "\N{EN DASH}" if wait is None else speech.age(timedelta(seconds=wait)),
        "",
    )


def _oldest(seen: Overview, speech: Speech) -> str:
    oldest = seen.open_now.oldest_s
    if oldest is None:
        return ""
    return speech.say("the oldest {age}", age=speech.age(timedelta(seconds=oldest)))


def share(given: Share, speech: Speech) -> str:
    """Return a share with its count: `92 % of 1,637`, a dash of nothing."""
    if given.value is None:
        return "\N{EN DASH}"
    return speech.say(
        "{share} of {n}", share=f"{100 * given.value:.0f} %", n=speech.number(given.whole)
    )


def _wrong(found: Iterable[Place], speech: Speech) -> list[str]:
    return [
        speech.say(
            "{rule} is wrong too often on {station}: {part} of {whole} accepted",
            rule=place.rule,
            station=place.station or speech.say("stations without a name"),
            part=place.acceptance.part,
            whole=place.acceptance.whole,
        )
        for place in list(found)[:ROWS_MAX]
    ]


def _drifted(found: Iterable[Drift], speech: Speech) -> list[str]:
    return [
        speech.say(
            "{model} is not as sure as it used to be: drift {index} of {bar}",
            model=each.model,
            index=f"{each.index or 0:.2f}",
            bar=f"{each.bar:.2f}",
        )
        for each in found
        if each.is_shifted
    ]


def _row(row: Tally, speech: Speech) -> tuple[str, ...]:
    return (
        row.value,
        speech.number(row.findings),
        share(row.acceptance, speech),
        speech.number(row.false_alarms),
        speech.number(row.open),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    named = "".join(f'<th align="left" scope="col">{escape(each)}</th>' for each in head)
    cells = "".join(f"<tr>{''.join(map(_cell, enumerate(row)))}</tr>" for row in rows)
    heading = f"<thead><tr>{named}</tr></thead>" if named else ""
    return f"{_TABLE}{heading}<tbody>{cells}</tbody></table>"


def _cell(numbered: tuple[int, str]) -> str:
    column, said = numbered
    if column == 0:
        return f'<th align="left" scope="row">{escape(said)}</th>'
    return f'<td align="left">{escape(said)}</td>'


def _listed(head: str, said: Sequence[str]) -> str:
    if not said:
        return ""
    items = "".join(f"<li>{escape(each)}</li>" for each in said)
    return f"<h2>{escape(head)}</h2><ul>{items}</ul>"


def _link(address: str, speech: Speech) -> str:
    if not address:
        return ""
    return f'<p><a href="{escape(address)}">{escape(speech.say("Open the trends"))}</a></p>'


def _text(
    subject: str,
    figures: Iterable[Sequence[str]],
    warnings: Iterable[str],
    rows: Iterable[Sequence[str]],
    last: Sequence[str],
) -> str:
    parts = [
        subject,
        "\n".join("  ".join(filter(None, row)) for row in figures),
        "\n".join(f"- {each}" for each in warnings),
        "\n".join("\t".join(row) for row in rows),
        *last,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"
