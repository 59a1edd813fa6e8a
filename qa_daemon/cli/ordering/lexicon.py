"""`qa-daemon lexicon`: the body regions and sides that descriptions name."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.printable import printable
from qa_daemon.orders.lexicon.read import regions_named
from qa_daemon.records.order import NamedRegion

SIDES = {"L": "left", "R": "right", "B": "both"}


def look_up(options: argparse.Namespace) -> int:
    """Print what each text names; status 0 also where that is nothing."""
    named = [(text, regions_named(text)) for text in _texts(options.texts)]
    if options.json:
        print(json.dumps([_as_json(text, regions) for text, regions in named]))
        return 0
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True)
    for text, regions in named:
        grid.add_row(printable(text), _as_text(regions))
    tables.screen().print(grid)
    return 0


def _texts(arguments: Sequence[str]) -> Iterator[str]:
    for text in arguments:
        if text == "-":
            if isinstance(sys.stdin, TextIOWrapper):
                sys.stdin.reconfigure(errors="replace")
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield text


def _as_json(text: str, regions: Sequence[NamedRegion]) -> dict[str, object]:
    return {
        "text": _decodable(text),
        "regions": [
            {"region": each.region, "side": each.side, "weight": each.weight} for each in regions
        ],
    }


def _decodable(text: str) -> str:
    """Return U+FFFD for what was no UTF-8: a lone surrogate is no JSON for many readers."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_text(regions: Sequence[NamedRegion]) -> Text:
    if not regions:
        return Text("nothing known", "dim")
    parts: list[str | tuple[str, str]] = []
    for each in regions:
        side = SIDES.get(each.side or "", "")
        parts += [f"{each.region} {side}".rstrip(), (f" {each.weight:.2f}  ", "dim")]
    return Text.assemble(*parts)
