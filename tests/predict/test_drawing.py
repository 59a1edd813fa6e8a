"""A frame made small by the child, and what the parent believes of it."""

from collections.abc import Iterator

import numpy as np
import pytest

from qa_daemon.config.settings import WorkerSettings
from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import grey_values
from qa_daemon.pixels.image import read_image
from qa_daemon.predict.catalog import Catalog
from qa_daemon.predict.client import Predictor
from qa_daemon.predict.drawing.small import read

SLICE = part10(ct_series(CtPlan(slices=1, rows=64, columns=64, pixel_spacing_mm=(6.0, 6.0)))[0])
TOLD = {"shape": [2, 3], "slope": 1.0, "intercept": -5.0, "factor": 2.0, "spacing": [1.0, 1.0]}
BODY = np.arange(6, dtype="<u2").tobytes()


@pytest.fixture(scope="module")
def decoder() -> Iterator[Predictor]:
    with Predictor(Catalog(), WorkerSettings(decode_deadline_s=60), Limits()) as made:
        yield made


def test_a_frame_comes_small_with_its_values_and_spacing(decoder: Predictor) -> None:
    small = decoder.shrink(SLICE, 1, 32)
    assert small is not None
    image = read_image(SLICE, Limits())
    grey = grey_values(image, decode_frame(image, 1))
    found = small.picture.values * small.picture.slope + small.picture.intercept
    assert found.shape == (32, 32)
    assert small.spacing == (6.0, 6.0)
    assert float(found.mean()) == pytest.approx(float(grey.mean()), abs=1.0)


@pytest.mark.parametrize("content", [b"", SLICE[:-3000], SLICE[:200]])
def test_what_cannot_be_decoded_is_none(decoder: Predictor, content: bytes) -> None:
    assert decoder.shrink(content, 1, 32) is None


def test_an_answer_is_read_as_it_was_told() -> None:
    small = read(TOLD, BODY, 8)
    assert small.picture.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (small.picture.intercept, small.spacing) == (-5.0, (1.0, 1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": [2, 9]},
        {"shape": [0, 3]},
        {"shape": [2, 2]},
        {"slope": float("nan")},
        {"spacing": [1.0]},
    ],
)
def test_an_answer_that_does_not_fit_is_not_believed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"size|number|shape"):
        read(TOLD | wrong, BODY, 8)
