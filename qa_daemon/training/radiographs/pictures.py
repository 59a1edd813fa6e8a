"""Labelled radiographs and other pictures: what is read, from where, under which licence.

In: a data folder with `radiographs/`, `chest/`, `medical_mnist.npz`, `volumes/`, `volumes_other/`.
Out: pictures, read when they are wanted. Slices of CT and MR and pictures without a known part have
no parts; they teach to abstain.
"""

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.reduced import reduced
from qa_daemon.training.recipe import Example, OwnPicture

#: Labels of `body_part` and the words of `radiographs/labels.csv`.
PART_OF_WORD: Final = {
    "Abdomen": "ABDOMEN",
    "Ankle": "ANKLE",
    "Cervical Spine": "CSPINE",
    "Chest": "CHEST",
    "Clavicles": "CLAVICLE",
    "Elbow": "ELBOW",
    "Feet": "FOOT",
    "Finger": "FINGER",
    "Forearm": "FOREARM",
    "Hand": "HAND",
    "Hip": "HIP",
    "Knee": "KNEE",
    "Lower Leg": "LOWERLEG",
    "Lumbar Spine": "LSPINE",
    "Pelvis": "PELVIS",
    "Shoulder": "SHOULDER",
    "Skull": "SKULL",
    "Thigh": "THIGH",
    "Thoracic Spine": "TSPINE",
    "Wrist": "WRIST",
    "Upper Arm": "UPPERARM",
    "Sinus": "SINUS",
    "Dental": "DENTAL",
}
PARTS: Final = tuple(PART_OF_WORD.values())
#: "Others" that do show a known part; they teach neither it nor to abstain.
OTHERS_WITH_PART: Final = ("skull", "foot", "ribs", "spine panels")
#: Views as both tables write them.
VIEW_OF_WORD: Final = {
    "AP": "AP",
    "AP Supine": "AP",
    "AP erect": "AP",
    "AP (set description)": "AP",
    "PA": "PA",
    "PA/AP": "FRONTAL",
    "LAT": "LATERAL",
    "L": "LATERAL",
    "axial": "AXIAL",
}
#: Classes of Medical MNIST that are no radiograph, and how many of each block are read.
SLICE_CLASSES: Final = ("AbdomenCT", "BreastMRI", "ChestCT", "HeadCT")
MNIST_COUNT: Final = 150
#: Slices of each volume that are read.
VOLUME_COUNT: Final = 6
#: A slice with less spread shows air.
SPREAD_MIN: Final = 4.0
#: Values of a CT volume are 2000 HU in 255 steps from -1000 HU on; soft tissue on a screen is this.
SOFT_TISSUE_STEPS: Final = (107.0, 158.0)


@frozen(kw_only=True, eq=False)
class Radiograph(Example):
    """One picture and what is known of it; `labels` are its parts until a recipe sets its own.

    Attributes
    ----------
    parts
        Labels of `body_part` in view; () = none known.
    view
        AP, PA, LATERAL, AXIAL; FRONTAL = AP or PA; "" = not known.
    side
        L, R, B; "" = not known.
    is_upright
        Whether it hangs as PS3.17 Annex A has it, turned by nothing.
    is_unmirrored
        Whether it is known not to be mirrored.
    """

    parts: tuple[str, ...] = ()
    view: str = ""
    side: str = ""
    is_upright: bool = False
    is_unmirrored: bool = False


def radiographs(data: Path) -> Iterator[Radiograph]:
    """Yield the rows of `radiographs/labels.csv`."""
    folder = data / "radiographs"
    for row in _rows(folder / "labels.csv"):
        words = [] if row["body_part"] == "Others" else row["body_part"].split("|")
        if not words and any(word in row["notes"] for word in OTHERS_WITH_PART):
            continue
        source = row["source"]
        yield Radiograph(
            id=f"radiographs/{row['file']}",
            read=partial(_jpeg, folder / row["file"]),
            source=source,
            patient=f"{source}|{row['patient']}",
            licence=row["licence"],
            modality="DX",
            labels=tuple(PART_OF_WORD[word] for word in words),
            parts=tuple(PART_OF_WORD[word] for word in words),
            view=VIEW_OF_WORD.get(row["view"], ""),
            side={"left": "L", "right": "R", "both": "B"}.get(row["laterality"], ""),
            is_upright=row["upright_as_hung"] == "yes",
            is_unmirrored="mirrored" not in row["notes"] and source not in AUGMENTED,
        )


#: Long edge of the published pictures, and what of a site's own is shown as black and white.
OWN_EDGE: Final = 256
OWN_PERCENTILES: Final = (0.1, 99.9)
#: Sources whose exports mirror and turn at random: parts only.
AUGMENTED: Final = frozenset({"hbfmid", "mura_aug", "scoliosis", "cadma_scoliosis"})


def chests(data: Path) -> Iterator[Radiograph]:
    """Yield the rows of `chest/labels.csv`."""
    folder = data / "chest"
    for row in _rows(folder / "labels.csv"):
        yield Radiograph(
            id=f"chest/{row['file']}",
            read=partial(_jpeg, folder / row["file"]),
            source=row["source"],
            patient=f"{row['source']}|{row['patient']}",
            licence=row["licence"],
            modality="DX",
            labels=("CHEST",),
            parts=("CHEST",),
            view=VIEW_OF_WORD.get(row["view"], ""),
            is_upright=True,
            is_unmirrored=True,
        )


def mnist(data: Path, name: str, split: str = "train") -> Iterator[Radiograph]:
    """Yield pictures of one class of Medical MNIST from blocks of neighbouring files."""
    with np.load(data / "medical_mnist.npz", allow_pickle=False) as archive:
        of_class = archive["label"] == list(archive["class_names"]).index(name)
        chosen = np.flatnonzero(of_class & (archive["split"] == split))
        bounds, stream = archive["offset"], archive["jpeg"]
    is_hand = name == "Hand"
    for index in chosen[:: max(1, len(chosen) // MNIST_COUNT)]:
        content = stream[bounds[index] : bounds[index + 1]].tobytes()
        yield Radiograph(
            id=f"medical_mnist.npz#{index}",
            read=partial(_jpeg_of, content),
            source=f"Medical MNIST {name}, {split} blocks",
            patient=f"Medical MNIST {name}, {split} blocks|{index}",
            licence="CC BY-SA 4.0 by the maker; the mirror states nothing",
            modality="DX" if is_hand else "CT",
            labels=("HAND", "WRIST") if is_hand else (),
            parts=("HAND", "WRIST") if is_hand else (),
            side="L" if is_hand else "",
            patient_known=False,
        )


def slices(data: Path) -> Iterator[Radiograph]:
    """Yield slices of CT, MR and PET volumes as a screen shows them."""
    for folder in ("volumes", "volumes_other"):
        for path in sorted((data / folder).glob("*.npz")):
            with np.load(path, allow_pickle=False) as archive:
                volume, said = archive["slices"], json.loads(str(archive["meta"]))
            for index in np.unique(np.linspace(0, len(volume) - 1, VOLUME_COUNT).astype(int)):
                if volume[index].std() < SPREAD_MIN:
                    continue
                is_hu = "HU" in str(said.get("window")) and index % 2 == 0
                yield Radiograph(
                    id=f"{folder}/{path.name}#{index}",
                    read=partial(_windowed if is_hu else _as_stored, volume[index].copy()),
                    labels=(),
                    source=str(said.get("collection", path.stem)),
                    patient=f"{said.get('collection', path.stem)}|{said.get('patient', path.stem)}",
                    licence=str(said.get("licence", "")),
                    modality=str(said["modality"]),
                )


def own_radiograph(picture: OwnPicture, **said: Any) -> Radiograph:
    """Return a picture of a site as the published ones are: 8-bit grey, long edge as theirs.

    `said` holds what the recipe knows beside the labels.
    """
    small = reduced(picture.view().grey, OWN_EDGE).values.astype(np.float32)
    low, high = np.percentile(small, OWN_PERCENTILES)
    shown = np.clip((small - low) / max(float(high - low), 1.0), 0.0, 1.0)
    return Radiograph(
        id=picture.id,
        read=partial(_as_stored, np.asarray(np.round(shown * 255), np.uint8)),
        labels=picture.labels,
        patient=picture.patient,
        source=picture.source,
        licence=picture.licence,
        modality=picture.modality,
        series=picture.series,
        origin=picture.origin,
        weight=picture.weight,
        **said,
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _jpeg(path: Path) -> NDArray[np.uint8]:
    return _jpeg_of(path.read_bytes())


def _jpeg_of(content: bytes) -> NDArray[np.uint8]:
    picture: NDArray[Any] = imagecodecs.jpeg8_decode(content)
    return np.asarray(picture if picture.ndim == 2 else picture.mean(axis=2), np.uint8)


def _as_stored(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels


def _windowed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    low, high = SOFT_TISSUE_STEPS
    shown = np.clip((pixels.astype(np.float32) - low) / (high - low), 0.0, 1.0)
    return np.asarray(shown * 255, np.uint8)
