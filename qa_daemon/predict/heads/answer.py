"""The head of a target."""

from collections.abc import Sequence
from typing import Final

from qa_daemon.predict.heads.labels import multi_label_predictions, single_label_predictions
from qa_daemon.predict.heads.marker import marker_predictions
from qa_daemon.predict.heads.orientation import orientation_predictions
from qa_daemon.predict.heads.outputs import Outputs
from qa_daemon.predict.heads.stack import stack_prediction
from qa_daemon.records.prediction import MULTI_LABEL, ORIENTATIONS, Prediction

STACK: Final = "stack_direction"
#: Targets that want to know where along the patient the slices lie.
PLACED: Final = frozenset({STACK, "body_region"})
MARKER: Final = "side_marker"


def predictions(
    target: str, outputs: Outputs, witnesses: Sequence[Prediction] = ()
) -> tuple[Prediction, ...]:
    """Return what a model says: the series element first, then one per frame.

    Parameters
    ----------
    target
        As in the contract; that of the card, but for `stack_direction`, which may ask another's.
    witnesses
        Of orientations: what the models that the card names said of the same frames.
    """
    if target == STACK:
        return (stack_prediction(outputs),)
    if target == MARKER:
        return marker_predictions(outputs)
    if target in ORIENTATIONS:
        return orientation_predictions(outputs, witnesses)
    if target in MULTI_LABEL:
        return multi_label_predictions(outputs)
    return single_label_predictions(outputs)
