"""A small drawn data folder in the format of the real one."""

import csv
import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.random import Generator
from PIL import Image

from qa_daemon.pixels.tensor import standardised
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.calibration import calibrated_single
from qa_daemon.training.figures.standard import answers, standard_figures
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Example,
    Figures,
    Grey,
    HeldOut,
    Kind,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)


def volume(path: Path, regions: list[str], **said: object) -> None:
    """Write one volume of drawn slices: an ellipse with a spot, the spot moving with the slice."""
    down, across = np.mgrid[-1:1:160j, -1:1:160j]
    slices = []
    for number in range(len(regions)):
        picture = np.zeros((160, 160))
        picture[(down / 0.5) ** 2 + (across / 0.7) ** 2 < 1] = 130
        picture[(down - 0.3) ** 2 + (across - 0.05 * number) ** 2 < 0.02] = 230
        slices.append(picture)
    meta = {
        "collection": "drawn",
        "modality": "CT",
        "plane": "axial",
        "patient": path.stem,
        "window": "CT linear -1000..1000 HU -> 0..255, clipped",
        "licence": "own drawing",
        "mirror_verified": True,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        slices=np.asarray(slices, np.uint8),
        region=np.asarray(regions, "<U12"),
        z_mm=5.0 * np.arange(len(regions), dtype=np.float32),
        spacing_mm=np.full(len(regions), 2.0, np.float32),
        meta=json.dumps(meta | said),
    )


@pytest.fixture
def drawn_data(tmp_path: Path) -> Path:
    """Return a folder of six drawn patients, one of them barred twice over."""
    data = tmp_path / "data"
    stack = ["pelvis", "", "abdomen", "abdomen", "", "chest"]
    for number in range(4):
        volume(data / "volumes" / f"p{number}.npz", stack)
    volume(data / "volumes" / "barred.npz", stack)
    volume(
        data / "volumes" / "gathered.npz",
        ["head", "", "chest"],
        modality="MR",
        window="as published, 8 bit",
        collection="KiTS",
        per_slice=[
            {"patient": "g1", "mirror_verified": False},
            {"patient": "barred", "mirror_verified": True},
            {"patient": "g3", "mirror_verified": True},
        ],
    )
    volume(data / "volumes_other" / "side_ax-side-unknown.npz", ["head"], modality="MR")
    volume(data / "volumes_other" / "cor.npz", ["", "head"], plane="coronal")
    with (data / "exclude_from_training.csv").open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(["file", "patient", "why"])
        rows.writerow(["volumes/barred.npz", "barred", "in the tests"])
    return data


# A target that a small network learns in seconds: is a bar in the picture, a block, or nothing?
SIZE = 16
LABELS = ("AP", "LATERAL", "OBLIQUE")
HELD_OUT = HeldOut(share=0.3, sources=frozenset({"far"}))


def bar(label: str, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return grey values, shape (32, 32): a bar, a block or nothing, on noise."""
    random = np.random.default_rng(seed)
    picture = random.normal(0, 0.3, (32, 32)).astype(np.float32)
    at = int(random.integers(8, 22))
    if label == "AP":
        picture[at : at + 4, 4:28] += 2
    if label == "LATERAL":
        picture[at - 4 : at + 8, at - 4 : at + 8] += 2
    return picture


def bars(data: Path) -> Sequence[Example]:
    """Return 90 pictures of 45 patients of three sources; `data` has no part in it."""
    assert data.is_dir()
    return [
        Example(
            id=f"bars/{number}.png",
            read=partial(bar, LABELS[number % 3], number),
            labels=(LABELS[number % 3],),
            patient=f"{source}|{number // 2}",
            source=source,
            licence=licence,
            modality="DX",
        )
        for number in range(90)
        for source, licence in [
            (("near", "CC BY 4.0"), ("middle", "not stated"), ("far", "CC0"))[number // 30]
        ]
    ]


def shown(example: Example) -> Grey:
    return standardised(np.asarray(example.read()[::2, ::2], np.float32))


def draws(examples: Sequence[Example], plan: Plan) -> Draw:
    pictures = [shown(example) for example in examples]

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        chosen = random.integers(len(pictures), size=plan.batch)
        noise = random.normal(0, 0.1, (plan.batch, plan.size, plan.size)).astype(np.float32)
        targets = [[float(label in examples[at].labels) for label in LABELS] for at in chosen]
        return Batch(
            (np.stack([pictures[at] for at in chosen]) + noise)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def network(_start: Start) -> Any:
    given = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(8, 5, activation="relu")(given)
    x = keras.layers.Dropout(0.1)(keras.layers.GlobalMaxPooling2D()(x))
    return keras.Model(given, keras.layers.Dense(len(LABELS))(x))


def loss(logits: Any, targets: Any, weights: Any) -> Any:
    each = keras.losses.categorical_crossentropy(targets, logits, from_logits=True)
    return keras.ops.mean(weights * each)


def varied(example: Example, random: Generator) -> Grey:
    noise = random.normal(0, 0.1, (SIZE, SIZE)).astype(np.float32)
    return standardised(shown(example) + noise)


def calibrated(card: ModelCard, found: Scored[Example], _beside: Catalog) -> Calibrated:
    return calibrated_single(card, found, 0.05)


def figures(card: ModelCard, found: Scored[Example], _beside: Catalog) -> Figures:
    return standard_figures(answers(card, found, Kind.SINGLE), HELD_OUT.sources)


TINY = Recipe[Example](
    target="view",
    labels=LABELS,
    kind=Kind.SINGLE,
    modalities=("DX",),
    size=SIZE,
    preparation="slice",
    copies="averaged",
    steps=150,
    batch=16,
    learning_rate=2e-2,
    held_out=HELD_OUT,
    variants=1,
    words=Words(
        purpose=("Says what is drawn.",),
        limits=("Only for bars.",),
        meanings={"AP": "a bar", "LATERAL": "a block", "OBLIQUE": "nothing"},
    ),
    examples=bars,
    network=network,
    draws=draws,
    loss=loss,
    shown=shown,
    varied=varied,
    calibrated=calibrated,
    figures=figures,
)


@pytest.fixture
def tiny() -> Recipe[Example]:
    """Return the recipe of the bars."""
    return TINY


@pytest.fixture
def bars_data(tmp_path: Path) -> Path:
    """Return a data folder for it: the list of the excluded, with one of its patients."""
    data = tmp_path / "bars"
    data.mkdir()
    (data / "exclude_from_training.csv").write_text(
        "file,patient,why\nbars/4.png,,in the tests\n,7,in the tests\n", encoding="utf-8"
    )
    return data


# Columns of the tables of radiographs and chests, as far as they are read.
RADIOGRAPHS = (
    "file",
    "source",
    "licence",
    "patient",
    "body_part",
    "view",
    "laterality",
    "inverted",
)
CHESTS = ("file", "source", "licence", "patient", "age_group", "view", "label")


def jpeg(seed: int, side: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG")
    return content.getvalue()


def table(folder: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    folder.mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([columns, *rows])
    for number, row in enumerate(rows):
        path = folder / row[0]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg(number, 220))


@pytest.fixture
def drawn_pictures(tmp_path: Path) -> Path:
    """Return a folder of radiographs, chests and Medical MNIST as the recipes read them."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "exclude_from_training.csv").write_text("file,patient,why\n", encoding="utf-8")
    table(
        data / "radiographs",
        RADIOGRAPHS,
        [
            ["a/1.jpg", "a", "CC0", "p1", "Hand|Wrist", "PA", "left", "no"],
            ["a/2.jpg", "a", "CC0", "p1", "Knee", "AP", "", "yes"],
            ["b/1.jpg", "b", "not stated", "p1", "Wrist", "", "", "no"],
        ],
    )
    table(
        data / "chest",
        CHESTS,
        [
            ["n/1.jpg", "nih_chestxray8", "CC0", "q1", "adult", "PA", "normal"],
            ["k/1.jpg", "kermany_train", "CC0", "q2", "child", "AP", "pneumonia"],
            ["k/2.jpg", "kermany_train", "CC0", "q3", "child", "L", "covid"],
        ],
    )
    parts = [jpeg(number, 64) for number in range(4)]
    ends = np.cumsum([0, *map(len, parts)])
    np.savez(
        data / "medical_mnist.npz",
        jpeg=np.frombuffer(b"".join(parts), np.uint8),
        offset=ends,
        label=np.array([0, 1, 1, 0], np.int8),
        class_names=np.array(["AbdomenCT", "Hand"]),
        split=np.array(["train", "train", "test", "test"]),
        block=np.array([0, 1, 2, 3], np.int16),
        block_names=np.array(["AbdomenCT-0", "Hand-0", "Hand-9", "AbdomenCT-9"]),
        file_index=np.arange(4),
    )
    return data
