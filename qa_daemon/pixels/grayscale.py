"""From stored values to grey: modality LUT, VOI LUT where asked for, MONOCHROME1 turned last.

The order is that of PS3.3 C.11 and C.7.6.3.1.2. Colour becomes luminance. Every answer is a
float32 picture of shape (rows, columns) without NaN or infinity, whatever the attributes say.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.decode import Frame
from qa_daemon.pixels.image import Format, Image
from qa_daemon.records.element import Element, Elements, first_text

Grey = NDArray[np.float32]

#: ITU-R BT.601, the luma of YBR_FULL (PS3.3 C.7.6.3.1.2).
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
#: The range of eight bits: pictures of so few bits use them all, or are dark.
RANGE_OF_BYTE: Final = 256.0
_COLOURS: Final = ("Red", "Green", "Blue")
_ABSENT: Final = Element("UN")


@frozen
class Rescale:
    """Output units = slope x stored value + intercept (PS3.3 C.11.1.1.2)."""

    slope: float = 1.0
    intercept: float = 0.0


@frozen(eq=False)
class Lookup:
    """A lookup table (PS3.3 C.11.1.1.1): values below `first` get the first entry."""

    first: int
    entries: NDArray[np.float32]
    bits: int

    def of(self, values: NDArray[Any]) -> Grey:
        """Return the entries of the values."""
        index = np.clip(values.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[index]


def grey_values(image: Image, frame: Frame) -> Grey:
    """Return a frame after the modality LUT; CT becomes Hounsfield units. Bright is as displayed.

    MONOCHROME1 is mirrored within the range that its stored values can have.
    """
    grey = _modality_values(image, frame)
    if frame.photometric == "MONOCHROME1":
        low, high = _value_range(image, frame)
        grey = np.float32(low + high) - grey
    return _finite(grey)


def displayed_values(image: Image, frame: Frame) -> Grey:
    """Return a frame as its first VOI LUT or window shows it, 0 black to 1 white.

    Without one, or for colour, the whole range of possible values is shown.
    """
    grey = _modality_values(image, frame)
    low, high = _value_range(image, frame)
    shown = _voi(image, frame, grey)
    if shown is None:
        shown = (grey - np.float32(low)) / np.float32(max(high - low, 1e-6))
    shown = np.clip(_finite(shown), 0.0, 1.0)
    return (1.0 - shown if frame.photometric == "MONOCHROME1" else shown).astype(np.float32)


def exposed_values(image: Image, frame: Frame) -> Grey:
    """Return a frame as displayed, 0 black to 1 white, to judge its exposure by.

    As `displayed_values`; but without a window only the bits that the picture uses count as range:
    twelve bits stored in sixteen are not sixteen times too dark.
    """
    grey = _modality_values(image, frame)
    low, high = _value_range(image, frame)
    if _voi(image, frame, grey) is not None or high - low <= RANGE_OF_BYTE:
        return displayed_values(image, frame)
    used = float(_finite(grey).max()) - low
    while high - low > 2 * max(used, RANGE_OF_BYTE):
        high = low + (high - low) / 2
    shown = np.clip((_finite(grey) - low) / max(high - low, 1e-6), 0.0, 1.0)
    inverted = frame.photometric == "MONOCHROME1"
    return np.asarray(1.0 - shown if inverted else shown, np.float32)


def rescale_of(image: Image, number: int) -> Rescale:
    """Return the rescale of a frame: its functional groups first, then the top level.

    A slope that is 0, absent or no number means that there is no rescale to speak of.
    """
    for holder in _groups(image.header, number, "PixelValueTransformationSequence"):
        found = _rescale(holder)
        if found is not None:
            return found
    return _rescale(image.header) or Rescale()


def pixel_spacing(image: Image, number: int) -> tuple[float, float]:
    """Return the distance between rows and between columns; (1, 1) where it is not known."""
    holders = _groups(image.header, number, "PixelMeasuresSequence")
    for holder in (*holders, image.header):
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            values = [_number(value) for value in holder.get(keyword, _ABSENT).values]
            if len(values) == 2 and values[0] and values[1] and min(values[0], values[1]) > 0:
                return values[0], values[1]
    return 1.0, 1.0


def has_voi_table(image: Image) -> bool:
    """Whether a VOI lookup table decides how an object is shown."""
    return _lookup_of(image.header, "VOILUTSequence") is not None


def voi_window(image: Image, frame: Frame) -> tuple[float, float] | None:
    """Return centre and width of the first window of a frame, None where it has none."""
    for holder in (*_groups(image.header, frame.number, "FrameVOILUTSequence"), image.header):
        centre, width = _float(holder, "WindowCenter"), _float(holder, "WindowWidth")
        if centre is not None and width is not None and width > 0:
            return centre, width
    return None


def _modality_values(image: Image, frame: Frame) -> Grey:
    if frame.photometric == "PALETTE COLOR":
        return _palette_luminance(image, frame.samples)
    if frame.samples.ndim == 3:
        if frame.photometric == "RGB":
            return np.asarray(frame.samples.astype(np.float32) @ LUMA)
        return np.asarray(frame.samples[..., 0], dtype=np.float32)  # Y
    table = _lookup_of(image.header, "ModalityLUTSequence")
    if table is not None:
        return table.of(frame.samples)
    rescale = rescale_of(image, frame.number)
    with np.errstate(over="ignore", invalid="ignore"):
        grey = frame.samples.astype(np.float32)
        grey *= np.float32(rescale.slope)
        grey += np.float32(rescale.intercept)
        return grey


def _value_range(image: Image, frame: Frame) -> tuple[float, float]:
    """Return the least and greatest value that a frame can have after the modality LUT."""
    if image.format.is_float:
        finite = frame.samples[np.isfinite(frame.samples)]
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    table = _lookup_of(image.header, "ModalityLUTSequence")
    if table is not None and frame.samples.ndim == 2:
        return 0.0, float((1 << table.bits) - 1)
    low, high = _stored_range(image.format)
    if frame.samples.ndim == 3 or frame.photometric == "PALETTE COLOR":
        return low, high
    rescale = rescale_of(image, frame.number)
    ends = sorted((low * rescale.slope, high * rescale.slope))
    return ends[0] + rescale.intercept, ends[1] + rescale.intercept


def _stored_range(form: Format) -> tuple[float, float]:
    if form.is_signed:
        return -float(1 << (form.bits_stored - 1)), float((1 << (form.bits_stored - 1)) - 1)
    return 0.0, float((1 << form.bits_stored) - 1)


def _voi(image: Image, frame: Frame, grey: Grey) -> Grey | None:
    """Return the first VOI LUT, else the first window, in 0..1 (PS3.3 C.11.2); None if neither."""
    if frame.samples.ndim == 3 or frame.photometric == "PALETTE COLOR":
        return None
    table = _lookup_of(image.header, "VOILUTSequence")
    if table is not None:
        shown: Grey = table.of(grey) / np.float32((1 << table.bits) - 1)
        return shown
    for holder in (*_groups(image.header, frame.number, "FrameVOILUTSequence"), image.header):
        centre, width = _float(holder, "WindowCenter"), _float(holder, "WindowWidth")
        if centre is not None and width is not None and width > 0:
            return _window(grey, centre, width, first_text(holder, "VOILUTFunction"))
    return None


def _window(grey: Grey, centre: float, width: float, function: str) -> Grey:
    """Return grey values through a window, 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    with np.errstate(over="ignore"):
        if function == "SIGMOID":
            return np.asarray(1 / (1 + np.exp(-4 * (grey - centre) / width)), dtype=np.float32)
        if function == "LINEAR_EXACT":
            return np.asarray((grey - centre) / width + 0.5, dtype=np.float32)
        shown = (grey - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5
    return np.asarray(shown, dtype=np.float32)


def _palette_luminance(image: Image, samples: NDArray[Any]) -> Grey:
    """Return the luminance of palette entries as 8-bit values; the index where a table is odd."""
    planes = []
    for colour in _COLOURS:
        keyword = f"{colour}PaletteColorLookupTable"
        table = _lookup(image.header, f"{keyword}Descriptor", f"{keyword}Data")
        if table is None:
            return samples.astype(np.float32)
        planes.append(table.of(samples) / np.float32(1 << max(0, table.bits - 8)))
    return np.asarray(np.stack(planes, axis=-1) @ LUMA)


def _lookup_of(header: Elements, sequence: str) -> Lookup | None:
    items = _items(header, sequence)
    return _lookup(items[0], "LUTDescriptor", "LUTData") if items else None


def _lookup(holder: Elements, descriptor: str, data: str) -> Lookup | None:
    """Return a lookup table, None if its parts are absent or do not fit together."""
    said = _integers(holder, descriptor)
    if len(said) != 3:
        return None
    count, first, bits = int(said[0]) % 65536 or 65536, int(said[1]), int(said[2])
    entries = _integers(holder, data)
    if bits == 8 and len(entries) * 2 >= count > len(entries):
        # Two entries of 8 bits in each word, the first in its low byte (PS3.3 C.7.6.3.1.6).
        entries = entries.astype("<u2").view("u1").astype(np.int64)
    if not 1 <= bits <= 16 or len(entries) < count:
        return None
    return Lookup(first, entries[:count].astype(np.float32), bits)


def _integers(holder: Elements, keyword: str) -> NDArray[np.int64]:
    values = holder.get(keyword, _ABSENT).values
    return np.array([value for value in values if isinstance(value, int)], dtype=np.int64)


def _rescale(holder: Elements) -> Rescale | None:
    slope, intercept = _float(holder, "RescaleSlope"), _float(holder, "RescaleIntercept")
    if slope is None or slope == 0:
        return None
    return Rescale(slope, intercept or 0.0)


def _groups(header: Elements, number: int, sequence: str) -> list[Elements]:
    """Return the items of a functional group for a frame: its own first, then the shared one."""
    frames = _items(header, "PerFrameFunctionalGroupsSequence")[number - 1 : number]
    shared = _items(header, "SharedFunctionalGroupsSequence")[:1]
    return [group for item in (*frames, *shared) for group in _items(item, sequence)[:1]]


def _items(holder: Elements, sequence: str) -> list[Elements]:
    values = holder.get(sequence, _ABSENT).values
    return [value for value in values if isinstance(value, Mapping)]


def _float(holder: Elements, keyword: str) -> float | None:
    """Return the first value as a finite number, None if it is none."""
    values = holder.get(keyword, _ABSENT).values
    return _number(values[0]) if values else None


def _number(value: object) -> float | None:
    text = str(value)
    try:
        number = float(text)
    except ValueError:
        return None
    # float() takes 1_0 too, which no DS is (PS3.5 6.2).
    return number if np.isfinite(number) and "_" not in text else None


def _finite(grey: Grey) -> Grey:
    plain = grey.astype(np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(plain.sum())  # one number tells of all, at a fifth of the cost
    return plain if np.isfinite(total) else np.nan_to_num(plain, nan=0.0, posinf=0.0, neginf=0.0)
