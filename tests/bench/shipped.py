"""What the shipped model of body parts says of pictures that it was not fitted on."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import frozen
from PIL import Image

from qa_daemon.config.packs import shipped
from qa_daemon.pixels.radiograph import radiograph_tensor
from qa_daemon.predict.catalog import load_catalog
from qa_daemon.predict.heads.answer import predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.records.inference import Inference
from tests.bench.visits import Picture


@frozen
class Model:
    """The shipped model, asked once about each picture."""

    interpreter: Interpreter
    folder: Path
    known: dict[str, Inference]

    def sees(self, picture: Picture) -> Inference:
        """Return what it says; the side is not asked for, for there is no model of sides."""
        if picture.file not in self.known:
            self.known[picture.file] = self._asked(self.folder / picture.file)
        return self.known[picture.file]

    def _asked(self, file: Path) -> Inference:
        card = self.interpreter.card
        with Image.open(file) as opened:
            grey = np.asarray(opened.convert("L"), dtype=np.float32)
        square = radiograph_tensor(grey, size=card.size)
        logits = self.interpreter.scores(square[None])
        whole, *_ = predictions(card.target, Outputs(card, (Subject("1", 1),), logits))
        return Inference((whole,))


def shipped_model(folder: Path) -> Model:
    """Return the shipped model of body parts.

    Parameters
    ----------
    folder
        Where the files of the label file lie.
    """
    card = next(
        each
        for each in load_catalog(shipped("models")).cards.values()
        if each.target == "body_part"
    )
    return Model(Interpreter(card), folder, {})


def held_out(folder: Path) -> frozenset[str]:
    """Return the patients, `source|patient`, whom the shipped model has never seen."""
    (figures,) = (folder / "body_part").glob("*/metrics.json")
    said: Mapping[str, list[str]] = json.loads(figures.read_text(encoding="utf-8"))
    return frozenset(said["held out"])
