"""The pictures of a page as its script wants them: one value, put into an attribute as JSON."""

import json
from typing import Any

from qa_daemon.geometry.letters import EdgeLetters
from qa_daemon.language.speech import Speech
from qa_daemon.queue.reviewing.hanging import COMPOSED, TURNS, VIEW_TURNS, Hanging, hung_as
from qa_daemon.queue.reviewing.page import Review
from qa_daemon.records.preview import Shown
from qa_daemon.web.review import wording


def stack(review: Review, speech: Speech) -> str:
    """Return all pictures, how they hang, and the table by which view turns are put together.

    Letters of every turn are computed here: the script looks them up and works none out.
    """
    return json.dumps(
        {
            "composed": COMPOSED,
            "turns": VIEW_TURNS,
            "start": review.start,
            "classes": [hanging(each) for each in _by_class(review)],
            "pictures": [_picture(review, at, speech) for at in range(len(review.pairs))],
        },
        separators=(",", ":"),
    )


def _by_class(review: Review) -> tuple[Hanging, ...]:
    """Return how tags would hang a picture if it showed each class: what a person picks from."""
    if not review.pairs or not review.pairs[review.start].tagged.has_letters:
        return ()
    stored = review.pairs[review.start].tagged.letters[0]
    return tuple(hung_as(each, review.tagged, (stored.right, stored.bottom)) for each in TURNS)


def _picture(review: Review, at: int, speech: Speech) -> dict[str, Any]:
    pair = review.pairs[at]
    suggested = pair.tagged if pair.suggested is None else pair.suggested
    figure = review.figures[at] if review.figures else None
    return {
        "position": pair.picture.position,
        "caption": wording.caption(review, pair, speech),
        "shown": [_shown(review, each, speech) for each in pair.picture.shown],
        "tagged": hanging(pair.tagged),
        "suggested": hanging(suggested),
        "level": None if figure is None else figure.level,
    }


def _shown(review: Review, each: Shown, speech: Speech) -> dict[str, str]:
    window = each.window
    return {
        "url": picture_url(review, each.picture),
        "thumbnail": picture_url(review, each.thumbnail),
        "window": ""
        if window is None
        else speech.say(
            "W {width} C {centre}", width=f"{window.width:g}", centre=f"{window.centre:g}"
        ),
    }


def picture_url(review: Review, name: str) -> str:
    """Return where a picture is served."""
    return f"/picture/{review.series_key}/{name}"


def hanging(each: Hanging) -> dict[str, Any]:
    """Return a hanging: its turn, and by turn the letters left, right, top, bottom."""
    return {"turn": each.turn, "letters": [_edges(letters) for letters in each.letters]}


def _edges(letters: EdgeLetters) -> tuple[str, str, str, str]:
    return letters.left, letters.right, letters.top, letters.bottom
