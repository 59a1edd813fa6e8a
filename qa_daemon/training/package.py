"""Build a model package from fitted weights: `python -m qa_daemon.training.package TARGET ...`.

In: weights of one or more fits. Out: `OUT/<id>/<version>/` with the flat buffer, card, labels,
figures and golden inputs, ready for `predict.catalog`.
"""

import argparse
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
import yaml
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.errors import ConfigurationError
from qa_daemon.pixels.tensor import MODEL_SIZE
from qa_daemon.predict.catalog import ModelCard, load_catalog
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training import evaluate
from qa_daemon.training.datasets import (
    REGIONS,
    SOURCES_HELD_OUT,
    VALIDATION_SHARE,
    LabelledSlice,
    slices,
    split,
)
from qa_daemon.training.fit import TARGETS, drawn
from qa_daemon.training.networks import network

#: Golden inputs: drawn pictures only, so that no package holds an image of a third party.
GOLDEN_COUNT: Final = 6
GOLDEN_SEED: Final = 20
ORIENTATION_LABELS: Final = tuple(str(label) for label in range(8))
#: What each label means, for `labels.yaml`.
MEANINGS: Final = {
    "axial_orientation": {
        str(label): f"spine at the {spine}; " + ("mirrored" if label >= 4 else "not mirrored")
        for label, spine in enumerate(("bottom", "right", "top", "left") * 2)
    },
    "body_region": {
        "HEAD": "skull base and above, face included",
        "NECK": "from the shoulders' upper edge to the mandible",
        "CHEST": "from the apices to where heart or lung still dominates",
        "ABDOMEN": "liver dominating, down to the iliac crest",
        "PELVIS": "from the iliac wings to the ischium",
        "LOWERLIMB": "below the ischium, knee included",
    },
}
HOW: Final = {
    "turn": "floor; a series needs it after the vote of its slices",
    "turn_slice": "validation patients, random fields and windows: at most 0.3 % of answers "
    "decided and wrong, each patient counting once; floor 0.95",
    "mirror": "floor; a series needs it after the vote of the slices that show organs",
    "mirror_slice": "as turn_slice, on slices whose side is known; floor 0.975",
    "organs": "chest or abdomen more likely than not on a slice that speaks about the mirror",
    "known": "set by hand; nine in ten drawn shapes and all white noise stay below it",
    "label": "more likely than not, after calibration",
}


@frozen
class Made:
    """A package about to be written."""

    card: ModelCard
    figures: evaluate.Figures
    items: tuple[LabelledSlice, ...]


def package(
    target: str, data: Path, weights: Sequence[Path], out: Path, version: str = "1.0.0"
) -> Path:
    """Convert, calibrate, measure and write one model; return its folder.

    `axial_orientation` needs `body_region` in `out` already: it says where organs are in view.
    """
    labels = REGIONS if target == "body_region" else ORIENTATION_LABELS
    models = []
    outputs = 1 if target == "axial_orientation" else len(REGIONS)
    for number, path in enumerate(weights):
        model = network(MODEL_SIZE, outputs, f"{target}_{number}")
        model.load_weights(path)
        models.append(model)
    content = flat_buffer(averaged(models, target))
    card = ModelCard(
        id=target,
        version=version,
        target=target,
        labels=labels,
        modalities=("CT", "MR"),
        size=MODEL_SIZE,
        copies="scored" if target == "axial_orientation" else "averaged",
        temperature=1.0,
        correlation=0.0,
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        golden=out / target / version / "golden" / "golden.npz",
    )
    items = tuple(slices(data))
    measure = _orientation if target == "axial_orientation" else _region
    made = measure(card, items, out)
    return _write(made, out / target / version)


def _region(card: ModelCard, items: tuple[LabelledSlice, ...], _out: Path) -> Made:
    held_out = [item for item in split(items).validation if item.regions]
    found = evaluate.scored(card, held_out, None)
    card = evaluate.calibrated_regions(card, found)
    return Made(card, evaluate.region_figures(card, found), items)


def _orientation(card: ModelCard, items: tuple[LabelledSlice, ...], out: Path) -> Made:
    regions = load_catalog(out).of("body_region")
    if regions is None:
        raise ConfigurationError(f"{out}: holds no usable body_region; package that first")
    held_out = split(items).validation
    axial = [item for item in held_out if item.plane == "axial"]
    found = evaluate.scored(card, axial, regions)
    card = evaluate.calibrated_orientation(card, found)
    figures = evaluate.orientation_figures(card, found)
    others = [item for item in held_out if item.plane in ("sagittal", "coronal")]
    figures["no axial slices"] = evaluate.outsider_figures(card, regions, others)
    return Made(card, figures, items)


def _write(made: Made, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    card = evolve(made.card, golden=folder / "golden" / "golden.npz")
    (folder / "model.tflite").write_bytes(card.content)
    inputs = golden_inputs(card.size)
    outputs = Interpreter(card).scores(inputs.astype(np.float32))
    write_golden(Golden(inputs, outputs), card.golden)
    said = _said(made)
    (folder / "card.yaml").write_text(_yaml(said), encoding="utf-8")
    (folder / "labels.yaml").write_text(_yaml(MEANINGS[card.target]), encoding="utf-8")
    figures = json.dumps(made.figures, indent=1)
    (folder / "metrics.json").write_text(figures + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text(_readable(made), encoding="utf-8")
    return folder


def _said(made: Made) -> Mapping[str, object]:
    card = made.card
    used = {
        "axial_orientation": ("turn", "turn_slice", "mirror", "mirror_slice", "organs", "known"),
        "body_region": ("label", "known"),
    }[card.target]
    values = card.thresholds
    return {
        "id": card.id,
        "version": card.version,
        "target": card.target,
        "labels": list(card.labels),
        "input": {"size": card.size, "copies": card.copies, "modalities": list(card.modalities)},
        "calibration": {"temperature": card.temperature, "correlation": card.correlation},
        "thresholds": {name: {"value": values[name], "how": HOW[name]} for name in used},
        "sha256": card.digest,
        "data": _sources(made.items),
        "split": {
            "patients held out of every source": VALIDATION_SHARE,
            "sources held out": sorted(SOURCES_HELD_OUT),
            "left out": "patients of exclude_from_training.csv",
        },
    }


def _sources(items: Sequence[LabelledSlice]) -> list[Mapping[str, object]]:
    groups: dict[tuple[str, str], list[LabelledSlice]] = defaultdict(list)
    for item in items:
        groups[item.source, item.licence].append(item)
    return [
        {
            "source": source,
            "licence as stated": licence,
            "modalities": sorted({item.modality for item in group}),
            "slices": len(group),
            "patients": len({item.patient for item in group}),
            "fitted": source not in SOURCES_HELD_OUT,
        }
        for (source, licence), group in sorted(groups.items())
    ]


def _yaml(value: object) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))


def _readable(made: Made) -> str:
    card, parts = made.card, split(made.items)
    lines = [
        f"# {card.name}",
        "",
        *PURPOSE[card.target],
        "",
        f"Input: one slice as `pixels.tensor` makes it, {card.size} x {card.size}, shown in its",
        f"eight turned copies ({card.copies}). {len(card.content) // 1024} KiB, 8-bit weights.",
        "",
        f"Fitted on {len(parts.training)} slices of {_patients(parts.training)} patients;",
        "calibrated, thresholds chosen and measured on",
        f"{len(parts.validation)} slices of {_patients(parts.validation)} other patients,",
        f"{len(SOURCES_HELD_OUT)} sources wholly unseen. Sources and licences: `card.yaml`.",
        "",
        "Figures are [share, lower, upper] with 95 % Wilson intervals; slices of one patient are",
        "not independent, so the true intervals are wider. Thresholds were chosen on the same",
        "patients. All groups: `metrics.json`.",
        "",
        "```yaml",
        _yaml(_headline(made.figures)).rstrip(),
        "```",
        "",
        *LIMITS[card.target],
        "",
    ]
    return "\n".join(lines)


def _patients(items: Sequence[LabelledSlice]) -> int:
    return len({item.patient for item in items})


def _headline(figures: evaluate.Figures) -> evaluate.Figures:
    """Return the figures without single sources and regions."""
    shown: evaluate.Figures = {}
    for name, value in figures.items():
        if name == "single slices" and isinstance(value, dict):
            shown[name] = {key: each for key, each in value.items() if ":" not in key}
        else:
            shown[name] = value
    return json.loads(json.dumps(shown))  # type: ignore[no-any-return]  # what went in comes out


@frozen(eq=False)
class Golden:
    """Drawn inputs, shape (n, size, size), and the logits that the model gives, (n, labels)."""

    inputs: NDArray[np.float16]
    outputs: NDArray[np.float32]


def flat_buffer(model: keras.Model) -> bytes:
    """Return the network as LiteRT with weights in 8 bits and sums in 32.

    Measured against 16-bit weights on the validation slices: totals of the figures only (one best
    region more or less; as many turns and mirrors decided and wrong), not slice by slice. A third
    of the time, half the size.
    """
    converter: Any = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    content: bytes = converter.convert()
    return content


def averaged(models: list[keras.Model], name: str) -> keras.Model:
    """Return one network whose logits are the mean of several: an ensemble in one file."""
    if len(models) == 1:
        return models[0]
    given = keras.Input(models[0].input_shape[1:], name="slice")
    return keras.Model(given, keras.layers.Average()([model(given) for model in models]), name=name)


def golden_inputs(size: int) -> NDArray[np.float16]:
    """Return drawn pictures, the same on every machine."""
    random = np.random.default_rng(GOLDEN_SEED)
    return np.stack([drawn(random, size) for _ in range(GOLDEN_COUNT)]).astype(np.float16)


def write_golden(golden: Golden, path: Path) -> None:
    """Write golden inputs and outputs, replacing the file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as part:
        np.savez_compressed(part, inputs=golden.inputs, outputs=golden.outputs)
    Path(part.name).replace(path)


PURPOSE: Final = {
    "axial_orientation": (
        "Says how an axial CT or MR slice lies on the screen: which way the spine points (four",
        "quarter turns) and whether left and right are exchanged. Turn and mirror are decided",
        "apart; the mirror only where `body_region` sees chest or abdomen. One score per turned",
        "copy, so the answer cannot depend on how the slice was stored.",
    ),
    "body_region": (
        "Says which regions of the body a CT or MR slice shows; several may be in view.",
    ),
}
LIMITS: Final = {
    "axial_orientation": (
        "Not for other planes, projections, PET or single knees' sides. Heads, necks, pelves and",
        "limbs have no mark of left and right: the mirror stays undecided there. Situs inversus",
        "looks like a mirror. Children, pregnancy and animals were not in the data.",
    ),
    "body_region": (
        "Regions were judged by one reader without a radiologist. MR of neck, abdomen and pelvis",
        "and CT of legs are rare in the data. A sign for quality assurance, not a diagnosis.",
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Build a package from the command line."""
    parser = argparse.ArgumentParser(prog="python -m qa_daemon.training.package")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1.0.0")
    given = parser.parse_args(arguments)
    package(given.target, given.data, given.weights, given.out, given.version)


if __name__ == "__main__":
    main()
