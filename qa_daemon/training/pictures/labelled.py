"""Labelled single pictures: Medical MNIST, radiographs of body parts, chests with findings.

In: a data folder with `medical_mnist.npz`, `radiographs/` and `chest/`. Out: examples without the
labels of a target: a recipe reads its own from part, view, finding or class.
"""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from qa_daemon.training.recipe import Example

MEDNIST: Final = "Medical MNIST"
#: The blocks that every published figure is about; no recipe fits or chooses anything on them.
MEDNIST_TEST: Final = "Medical MNIST, test blocks"
MEDNIST_LICENCE: Final = "CC BY-SA 4.0 by the maker, as quoted elsewhere; the mirror states nothing"
#: The official test folder of the Kermany set: figures only.
KERMANY_TEST: Final = "kermany_test224"


@frozen(kw_only=True, eq=False)
class Picture(Example):
    """One picture, 8-bit grey.

    Attributes
    ----------
    parts
        Body parts in the words of `radiographs/labels.csv`; ("Chest",) for `chest/`.
    view
        As there: AP, PA, LAT and so on; "" where nobody looked.
    finding
        `label` of `chest/labels.csv`, else "".
    age_group
        adult, child or unknown (`chest/`), else "".
    side
        left, right or both, as read from a marker; "" where none was found or nobody looked.
    is_inverted
        Published as a negative.
    """

    parts: tuple[str, ...] = ()
    view: str = ""
    finding: str = ""
    age_group: str = ""
    side: str = ""
    is_inverted: bool = False


def radiographs(data: Path) -> Iterator[Picture]:
    """Yield the pictures of `radiographs/labels.csv`."""
    for row in _rows(data / "radiographs"):
        yield Picture(
            id=f"radiographs/{row['file']}",
            read=partial(_grey, data / "radiographs" / row["file"]),
            labels=(),
            patient=f"{row['source']}|{row['patient']}",
            source=row["source"],
            licence=row["licence"],
            modality="CR",
            parts=tuple(row["body_part"].split("|")),
            view=row["view"],
            side=row["laterality"],
            is_inverted=row["inverted"] == "yes",
        )


def chests(data: Path) -> Iterator[Picture]:
    """Yield the pictures of `chest/labels.csv`."""
    for row in _rows(data / "chest"):
        yield Picture(
            id=f"chest/{row['file']}",
            read=partial(_grey, data / "chest" / row["file"]),
            labels=(),
            patient=f"{row['source']}|{row['patient']}",
            source=row["source"],
            licence=row["licence"],
            modality="CR",
            parts=("Chest",),
            view=row["view"],
            finding=row["label"],
            age_group=row["age_group"],
        )


def medical_mnist(data: Path) -> Iterator[Picture]:
    """Yield Medical MNIST; labels are its classes. Neighbouring files lie in one block."""
    with np.load(data / "medical_mnist.npz", allow_pickle=False) as stored:
        jpeg, ends = stored["jpeg"].tobytes(), stored["offset"].tolist()
        classes = [str(name) for name in stored["class_names"]]
        blocks = [str(name) for name in stored["block_names"]]
        rows = list(zip(stored["label"], stored["split"], stored["block"], strict=True))
    for index, (label, split, block) in enumerate(rows):
        yield Picture(
            id=f"medical_mnist.npz#{index}",
            read=partial(_decoded, jpeg[ends[index] : ends[index + 1]]),
            labels=(classes[int(label)],),
            patient=f"{MEDNIST}|block {blocks[int(block)]}",
            source=MEDNIST if split == "train" else MEDNIST_TEST,
            licence=MEDNIST_LICENCE,
            modality="OT",
            patient_known=False,
        )


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _grey(path: Path) -> NDArray[np.uint8]:
    return _decoded(path.read_bytes())


def _decoded(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("L"))
