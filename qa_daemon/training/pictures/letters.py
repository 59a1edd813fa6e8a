"""Lead letters drawn: R, L, D and E as markers, other signs beside them, on the ground of pictures.

In: a random generator and a piece of a radiograph. Out: squares as `pixels.inputs.marker` makes
them, with what stands in them. Letters are strokes or Pillow's own font; the rest is what markers
look like: bare lead, a bright plate with dark writing, a ring, a disc, initials beside them.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qa_daemon.pixels.inputs.marker import standardised_square
from qa_daemon.pixels.tensor import Frame, Grey, framed

Line: TypeAlias = tuple[tuple[float, float], ...]

#: The sheet on which a marker is drawn before it is brought to the resolution of the picture.
SHEET: Final = 72
#: R and L of English and German, D(ireita, erecha) and E(squerda) of Portuguese.
SIDE_OF_LETTER: Final[Mapping[str, str]] = {"R": "R", "D": "R", "L": "L", "E": "L"}
LETTER_CHANCES: Final[Mapping[str, float]] = {"R": 0.27, "L": 0.27, "D": 0.23, "E": 0.23}
#: What a square shows: a marker, a letter within a word, or another sign.
MARKER_SHARE: Final = 0.6
WORD_SHARE: Final = 0.15
MIRRORED_SHARE: Final = 0.35
#: Letters turned by a quarter say no side: E and D look then like their own mirror images turned.
#: R does not, and neither does a tilt of less than this.
QUARTER_SHARE: Final = 0.06
TILT_DEGREES: Final = 7.0
TILT_DEGREES_MAX: Final = 28.0
#: Height of the marker in its square; around 1 / 1.9, as heights are tried in steps of 1.4.
EXTENT: Final = (0.36, 0.66)
OFFSET_MAX: Final = 0.10
#: Share of squares that hold only the half of a marker: none.
HALF_SHARE: Final = 0.06


def _arc(
    middle: tuple[float, float], reach: tuple[float, float], ends: tuple[float, float]
) -> Line:
    count = max(6, int(abs(ends[1] - ends[0]) / 22))
    angles = np.deg2rad(np.linspace(*ends, count))
    across = middle[0] + reach[0] * np.cos(angles)
    down = middle[1] + reach[1] * np.sin(angles)
    return tuple(zip(across.tolist(), down.tolist(), strict=True))


def _bowl(top: float, bottom: float, width: float, straight: float = 0.5) -> Line:
    """Return a bow from the upper left to the right and back to the lower left."""
    middle, reach = (
        (straight * width, (top + bottom) / 2),
        (
            width * (1 - straight),
            (bottom - top) / 2,
        ),
    )
    return ((0.0, top), *_arc(middle, reach, (-90, 90)), (0.0, bottom))


_STEM: Final = ((0.0, 0.0), (0.0, 1.0))
_RIGHT: Final = ((1.0, 0.0), (1.0, 1.0))
#: Strokes in a unit box, across and down from its upper left corner.
STROKES: Final[Mapping[str, tuple[Line, ...]]] = {
    "R": (_STEM, _bowl(0, 0.52, 0.95), ((0.45, 0.52), (1, 1))),
    "L": (((0, 0), (0, 1), (1, 1)),),
    "D": (_STEM, _bowl(0, 1, 1, 0.35)),
    "E": (((1, 0), (0, 0), (0, 1), (1, 1)), ((0, 0.5), (0.82, 0.5))),
    "A": (((0, 1), (0.5, 0), (1, 1)), ((0.2, 0.65), (0.8, 0.65))),
    "B": (_STEM, _bowl(0, 0.5, 0.9), _bowl(0.5, 1, 1)),
    "C": (_arc((0.55, 0.5), (0.55, 0.5), (-45, -315)),),
    "F": (((1, 0), (0, 0), (0, 1)), ((0, 0.5), (0.8, 0.5))),
    "G": ((*_arc((0.55, 0.5), (0.55, 0.5), (-45, -320)), (1, 0.55), (0.6, 0.55)),),
    "H": (_STEM, _RIGHT, ((0, 0.5), (1, 0.5))),
    "I": (((0.5, 0), (0.5, 1)),),
    "J": (((0.8, 0), (0.8, 0.7), *_arc((0.4, 0.7), (0.4, 0.3), (0, 180))),),
    "K": (_STEM, ((1, 0), (0, 0.55)), ((0.3, 0.45), (1, 1))),
    "M": (((0, 1), (0, 0), (0.5, 0.6), (1, 0), (1, 1)),),
    "N": (((0, 1), (0, 0), (1, 1), (1, 0)),),
    "O": (_arc((0.5, 0.5), (0.5, 0.5), (0, 360)),),
    "P": (_STEM, _bowl(0, 0.55, 1)),
    "S": (
        (
            *_arc((0.5, 0.27), (0.48, 0.27), (-30, -250)),
            *_arc((0.5, 0.75), (0.5, 0.25), (-90, 150)),
        ),
    ),
    "T": (((0, 0), (1, 0)), ((0.5, 0), (0.5, 1))),
    "U": (((0, 0), (0, 0.65), *_arc((0.5, 0.65), (0.5, 0.35), (180, 0)), (1, 0)),),
    "V": (((0, 0), (0.5, 1), (1, 0)),),
    "X": (((0, 0), (1, 1)), ((1, 0), (0, 1))),
    "Y": (((0, 0), (0.5, 0.5), (1, 0)), ((0.5, 0.5), (0.5, 1))),
    "Z": (((0, 0), (1, 0), (0, 1), (1, 1)),),
    "1": (((0.2, 0.25), (0.55, 0), (0.55, 1)),),
    "2": ((*_arc((0.5, 0.3), (0.48, 0.3), (-170, 30)), (0, 1), (1, 1)),),
    "4": (((0.75, 1), (0.75, 0), (0, 0.7), (1, 0.7)),),
    "5": (((0.9, 0), (0.1, 0), (0.05, 0.45), *_arc((0.45, 0.68), (0.5, 0.32), (-110, 140))),),
    "7": (((0, 0), (1, 0), (0.35, 1)),),
    "8": (
        _arc((0.5, 0.25), (0.42, 0.25), (0, 360)),
        _arc((0.5, 0.75), (0.5, 0.25), (0, 360)),
    ),
    "arrow": (((0, 0.5), (1, 0.5)), ((0.6, 0.2), (1, 0.5), (0.6, 0.8))),
    "cross": (((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),
    "bar": (((0, 0.5), (1, 0.5)),),
}
OTHER_SIGNS: Final = tuple(sign for sign in STROKES if sign not in SIDE_OF_LETTER)
WORD_SIGNS: Final = tuple(sign for sign in STROKES if len(sign) == 1)
_ROWS, _COLUMNS = (axis + np.float32(0.5) for axis in np.mgrid[0:SHEET, 0:SHEET].astype(np.float32))
_MIDDLE: Final = SHEET / 2


@frozen
class Hand:
    """How letters of one marker are written.

    Attributes
    ----------
    is_printed
        By Pillow's font; else by strokes.
    aspect
        Width by height.
    thickness
        Of a stroke, by height.
    boldness
        Pixels added around printed letters.
    """

    is_printed: bool
    aspect: float
    thickness: float
    is_angular: bool
    boldness: int


@frozen(eq=False)
class Marker:
    """A marker on its sheet: how bright it is, 1 as its metal, and how much it covers."""

    light: Grey
    cover: Grey


def hand(random: Generator) -> Hand:
    """Return a handwriting."""
    return Hand(
        is_printed=bool(random.random() < 0.3),
        aspect=float(random.uniform(0.5, 0.95)),
        thickness=float(random.uniform(0.1, 0.27)),
        is_angular=bool(random.random() < 0.4),
        boldness=int(random.integers(4)),
    )


def sign(name: str, written: Hand, height: float, at: tuple[float, float]) -> Grey:
    """Return how much of each pixel of a sheet a sign covers, its middle at (across, down)."""
    if written.is_printed and len(name) == 1:
        return _printed(name, written, height, at)
    thick = max(1.5, written.thickness * height)
    scale = np.array([height * written.aspect - thick, height - thick])
    distance = np.full((SHEET, SHEET), np.inf, np.float32)
    for line in STROKES[name]:
        points = np.array(at) + (np.array(line) - 0.5) * scale
        for start, end in pairwise(points):
            np.minimum(distance, _distance(start, end, written), out=distance)
    return np.asarray(np.clip(thick / 2 - distance + 0.5, 0.0, 1.0), np.float32)


def _distance(start: NDArray[np.float64], end: NDArray[np.float64], written: Hand) -> Grey:
    way = end - start
    along = ((_COLUMNS - start[0]) * way[0] + (_ROWS - start[1]) * way[1]) / (way @ way + 1e-6)
    along = np.clip(along, 0.0, 1.0)
    across, down = _COLUMNS - start[0] - along * way[0], _ROWS - start[1] - along * way[1]
    if written.is_angular:
        return np.asarray(np.maximum(np.abs(across), np.abs(down)), np.float32)
    return np.asarray(np.hypot(across, down), np.float32)


def _printed(name: str, written: Hand, height: float, at: tuple[float, float]) -> Grey:
    font = ImageFont.load_default(max(6, int(height / 0.72)))
    sheet = Image.new("L", (2 * SHEET, 2 * SHEET))
    ImageDraw.Draw(sheet).text(
        (SHEET, SHEET), name, fill=255, font=font, anchor="mm", stroke_width=written.boldness
    )
    box = sheet.getbbox()
    placed = Image.new("L", (SHEET, SHEET))
    if box is not None:
        inked = sheet.crop(box)
        width = inked.width * height / inked.height * written.aspect / 0.7
        inked = inked.resize((max(2, int(width)), max(2, int(height))))
        placed.paste(inked, (int(at[0] - inked.width / 2), int(at[1] - inked.height / 2)))
    return np.asarray(placed, np.float32) / np.float32(255)


def marker(name: str, random: Generator) -> Marker:
    """Return a sign as a marker: bare, on a plate, in a ring or outline, or on a disc."""
    written, way = hand(random), random.random()
    extent = float(random.uniform(*EXTENT)) * SHEET
    middle = (_MIDDLE, _MIDDLE)
    light = np.ones((SHEET, SHEET), np.float32)
    if way < 0.45:
        height = extent
        cover = sign(name, written, height, middle)
    else:
        height = extent * float(random.uniform(0.45, 0.8))
        ink = sign(name, written, height, middle)
        is_round = way >= 0.9 or (way >= 0.8 and random.random() < 0.5)
        edge = _edge(is_round, extent, (height * written.aspect, height), random)
        if 0.8 <= way < 0.9:
            cover = np.maximum(ink, np.clip(random.uniform(1, 4) - np.abs(edge) + 0.5, 0.0, 1.0))
        else:
            cover = np.clip(0.5 - edge, 0.0, 1.0) * np.float32(random.uniform(0.5, 1.0))
            light = 1.0 - ink * np.float32(random.uniform(0.25, 1.0))
            if random.random() < 0.12:
                light = 1.0 - light
    if random.random() < 0.25:
        cover = np.maximum(cover, _initials(extent, height, random))
    return Marker(light.astype(np.float32), cover.astype(np.float32))


def _edge(
    is_round: bool,  # noqa: FBT001  a shape, not a mode
    extent: float,
    letter: tuple[float, float],
    random: Generator,
) -> Grey:
    """Return the signed distance to the edge of a plate or disc, negative inside."""
    width, height = letter
    if is_round:
        radius = max(extent / 2, float(np.hypot(width, height)) / 2 + 1)
        return np.asarray(np.hypot(_COLUMNS - _MIDDLE, _ROWS - _MIDDLE) - radius, np.float32)
    down = extent / 2
    across = max(min(down * float(random.uniform(0.7, 1.5)), _MIDDLE), width / 2 + 2)
    beyond = np.maximum(np.abs(_COLUMNS - _MIDDLE) - across, np.abs(_ROWS - _MIDDLE) - down)
    return np.asarray(beyond, np.float32)


def _initials(extent: float, height: float, random: Generator) -> Grey:
    """Return small signs on one side of a marker: who exposed it, which table, AP or PA."""
    small, written = height * float(random.uniform(0.25, 0.5)), hand(random)
    side, count = int(random.integers(4)), int(random.integers(1, 4))
    away = extent / 2 + small * 0.8
    cover = np.zeros((SHEET, SHEET), np.float32)
    for number in range(count):
        along = (number - (count - 1) / 2) * small * 0.8
        at = (
            (_MIDDLE + along, _MIDDLE + away),
            (_MIDDLE + along, _MIDDLE - away),
            (_MIDDLE + away + number * small * 0.8, _MIDDLE),
            (_MIDDLE - away - number * small * 0.8, _MIDDLE),
        )[side]
        name = OTHER_SIGNS[int(random.integers(len(OTHER_SIGNS)))]
        cover = np.maximum(cover, sign(name, written, small, at))
    return cover


def word(name: str, random: Generator) -> Marker:
    """Return a sign with others of its size beside it: a word or a number, no marker."""
    written, height = hand(random), float(random.uniform(*EXTENT)) * SHEET
    cover = sign(name, written, height, (_MIDDLE, _MIDDLE))
    pitch = height * (written.aspect + float(random.uniform(0.08, 0.22)))
    sides: Sequence[int] = ((-1, 1), (1,), (-1,))[int(random.integers(3))]
    for side in sides:
        beside = WORD_SIGNS[int(random.integers(len(WORD_SIGNS)))]
        cover = np.maximum(cover, sign(beside, written, height, (_MIDDLE + side * pitch, _MIDDLE)))
    return Marker(np.ones((SHEET, SHEET), np.float32), cover)


def moved(shape: Marker, turn_degrees: float, offset: tuple[float, float]) -> Marker:
    """Return the marker turned about the middle of its sheet and moved by (down, across)."""
    angle = np.deg2rad(turn_degrees)
    down, across = _ROWS - _MIDDLE - offset[0], _COLUMNS - _MIDDLE - offset[1]
    rows = np.cos(angle) * down - np.sin(angle) * across + _MIDDLE - 0.5
    columns = np.sin(angle) * down + np.cos(angle) * across + _MIDDLE - 0.5
    return Marker(
        _sampled(shape.light - 1.0, rows, columns) + np.float32(1.0),
        _sampled(shape.cover, rows, columns),
    )


def _sampled(sheet: Grey, rows: Grey, columns: Grey) -> Grey:
    """Return bilinear samples; beyond the sheet is 0."""
    padded = np.pad(sheet, 1)
    rows = np.clip(rows + 1, 0, padded.shape[0] - 1.001)
    columns = np.clip(columns + 1, 0, padded.shape[1] - 1.001)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    low, right = rows - top, columns - left
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    return np.asarray(upper * (1 - low) + lower * low, np.float32)


def drawn_square(ground: Grey, random: Generator, size: int) -> tuple[Grey, str]:
    """Return a square with a sign drawn into it, and what it is: L, R, mirrored, or "" for none.

    Parameters
    ----------
    ground
        A square piece of a radiograph in 0..1, at the resolution at which the sign is to stand.
    """
    lot, label = random.random(), ""
    is_mirrored = bool(random.random() < MIRRORED_SHARE)
    letters, chances = tuple(LETTER_CHANCES), tuple(LETTER_CHANCES.values())
    name = letters[int(random.choice(len(letters), p=chances))]
    if lot < MARKER_SHARE:
        shape = marker(name, random)
        label = SIDE_OF_LETTER[name] + (" mirrored" if is_mirrored else "")
    elif lot < MARKER_SHARE + WORD_SHARE:
        shape = word(name, random)
    else:
        name = OTHER_SIGNS[int(random.integers(len(OTHER_SIGNS)))]
        shape = marker(name, random)
    if is_mirrored:
        shape = Marker(shape.light[:, ::-1], shape.cover[:, ::-1])
    turn, is_quarter = _turn(name, random)
    offset = random.uniform(-OFFSET_MAX, OFFSET_MAX, 2) * SHEET
    if label and random.random() < HALF_SHARE:
        offset[1], label = random.choice([-1, 1]) * random.uniform(0.38, 0.55) * SHEET, ""
    label = "" if is_quarter else label
    shape = moved(shape, turn, (float(offset[0]), float(offset[1])))
    return standardised_square(_exposed(ground, shape, random, size)), label


def _turn(name: str, random: Generator) -> tuple[float, bool]:
    """Return by how many degrees a letter is turned, and whether its side is lost by that."""
    tilt = random.normal(0.0, TILT_DEGREES)
    if random.random() < 0.2:
        tilt = random.uniform(-TILT_DEGREES_MAX, TILT_DEGREES_MAX)
    if name == "R":
        quarters = int(random.integers(1, 4)) if random.random() < 0.2 else 0
        return float(tilt + 90 * quarters), False
    if name in SIDE_OF_LETTER and random.random() < QUARTER_SHARE:
        return float(tilt + random.choice([90, -90])), True
    return float(tilt), False


def _exposed(ground: Grey, shape: Marker, random: Generator, size: int) -> Grey:
    """Return the marker on its ground as a plate would show it, shape (size, size)."""
    count = len(ground)
    whole = Frame(SHEET / 2, SHEET / 2, float(SHEET))
    light, cover = (framed(each, whole, count) for each in (shape.light, shape.cover))
    low = float(np.median(ground))
    high = min(1.3, max(low + random.uniform(0.15, 0.3), random.uniform(0.35, 1.1)))
    dark = low * random.uniform(0, 1) if random.random() < 0.7 else low
    ink = dark + (high - dark) * light
    shown = ground * (1 - cover) + ink * cover
    if random.random() < 0.35:  # thin lead lets the part behind it through
        shown += (ground - low) * cover * random.uniform(0, 0.6)
    if random.random() < 0.5:
        shown = np.clip(shown, 0.0, 1.0)
    noise = random.standard_normal(shown.shape) * random.uniform(0, 0.04) * max(0.2, high - low)
    shown = (shown + noise).astype(np.float32)
    if random.random() < 0.3:
        coarse = max(8, int(count * random.uniform(0.6, 0.9)))
        shown = framed(shown, Frame(count / 2, count / 2, float(count)), coarse)
    count = len(shown)
    return framed(shown, Frame(count / 2, count / 2, float(count)), size)
