"""Labelled CT and MR slices: what is read, who is left out, who is kept for figures.

In: a data folder with `volumes/`, `volumes_other/` and `exclude_from_training.csv`.
Patients of that list are never yielded. Groups are patients; sources are collections.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import GREY_PERCENTILES, Frame, framed
from qa_daemon.predict.prepare import View
from qa_daemon.training.recipe import Example, HeldOut, OwnPicture
from qa_daemon.training.split import excluded

#: Labels of `body_region` in the order of the body, and the words that the volumes use.
REGIONS: Final = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")
REGION_OF_WORD: Final = {
    "head": "HEAD",
    "neck": "NECK",
    "chest": "CHEST",
    "abdomen": "ABDOMEN",
    "pelvis": "PELVIS",
    "lower_limb": "LOWERLIMB",
}
#: Regions where liver, stomach, spleen, heart or aorta show which side is which.
SIDED_REGIONS: Final = frozenset({"CHEST", "ABDOMEN"})
#: Whole sources that no shipped model has seen: stacks and single slices of each kind.
SOURCES_HELD_OUT: Final = frozenset(
    {
        "LIDC-IDRI",
        "TCIA-9328.50.1",
        "KiTS",
        "Aorta segmentation (Kaggle licethyaneth)",
        "Chest CT (Kaggle, derived)",
        'Kaggle vbookshelf "Computed Tomography (CT) Images" (PhysioNet CT-ICH)',
        "FNNDSC-adi",
    }
)
#: The draw was chosen among forty for balance alone (patients of each kind on both sides), before
#: any fit; with the sources it keeps 16 % of the slices.
HELD_OUT: Final = HeldOut(share=0.13, sources=SOURCES_HELD_OUT, draw=18)
#: An 8-bit value of a CT volume in HU: round((HU + 1000) / 2000 * 255).
HU_PER_STEP: Final = 2000.0 / 255.0
HU_AT_ZERO: Final = -1000.0
#: Rows and columns of a stored slice.
SIDE: Final = 160


@frozen(kw_only=True, eq=False)
class LabelledSlice(Example):
    """One slice in patient axes: rows to posterior, columns to left (axial).

    Attributes
    ----------
    pixels
        uint8, shape (160, 160); `in_hu` says whether they are HU in steps of `HU_PER_STEP`.
    series
        Slices with the same name form one stack, feet to head.
    regions
        Labels of `REGIONS` that the slice shows; () where the reader gave none.
    regions_open
        Labels that may or may not be in view: no loss is taken on them.
    mirror_verified
        Whether an organ in the stack proves left and right.
    place_mm, spacing_mm
        Where the slice lies along its normal (axial: growing to the head), and how wide a pixel
        is; NaN where the source does not say, or where slices of several series are gathered.
    """

    pixels: NDArray[np.uint8]
    in_hu: bool
    plane: str
    regions: tuple[str, ...]
    regions_open: frozenset[str]
    mirror_verified: bool
    place_mm: float = math.nan
    spacing_mm: float = math.nan

    @property
    def stack(self) -> str:
        """The stack that the slice lies in."""
        return self.series

    @property
    def is_sided(self) -> bool:
        """Whether left and right can be seen on this slice and are known to be right."""
        return (
            self.mirror_verified and bool(self.regions) and SIDED_REGIONS.issuperset(self.regions)
        )

    @property
    def is_sided_between(self) -> bool:
        """Whether the side is known on a slice between regions, where organs may show it.

        Most of these are domes of the liver below heart or lung, which few other slices show.
        """
        return self.mirror_verified and not self.regions

    @property
    def is_sideless(self) -> bool:
        """Whether nothing on this slice tells left from right (head, neck, pelvis, limbs)."""
        return bool(self.regions) and SIDED_REGIONS.isdisjoint(self.regions)

    def grey(self) -> NDArray[np.float32]:
        """Return the values as the service would have them: HU, or grey without a unit."""
        values = self.pixels.astype(np.float32)
        return values * np.float32(HU_PER_STEP) + np.float32(HU_AT_ZERO) if self.in_hu else values

    @property
    def shown_as(self) -> str:
        """The modality that `pixels.tensor` shall window by."""
        return "CT" if self.in_hu else "MR"


def slices(data: Path) -> Iterator[LabelledSlice]:
    """Yield every slice of `volumes` and `volumes_other` whose patient may be trained on."""
    barred = excluded(data)
    for folder in ("volumes", "volumes_other"):
        for path in sorted((data / folder).glob("*.npz")):
            if f"{folder}/{path.name}" in barred.files:
                continue
            for item in of_volume(path, f"{folder}/{path.name}"):
                if not barred.bars(item):
                    yield item


def of_volume(path: Path, name: str) -> Iterator[LabelledSlice]:
    """Yield the slices of one file, by its name within the data folder."""
    with np.load(path, allow_pickle=False) as volume:
        pixels: NDArray[np.uint8] = volume["slices"]
        words = [str(word) for word in volume["region"]]
        places, spacings = volume["z_mm"].tolist(), volume["spacing_mm"].tolist()
        meta: dict[str, Any] = json.loads(str(volume["meta"]))
    each: list[Mapping[str, Any]] = meta.get("per_slice") or [{} for _ in words]
    source = str(meta["collection"])
    is_stack = "per_slice" not in meta
    for index, (picture, own) in enumerate(zip(pixels, each, strict=True)):
        patient = str(own.get("patient", meta.get("patient", path.stem)))
        found, maybe = _regions(words, index, is_stack=is_stack, plane=str(meta["plane"]))
        yield LabelledSlice(
            id=f"{name}#{index}",
            read=partial(np.asarray, picture),
            labels=found,
            pixels=picture,
            in_hu=str(meta.get("window", "")).startswith("CT linear"),
            source=source,
            patient=f"{source}|{patient}",
            modality=str(meta["modality"]),
            plane="axial" if meta["plane"] == "axial" else str(meta["plane"]).split()[0],
            series=path.stem if is_stack else f"{path.stem}|{patient}",
            regions=found,
            regions_open=maybe,
            mirror_verified=bool(own.get("mirror_verified", meta.get("mirror_verified", False)))
            and not path.stem.endswith("side-unknown"),
            licence=str(meta.get("licence", "not stated")),
            place_mm=float(places[index]) if is_stack else math.nan,
            spacing_mm=float(spacings[index]),
        )


def _regions(
    words: Sequence[str], index: int, *, is_stack: bool, plane: str
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the labels of a slice, and those left open because it lies between two regions."""
    if words[index]:
        return (REGION_OF_WORD[words[index]],), frozenset()
    if not is_stack or plane != "axial":
        return (), frozenset(REGIONS)
    below = next((word for word in reversed(words[:index]) if word), "")
    above = next((word for word in words[index:] if word), "")
    near = {REGION_OF_WORD[word] for word in (below, above) if word}
    if len(near) == 2:
        # Between two regions a slice shows the end of one and the start of the next.
        return tuple(region for region in REGIONS if region in near), frozenset()
    return (), frozenset(REGIONS)


def own_slice(picture: OwnPicture, grey: NDArray[np.float32], **said: Any) -> LabelledSlice:
    """Return a slice of a site as the collections hold theirs; `grey` lies in patient axes.

    Parameters
    ----------
    picture
        Where it comes from.
    grey
        Square pixels, HU where the modality is CT, shape (rows, columns).
    said
        What the recipe knows: labels, regions, plane, mirror_verified.
    """
    in_hu = picture.modality == "CT"
    if in_hu:
        steps = (grey - HU_AT_ZERO) / HU_PER_STEP
    else:
        low, high = np.percentile(grey, GREY_PERCENTILES)
        steps = (grey - low) / max(float(high - low), 1e-6) * 255.0
    rows, columns = grey.shape
    whole = Frame(rows / 2, columns / 2, float(max(rows, columns)))
    # Air around it, as the collections pad: 0 in both scales.
    stored = framed(np.asarray(np.clip(steps, 0, 255), np.float32), whole, SIDE)
    pixels = np.asarray(np.round(stored), np.uint8)
    return LabelledSlice(
        id=picture.id,
        read=partial(np.asarray, pixels),
        patient=picture.patient,
        source=picture.source,
        licence=picture.licence,
        modality=picture.modality,
        series=picture.series,
        origin=picture.origin,
        weight=picture.weight,
        pixels=pixels,
        in_hu=in_hu,
        **said,
    )


def square_pixels(view: View) -> NDArray[np.float32]:
    """Return the grey values with as many samples per millimetre down as across."""
    down, across = view.spacing
    if down == across:
        return view.grey
    rows, columns = view.grey.shape
    pitch = min(down, across)
    size = round(max(rows * down, columns * across) / pitch)
    low = float(view.grey.min())
    frame = Frame(rows * down / 2, columns * across / 2, size * pitch)
    square = framed(view.grey - np.float32(low), frame, size, view.spacing)
    return np.asarray(square + np.float32(low), np.float32)
