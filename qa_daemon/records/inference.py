"""What the inference child found out about one series."""

from collections.abc import Mapping

from attrs import field, frozen

from qa_daemon.records.instance import Irregularity
from qa_daemon.records.prediction import Prediction


@frozen
class Inference:
    """The predictions of one series and what its pixels showed besides.

    Attributes
    ----------
    predictions
        Per target asked for one element for the series (`sop_instance_uid` None), even where the
        model could not run; then those of single frames.
    irregularities
        By SOP Instance UID: pixels that could not be decoded, or that belie their attributes.
    table_side
        The side of the stored picture on which the patient table lies, `top`, `bottom`, `left` or
        `right`; None where none is seen (MR, cropped CT) or slices disagree.
    shadow
        What models that run beside those in force say of the series; no rule sees it.
    """

    predictions: tuple[Prediction, ...] = ()
    irregularities: Mapping[str, tuple[Irregularity, ...]] = field(factory=dict)
    table_side: str | None = None
    shadow: tuple[Prediction, ...] = ()

    def of(self, target: str) -> Prediction | None:
        """Return the prediction of the series for `target`, None if it was not asked for."""
        for prediction in self.predictions:
            if prediction.target == target and prediction.sop_instance_uid is None:
                return prediction
        return None
