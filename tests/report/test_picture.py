"""The picture of a finding: both sides, and colour where they differ."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from qa_daemon.geometry.letters import EdgeLetters
from qa_daemon.report.picture import (
    BADGE_PX,
    HEADER_PX,
    HEADING_PX,
    MARGIN_PX,
    PANEL_PX,
    SUGGESTED,
    TAGGED,
    WIDTH_PX,
    Caption,
    Side,
    comparison,
)

SUPINE = EdgeLetters(left="R", right="L", top="A", bottom="P")
MIRRORED = EdgeLetters(left="L", right="R", top="A", bottom="P")
TOP = HEADER_PX + HEADING_PX


def drawn(
    grey: np.ndarray[tuple[int, int], np.dtype[np.float32]], words: str = "Words"
) -> Image.Image:
    sides = (Side("As tagged", "1", SUPINE), Side("As suggested", "-1", MIRRORED))
    content = comparison(grey, *sides, Caption(words, "which", "foot"))
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def at_badge(picture: Image.Image, side: int, where: str) -> object:
    """Return the colour beside a letter, within its badge."""
    left = MARGIN_PX + side * (PANEL_PX + MARGIN_PX)
    inset = BADGE_PX + 12
    x, y = {
        "left": (left + inset, TOP + PANEL_PX // 2),
        "top": (left + PANEL_PX // 2, TOP + inset),
    }[where]
    return picture.getpixel((x, y - BADGE_PX + 5))


def test_letters_that_differ_are_filled_and_the_others_are_not() -> None:
    picture = drawn(np.zeros((8, 8), np.float32))
    assert (at_badge(picture, 0, "left"), at_badge(picture, 1, "left")) == (TAGGED, SUGGESTED)
    assert at_badge(picture, 0, "top") not in (TAGGED, SUGGESTED)


@pytest.mark.parametrize("shape", [(4, 4), (1, 300), (300, 1), (700, 500)])
def test_a_picture_of_any_shape_keeps_its_proportions_within_its_panel(
    shape: tuple[int, int],
) -> None:
    picture = drawn(np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape))
    assert picture.width == WIDTH_PX
    assert picture.format == "PNG"


def test_the_same_slice_stands_on_both_sides() -> None:
    picture = drawn(np.arange(64, dtype=np.float32).reshape(8, 8))
    panels = [
        picture.crop((left + 80, TOP + 80, left + 200, TOP + 200))
        for left in (MARGIN_PX, 2 * MARGIN_PX + PANEL_PX)
    ]
    assert panels[0].tobytes() == panels[1].tobytes()
    assert len(set(panels[0].tobytes())) > 10


def test_a_long_title_breaks_and_never_runs_into_the_panels() -> None:
    short = drawn(np.zeros((8, 8), np.float32), "x")
    long = drawn(np.zeros((8, 8), np.float32), "many words " * 60)
    box = (0, HEADER_PX, WIDTH_PX, short.height)
    assert short.crop(box).tobytes() == long.crop(box).tobytes()
