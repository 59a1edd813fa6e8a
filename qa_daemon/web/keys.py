"""Which key does what: the usual strokes, and those that a person has changed."""

import json
from collections.abc import Mapping
from typing import Final

from attrs import frozen


@frozen
class Key:
    """One act of the keyboard.

    Attributes
    ----------
    act
        As `data-key` of a page's element names it.
    stroke
        As `strokeOf` in queue.js writes it; a space stands between two that follow each other.
    label
        What it does, in English.
    """

    act: str
    stroke: str
    label: str


#: The key map of the design, in the order in which the sheet shows it.
KEYS: Final = (
    Key("next", "j", "next"),
    Key("previous", "k", "previous"),
    Key("open", "Enter", "open"),
    Key("extend-next", "Shift+j", "select downwards"),
    Key("extend-previous", "Shift+k", "select upwards"),
    Key("accept", "a", "accept"),
    Key("reject", "x", "reject, then a digit"),
    *(Key(f"class-{number}", str(number + 1), "another class") for number in range(8)),
    Key("edit", "e", "edit values"),
    Key("later", "z", "later, mute"),
    Key("ask", "q", "ask a colleague"),
    Key("undo", "u", "undo"),
    Key("blink", " ", "blink the pictures"),
    Key("stored", "o", "as stored"),
    Key("slice-previous", "[", "slice before"),
    Key("slice-next", "]", "slice behind"),
    Key("flip-vertical", "v", "view: upside down"),
    Key("flip-horizontal", "h", "view: mirrored"),
    Key("turn-right", "r", "view: turn right"),
    Key("turn-left", "l", "view: turn left"),
    Key("window", "w", "next window"),
    Key("zoom-in", "+", "larger"),
    Key("zoom-out", "-", "smaller"),
    Key("zoom-fit", "=", "fit"),
    Key("viewer", "i", "open in the viewer"),
    Key("search", "/", "search"),
    Key("new", ".", "show new ones"),
    Key("inbox", "g i", "go to the inbox"),
    Key("visits", "g v", "go to visits"),
    Key("trends", "g t", "go to trends"),
    Key("muted", "g m", "go to what is muted"),
    Key("history", "g h", "go to the history"),
    Key("keys", "?", "all keys"),
)
ACTS: Final = {key.act: key for key in KEYS}
#: Strokes besides, for those who do without letters; they cannot be remapped.
ALWAYS: Final = {"ArrowDown": "next", "ArrowUp": "previous"}
STROKE_LENGTH_MAX: Final = 12


def strokes(changed: Mapping[str, str]) -> dict[str, str]:
    """Return the stroke of each act; "" where a person has taken it away."""
    return {key.act: changed.get(key.act, key.stroke) for key in KEYS}


def keymap(changed: Mapping[str, str]) -> str:
    """Return acts by stroke, as the script of a page reads them."""
    by_stroke = dict(ALWAYS)
    by_stroke |= {stroke: act for act, stroke in strokes(changed).items() if stroke}
    return json.dumps(by_stroke)


def refusal_of(given: Mapping[str, str]) -> str | None:
    """Return the act whose stroke another has, or which cannot be struck; None if all is well."""
    taken: dict[str, str] = {}
    for act, stroke in strokes(given).items():
        if not stroke:
            continue
        if len(stroke) > STROKE_LENGTH_MAX or stroke in taken or stroke in ALWAYS:
            return act
        taken[stroke] = act
    beginnings = {stroke.split(" ")[0] for stroke in taken if len(stroke) > 1 and " " in stroke}
    return next((taken[stroke] for stroke in taken if stroke in beginnings), None)
