import numpy as np
import pytest
import tensorflow as tf

from qa_daemon.predict.interpreter import turned as turned_in_service
from qa_daemon.training.networks import network, turned

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_the_shipped_networks_give_as_many_logits_as_asked() -> None:
    model = network(80, 6, "regions")
    assert model.output_shape == (None, 6)
    assert 300_000 < model.count_params() < 500_000


def test_turning_a_batch_is_as_in_the_service() -> None:
    pictures = np.arange(72, dtype=np.float32).reshape(2, 6, 6)
    for label in range(8):
        found = turned(tf.constant(pictures[..., None]), label)
        assert np.array_equal(found[..., 0], turned_in_service(pictures, label))
