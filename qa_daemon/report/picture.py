"""A slice twice, with the letters of the tag and of the suggestion, as a PNG."""

from collections.abc import Iterator
from io import BytesIO
from typing import Final, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qa_daemon.geometry.letters import EdgeLetters

Colour: TypeAlias = tuple[int, int, int]

PANEL_PX: Final = 512
MARGIN_PX: Final = 28
HEADER_PX: Final = 132
HEADING_PX: Final = 58
FOOTER_PX: Final = 52
WIDTH_PX: Final = 2 * PANEL_PX + 3 * MARGIN_PX
TITLE_PX: Final = 24
TEXT_PX: Final = 16
SMALL_PX: Final = 14
LETTER_PX: Final = 30
BADGE_PX: Final = 23  # half its height; a badge grows with the letters in it
#: Beyond this a title breaks into a second line, and what is left after two is cut.
TITLE_LINES_MAX: Final = 2

BACKGROUND: Final = (16, 20, 26)
TEXT: Final = (236, 240, 244)
MUTED: Final = (150, 161, 174)
BLACK: Final = (0, 0, 0)
# Amber and teal differ in lightness too, and words carry the meaning beside them.
TAGGED: Final = (247, 181, 62)
SUGGESTED: Final = (88, 214, 190)


@frozen
class Side:
    """What one side of the comparison says.

    Attributes
    ----------
    name
        Such as "As tagged".
    values
        The values behind it, in small print.
    """

    name: str
    values: str
    letters: EdgeLetters


@frozen
class Caption:
    """The words of the picture."""

    title: str
    subtitle: str
    footer: str


def comparison(grey: NDArray[np.float32], tagged: Side, suggested: Side, caption: Caption) -> bytes:
    """Return a PNG of the stored picture beside itself, lettered by the tag and by the suggestion.

    Letters that the two sides do not share stand on a filled badge.

    Parameters
    ----------
    grey
        Rows x columns as stored. Shown between its 1st and 99.5th percentile.
    """
    height = HEADER_PX + HEADING_PX + PANEL_PX + FOOTER_PX
    sheet = Image.new("RGB", (WIDTH_PX, height), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    _write_header(draw, caption)
    panel = _panel(grey)
    sides = ((tagged, suggested, TAGGED), (suggested, tagged, SUGGESTED))
    for index, (side, other, colour) in enumerate(sides):
        corner = (MARGIN_PX + index * (PANEL_PX + MARGIN_PX), HEADER_PX + HEADING_PX)
        sheet.paste(panel, corner)
        _frame(draw, corner, side, colour)
        for letters, theirs, centre in _edges(side.letters, other.letters, corner):
            _badge(draw, letters, centre, colour, is_filled=letters != theirs)
    foot = (MARGIN_PX, height - FOOTER_PX // 2)
    draw.text(foot, caption.footer, MUTED, _font(SMALL_PX), anchor="lm")
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    return ImageFont.load_default(size)


def _write_header(draw: ImageDraw.ImageDraw, caption: Caption) -> None:
    top = 22
    for line in _lines(draw, caption.title)[:TITLE_LINES_MAX]:
        draw.text((MARGIN_PX, top), line, TEXT, _font(TITLE_PX))
        top += 32
    draw.text((MARGIN_PX, top + 4), caption.subtitle, MUTED, _font(TEXT_PX))


def _lines(draw: ImageDraw.ImageDraw, text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, _font(TITLE_PX)) <= WIDTH_PX - 2 * MARGIN_PX:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _panel(grey: NDArray[np.float32]) -> Image.Image:
    low, high = np.percentile(grey, (1.0, 99.5))
    span = max(float(high - low), 1e-6)
    shades = (np.clip((grey - low) / span, 0.0, 1.0) * 255).astype(np.uint8)
    picture = Image.fromarray(shades)
    scale = PANEL_PX / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    panel = Image.new("L", (PANEL_PX, PANEL_PX))
    panel.paste(
        picture.resize(size, Image.Resampling.LANCZOS),
        ((PANEL_PX - size[0]) // 2, (PANEL_PX - size[1]) // 2),
    )
    return panel


def _frame(draw: ImageDraw.ImageDraw, corner: tuple[int, int], side: Side, colour: Colour) -> None:
    left, top = corner
    draw.text((left, top - 36), side.name, colour, _font(20), anchor="lm")
    draw.text((left, top - 14), side.values, MUTED, _font(SMALL_PX), anchor="lm")
    edge = (left, top, left + PANEL_PX - 1, top + PANEL_PX - 1)
    draw.rectangle(edge, outline=colour, width=2)


def _edges(
    letters: EdgeLetters, others: EdgeLetters, corner: tuple[int, int]
) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Yield the letters of each edge on both sides, and where their badge stands."""
    left, top = corner
    middle, inset = PANEL_PX // 2, BADGE_PX + 12
    far = PANEL_PX - inset
    yield letters.left, others.left, (left + inset, top + middle)
    yield letters.right, others.right, (left + far, top + middle)
    yield letters.top, others.top, (left + middle, top + inset)
    yield letters.bottom, others.bottom, (left + middle, top + far)


def _badge(
    draw: ImageDraw.ImageDraw,
    letters: str,
    centre: tuple[int, int],
    colour: Colour,
    *,
    is_filled: bool,
) -> None:
    x, y = centre
    half = max(BADGE_PX, round(draw.textlength(letters, _font(LETTER_PX)) / 2) + 10)
    draw.rounded_rectangle(
        (x - half, y - BADGE_PX, x + half, y + BADGE_PX),
        radius=BADGE_PX,
        fill=colour if is_filled else BACKGROUND,
        outline=colour,
        width=2,
    )
    ink = BLACK if is_filled else colour
    draw.text((x, y + 1), letters, ink, _font(LETTER_PX), anchor="mm")
