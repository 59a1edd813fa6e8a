"""The key map: no stroke twice, each changed as a person likes."""

import json

from qa_daemon.web.keys import ALWAYS, KEYS, keymap, refusal_of, strokes


def test_every_act_has_a_stroke_of_its_own_and_none_needs_a_modifier_but_shift() -> None:
    assert refusal_of({}) is None
    found = [key.stroke for key in KEYS]
    assert len(set(found)) == len(found)
    assert not [
        stroke for stroke in found if any(each in stroke for each in ("Ctrl", "Alt", "Meta"))
    ]


def test_a_changed_stroke_does_its_act_and_the_usual_one_does_nothing() -> None:
    by_stroke = json.loads(keymap({"accept": "y", "reject": ""}))
    assert by_stroke["y"] == "accept"
    assert "a" not in by_stroke
    assert "x" not in by_stroke
    assert by_stroke["ArrowDown"] == ALWAYS["ArrowDown"]
    assert strokes({"accept": "y"})["accept"] == "y"


def test_two_acts_cannot_have_one_stroke_nor_one_that_begins_another() -> None:
    assert refusal_of({"accept": "j"}) == "accept"
    assert refusal_of({"accept": "g"}) == "accept"
    assert refusal_of({"accept": "ArrowUp"}) == "accept"
    assert refusal_of({"accept": "x", "reject": "a"}) is None
