"""Write a model package: flat buffer, card, labels, figures, golden inputs.

In: a fitted network, its calibrated card and figures. Out: `OUT/<id>/<version>/`, ready for
`predict.catalog`. No package holds an image of a third party: golden inputs are drawn.
"""

import hashlib
import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
import yaml
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.catalog import ModelCard, Witness
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.recipe import (
    Calibrated,
    Example,
    Figures,
    HeldOut,
    Licences,
    Origin,
    Recipe,
)
from qa_daemon.training.split import split

#: Ends the id of a model that saw material of open licences only.
OPEN_ENDING: Final = "_open"
#: Golden inputs of 80 x 80; of larger ones as many as fill the same room, and two at least.
GOLDEN_COUNT: Final = 6
GOLDEN_PIXELS: Final = GOLDEN_COUNT * 80 * 80
GOLDEN_SEED: Final = 20
#: A card is read by people: longer figures stand in `metrics.json` alone.
CARD_LINES_MAX: Final = 160


@frozen(kw_only=True, eq=False)
class Made:
    """A package about to be written.

    Attributes
    ----------
    examples
        All that could be used, fitted or not.
    fitted, held_out
        How many pictures, and of how many groups, were fitted on and kept for figures.
    rule
        Who was held out.
    folds
        0 where figures come from the held-out; else everything was fitted on, and calibration,
        thresholds and figures come from so many folds, each scored by a model that did not see it.
    """

    recipe: Recipe[Any]
    calibrated: Calibrated
    figures: Figures
    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    rule: HeldOut
    licences: Licences
    folds: int = 0

    @property
    def fitted(self) -> tuple[Example, ...]:
        """The examples that fitting saw."""
        if self.folds:
            return self.examples
        return split(self.examples, self.rule).training


def flat_buffer(model: keras.Model) -> bytes:
    """Return the network as LiteRT with weights in 8 bits and sums in 32.

    Measured against 16-bit weights on the validation slices of the two slice models: totals of the
    figures only (one best region more or less; as many turns and mirrors decided and wrong), not
    slice by slice. A third of the time, half the size.
    """
    converter: Any = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with redirect_stdout(io.StringIO()):  # it describes its temporary file there
        content: bytes = converter.convert()
    return content


def averaged(models: Sequence[keras.Model], name: str) -> keras.Model:
    """Return one network whose logits are the mean of several: an ensemble in one file."""
    if len(models) == 1:
        return models[0]
    given = keras.Input(models[0].input_shape[1:], name="picture")
    return keras.Model(given, keras.layers.Average()([model(given) for model in models]), name=name)


def blank_card(
    recipe: Recipe[Any], content: bytes, version: str, licences: Licences = Licences.ALL
) -> ModelCard:
    """Return the card of a network before calibration.

    A model of open material has an id of its own: both kinds stand side by side in one folder.
    """
    return ModelCard(
        id=recipe.name if licences is Licences.ALL else f"{recipe.name}{OPEN_ENDING}",
        version=version,
        target=recipe.target,
        labels=recipe.labels,
        modalities=recipe.modalities,
        planes=recipe.planes,
        preparation=recipe.preparation,
        size=recipe.size,
        copies=recipe.copies,
        reject=recipe.reject,
        temperature=1.0,
        correlation=0.0,
        witnesses=recipe.witnesses,
        licences=licences.value,
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        golden=Path(),
    )


def write(made: Made, models: Path) -> Path:
    """Write a package below a folder of models; return its folder."""
    card = made.calibrated.card
    folder = models / card.id / card.version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(card.content)
    inputs = golden_inputs(card.size)
    golden = folder / "golden" / "golden.npz"
    _write_golden(
        inputs, Interpreter(evolve(card, golden=golden)).scores(inputs.astype(np.float32)), golden
    )
    (folder / "labels.yaml").write_text(_yaml(dict(made.recipe.words.meanings)), encoding="utf-8")
    # Patients of published sets; those of a site stay with the site.
    named = {e.group for e in made.held_out if e.origin is Origin.PUBLISHED}
    figures = {**made.figures, "held out": sorted(named)}
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text(readable(made), encoding="utf-8")
    (folder / "card.yaml").write_text(_yaml(_said(made)), encoding="utf-8")
    return folder


def _said(made: Made) -> Mapping[str, object]:
    card = made.calibrated.card
    return {
        "id": card.id,
        "version": card.version,
        "target": card.target,
        "labels": list(card.labels),
        **({"reject": card.reject} if card.reject else {}),
        "input": {
            "preparation": card.preparation,
            "size": card.size,
            "copies": card.copies,
            "modalities": list(card.modalities),
            **({"planes": list(card.planes)} if card.preparation == "slice" else {}),
        },
        **({"witnesses": [_witness(each) for each in card.witnesses]} if card.witnesses else {}),
        "calibration": {"temperature": card.temperature, "correlation": card.correlation},
        "thresholds": {
            name: {"value": value, "how": made.calibrated.how[name]}
            for name, value in card.thresholds.items()
        },
        "sha256": card.digest,
        "licences": made.licences.value,
        "data": _sources(made),
        "split": _division(made),
    }


def _witness(witness: Witness) -> Mapping[str, object]:
    return {
        "target": witness.target,
        "sided": list(witness.sided),
        "sideless": list(witness.sideless),
        "known": witness.known,
    }


def _division(made: Made) -> Mapping[str, object]:
    left_out = "patients of exclude_from_training.csv"
    if made.folds:
        return {"fitted": "everything", "figures": f"{made.folds} folds", "left out": left_out}
    return {
        "patients held out of every source": made.rule.share,
        "sources held out": sorted(made.rule.sources),
        "left out": left_out,
    }


def _sources(made: Made) -> list[Mapping[str, object]]:
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    fitted = {example.source for example in made.fitted}
    for example in made.examples:
        groups[example.source, example.licence].append(example)
    return [
        {
            "source": source,
            "licence as stated": licence,
            "modalities": sorted({example.modality for example in group}),
            "pictures": len(group),
            **({"synthetic": synthetic} if (synthetic := _synthetic(group)) else {}),
            "patients": len({example.group for example in group}),
            "fitted": source in fitted,
        }
        for (source, licence), group in sorted(groups.items())
    ]


def readable(made: Made) -> str:
    """Return the text of `CARD.md`."""
    card, words = made.calibrated.card, made.recipe.words
    figures = _yaml(_headline(made.figures)).rstrip().splitlines()
    if len(figures) > CARD_LINES_MAX:
        figures = [*figures[:CARD_LINES_MAX], "# the rest: metrics.json"]
    lines = [
        f"# {card.name}",
        "",
        *words.purpose,
        "",
        f"Input: {made.recipe.preparation}, {card.size} x {card.size}, copies {card.copies}.",
        f"{len(card.content) // 1024} KiB, 8-bit weights. Licences seen: {made.licences.value}.",
        "",
        *_seen(made),
        "Sources and licences: `card.yaml`.",
        "",
        "Figures are [share, lower, upper] with 95 % Wilson intervals; pictures of one patient are",
        "not independent, so the true intervals are wider. A share of n = 0 reads [0, 0, 1] and",
        "says nothing. Thresholds were chosen on the same patients. All groups: `metrics.json`.",
        "",
        "```yaml",
        *figures,
        "```",
        "",
        *words.limits,
        "",
    ]
    return "\n".join(lines)


def _seen(made: Made) -> list[str]:
    fitted = f"{len(made.fitted)} pictures of {_groups(made.fitted)} patients"
    if synthetic := _synthetic(made.fitted):
        fitted += f" ({synthetic} of them synthetic)"
    if made.folds:
        return [
            f"Fitted on everything: {fitted}. Calibrated, thresholds chosen and measured",
            f"out of fold: {made.folds} models, each on patients that it did not see.",
        ]
    return [
        f"Fitted on {fitted}; calibrated, thresholds chosen and measured on",
        f"{len(made.held_out)} pictures of {_groups(made.held_out)} other patients,",
        f"{len(made.rule.sources)} sources wholly unseen.",
    ]


def _synthetic(examples: Sequence[Example]) -> int:
    return sum(example.origin is Origin.SYNTHETIC for example in examples)


def _groups(examples: Sequence[Example]) -> int:
    return len({example.group for example in examples})


def _headline(figures: Figures) -> Figures:
    """Return the figures without single sources and sub-groups (`name: part`)."""
    shown: Figures = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            shown[name] = {key: each for key, each in value.items() if ": " not in str(key)}
        else:
            shown[name] = value
    return json.loads(json.dumps(shown))  # type: ignore[no-any-return]  # what went in comes out


def golden_inputs(size: int) -> NDArray[np.float16]:
    """Return drawn pictures, shape (n, size, size), the same on every machine."""
    random = np.random.default_rng(GOLDEN_SEED)
    count = max(2, min(GOLDEN_COUNT, GOLDEN_PIXELS // size**2))
    return np.stack([drawn(random, size) for _ in range(count)]).astype(np.float16)


def _write_golden(inputs: NDArray[np.float16], outputs: NDArray[np.float32], path: Path) -> None:
    """Write golden inputs and the logits expected of them, replacing the file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as part:
        np.savez_compressed(part, inputs=inputs, outputs=outputs)
    Path(part.name).replace(path)


def _yaml(value: object) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))
