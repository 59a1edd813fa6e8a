"""What a model said of the frames of one series, as every head gets it."""

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import Probabilities, sigmoid, softmax
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.records.prediction import Abstention, Box, Prediction


@frozen
class Subject:
    """One frame that a model looked at; frames count from 1."""

    sop_instance_uid: str
    frame: int

    def said(self, prediction: Prediction) -> Prediction:
        """Return the prediction as one of this frame."""
        return evolve(prediction, sop_instance_uid=self.sop_instance_uid, frame=self.frame)


@frozen(eq=False)
class Place:
    """A square of a frame that a model looked at: what it said, shape (outputs,), and where."""

    logits: NDArray[np.float32]
    box: Box


@frozen(eq=False)
class Outputs:
    """What a model said.

    Attributes
    ----------
    logits
        Raw, shape (subjects, card.outputs): those of the labels, then those of what is none.
    heights_mm
        Place of each frame along the patient, growing to the head; NaN where it is not known.
        Shape (subjects,), or None where nobody needs it.
    places
        Per frame, of models that look at parts of it; `logits` then has no rows that count.
    """

    card: ModelCard
    subjects: tuple[Subject, ...]
    logits: NDArray[np.float32]
    heights_mm: NDArray[np.float64] | None = None
    places: tuple[tuple[Place, ...], ...] = ()


@frozen(eq=False)
class Shares:
    """Calibrated probabilities of frames.

    Attributes
    ----------
    labels
        Shape (n, labels); of single-label targets each row sums to 1.
    known
        Shape (n,): how sure it is that the frame shows something that the model knows; 1 where
        the model has no outputs for what it does not know.
    """

    labels: Probabilities
    known: Probabilities


def exclusive(card: ModelCard, logits: NDArray[np.float32]) -> Shares:
    """Return the shares of labels of which one is true; those outputs that are none set aside."""
    every = softmax(logits, card.temperature)
    count = len(card.labels)
    # Not a quotient: the shares of what is none may leave nothing to divide.
    return Shares(softmax(logits[:, :count], card.temperature), every[:, :count].sum(axis=1))


def independent(card: ModelCard, logits: NDArray[np.float32]) -> Shares:
    """Return the shares of labels each of which may be true."""
    every = sigmoid(logits, card.temperature)
    own, unknown = every[:, : len(card.labels)], every[:, len(card.labels) :]
    known = 1.0 - unknown.max(axis=1) if unknown.shape[1] else np.ones(len(every))
    return Shares(own, known)


def unable(target: str, reason: Abstention, model: str = "") -> Prediction:
    """Return the series element of a target that could not be asked, with the reason."""
    return Prediction(target=target, model=model, reason=reason)


def why_abstained(*, abstained: bool, is_known: bool) -> Abstention | None:
    """Return the reason of an answer that was computed; None if it may be used."""
    if not abstained:
        return None
    return Abstention.LOW_PROBABILITY if is_known else Abstention.OUT_OF_DISTRIBUTION
