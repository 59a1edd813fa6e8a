"""A slice twice, with the letters of the tag and of the suggestion, as a PNG."""

from io import BytesIO
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qa_daemon.geometry.letters import EdgeLetters

PANEL_PX: Final = 480
MARGIN_PX: Final = 24
HEADER_PX: Final = 92
FOOTER_PX: Final = 56
LETTER_PX: Final = 34
TEXT_PX: Final = 20
SMALL_PX: Final = 15
BACKGROUND: Final = (18, 22, 28)
TEXT: Final = (232, 236, 241)
MUTED: Final = (150, 160, 172)
# Amber and teal differ in lightness too; the words above the panels carry the meaning.
TAGGED: Final = (245, 180, 60)
SUGGESTED: Final = (90, 215, 190)


@frozen
class Caption:
    """The words of the picture."""

    title: str
    subtitle: str
    footer: str


def comparison(
    grey: NDArray[np.float32], tagged: EdgeLetters, suggested: EdgeLetters, caption: Caption
) -> bytes:
    """Return a PNG of the stored picture beside itself, lettered by the tag and by the suggestion.

    Parameters
    ----------
    grey
        Rows x columns as stored. Shown between its 1st and 99.5th percentile.
    """
    width = 2 * PANEL_PX + 3 * MARGIN_PX
    sheet = Image.new("RGB", (width, HEADER_PX + PANEL_PX + FOOTER_PX), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN_PX, 14), caption.title, TEXT, _font(TEXT_PX))
    draw.text((MARGIN_PX, 40), caption.subtitle, MUTED, _font(SMALL_PX))
    panel = _panel(grey)
    for index, (name, letters, colour) in enumerate(
        (("As tagged", tagged, TAGGED), ("As suggested", suggested, SUGGESTED))
    ):
        left = MARGIN_PX + index * (PANEL_PX + MARGIN_PX)
        draw.text((left, 66), name, colour, _font(TEXT_PX))
        sheet.paste(panel, (left, HEADER_PX))
        draw.rectangle(
            (left, HEADER_PX, left + PANEL_PX - 1, HEADER_PX + PANEL_PX - 1), outline=colour
        )
        _letter(draw, left, letters, colour)
    draw.text((MARGIN_PX, HEADER_PX + PANEL_PX + 18), caption.footer, MUTED, _font(SMALL_PX))
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    return ImageFont.load_default(size)


def _panel(grey: NDArray[np.float32]) -> Image.Image:
    low, high = np.percentile(grey, (1.0, 99.5))
    span = max(float(high - low), 1e-6)
    shades = (np.clip((grey - low) / span, 0.0, 1.0) * 255).astype(np.uint8)
    picture = Image.fromarray(shades)
    scale = PANEL_PX / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    panel = Image.new("L", (PANEL_PX, PANEL_PX))
    panel.paste(
        picture.resize(size, Image.Resampling.BICUBIC),
        ((PANEL_PX - size[0]) // 2, (PANEL_PX - size[1]) // 2),
    )
    return panel


def _letter(
    draw: ImageDraw.ImageDraw, left: int, letters: EdgeLetters, colour: tuple[int, int, int]
) -> None:
    middle_x, middle_y = left + PANEL_PX // 2, HEADER_PX + PANEL_PX // 2
    places = (
        (letters.left, (left + 10, middle_y), "lm"),
        (letters.right, (left + PANEL_PX - 10, middle_y), "rm"),
        (letters.top, (middle_x, HEADER_PX + 8), "ma"),
        (letters.bottom, (middle_x, HEADER_PX + PANEL_PX - 10), "md"),
    )
    for text, place, anchor in places:
        draw.text(
            place,
            text,
            colour,
            _font(LETTER_PX),
            anchor=anchor,
            stroke_width=3,
            stroke_fill=(0, 0, 0),
        )
