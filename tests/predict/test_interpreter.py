import hashlib
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import ModelCard, load_catalog
from qa_daemon.predict.interpreter import Interpreter, check_golden, turned

SHIPPED = load_catalog(Path(__file__).resolve().parents[2] / "models")


def model(target: str) -> ModelCard:
    card = SHIPPED.of(target)
    assert card is not None
    return card


def pictures(count: int) -> NDArray[np.float32]:
    size = model("axial_orientation").size
    return np.random.default_rng(3).standard_normal((count, size, size)).astype(np.float32)


@pytest.mark.parametrize("label", range(8))
def test_turning_the_picture_turns_the_answer(label: int) -> None:
    interpreter = Interpreter(model("axial_orientation"))
    upright = pictures(2)
    scores = interpreter.scores(upright)
    after = interpreter.scores(turned(upright, label))
    # Class k of the picture is class `label * k` of the turned one; k = 0 is enough to name it.
    assert np.allclose(after[:, label], scores[:, 0], atol=1e-3)


@pytest.mark.parametrize("label", range(8))
def test_averaged_answers_do_not_depend_on_how_the_slice_lies(label: int) -> None:
    interpreter = Interpreter(evolve(model("body_region"), copies="averaged"))
    assert np.allclose(
        interpreter.scores(pictures(2)), interpreter.scores(turned(pictures(2), label)), atol=1e-3
    )


@pytest.mark.parametrize("count", [0, 1, 17, 40])
@pytest.mark.parametrize("target", ["axial_orientation", "body_region"])
def test_any_number_of_slices_gives_one_row_each(target: str, count: int) -> None:
    scores = Interpreter(model(target)).scores(pictures(count))
    assert scores.shape == (count, len(model(target).labels))
    assert np.isfinite(scores).all()


def test_a_batch_is_answered_as_its_slices_are() -> None:
    interpreter = Interpreter(model("axial_orientation"))
    each = np.concatenate([interpreter.scores(one[None]) for one in pictures(5)])
    assert np.allclose(each, interpreter.scores(pictures(5)), atol=1e-3)


def test_a_flat_buffer_that_is_none_is_refused() -> None:
    content = b"no model"
    broken = evolve(
        model("body_region"), content=content, digest=hashlib.sha256(content).hexdigest()
    )
    with pytest.raises(ConfigurationError, match="cannot load"):
        Interpreter(broken)


def test_a_model_that_answers_otherwise_than_when_it_was_made_is_refused(tmp_path: Path) -> None:
    card = model("body_region")
    with np.load(card.golden) as golden:
        inputs, outputs = golden["inputs"], golden["outputs"]
    other = tmp_path / "golden.npz"
    np.savez(other, inputs=inputs, outputs=outputs + 1)
    with pytest.raises(ConfigurationError, match="otherwise"):
        check_golden(evolve(card, golden=other))


def test_missing_golden_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check_golden(evolve(model("body_region"), golden=tmp_path / "absent.npz"))


def test_a_picture_and_its_mirror_image_are_averaged() -> None:
    card = evolve(model("body_region"), copies="mirrored")
    both = Interpreter(card).scores(pictures(2))
    alone = Interpreter(evolve(card, copies="single"))
    each = alone.scores(pictures(2)), alone.scores(turned(pictures(2), 4))
    assert np.allclose(both, (each[0] + each[1]) / 2, atol=1e-3)
    assert not np.allclose(each[0], each[1], atol=1e-3)


def test_a_model_with_other_outputs_than_its_card_says_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has 6 outputs, its card speaks of 7"):
        Interpreter(evolve(model("body_region"), reject=1)).scores(pictures(1))
