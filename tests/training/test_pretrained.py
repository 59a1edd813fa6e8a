from pathlib import Path

import keras
import numpy as np
import pytest

from qa_daemon.errors import InputError
from qa_daemon.training import pretrained
from qa_daemon.training.recipe import Start

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PICTURES = np.random.default_rng(1).normal(0, 1, (6, 64, 64, 1)).astype(np.float32)


@pytest.mark.shared
def test_moving_statistics_in_keeps_what_the_network_computes(shared_data: Path) -> None:
    given = keras.Input((64, 64, 1))
    model = pretrained.backbone(given, shared_data, pretrained.V1_025)
    before = np.asarray(model([PICTURES]))
    assert before.std() > 0.1
    pretrained.recalibrate_bn(model, PICTURES)
    assert np.allclose(np.asarray(model([PICTURES])), before, atol=1e-3)
    # Now training mode, which takes the statistics of the batch, says the same.
    assert np.allclose(np.asarray(model([PICTURES], training=True)), before, atol=0.05)


@pytest.mark.shared
def test_a_network_to_fine_tune_has_the_outputs_of_its_head(shared_data: Path) -> None:
    start = Start(data=shared_data, sample=lambda: PICTURES)
    head = pretrained.pooled_head(5)
    model = pretrained.tuned(start, 64, pretrained.V1_025, head)
    assert model.output_shape == (None, 5)


def test_without_the_weights_it_says_which_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mobilenetv1_0\.25_128_int8\.npz: not found"):
        pretrained.backbone(keras.Input((64, 64, 1)), tmp_path, pretrained.V1_025)
