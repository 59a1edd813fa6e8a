"""What the child answers, asked in this process; `test_client` asks it in its own."""

from pathlib import Path

import pytest

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.limits import Limits
from qa_daemon.predict import child
from qa_daemon.predict.catalog import load_catalog
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.predict.wire import Message

SLICE = part10(ct_series(CtPlan(slices=1, rows=64, columns=64, pixel_spacing_mm=(6, 6)))[0])


@pytest.fixture(scope="module")
def models() -> dict[str, Interpreter]:
    catalog = load_catalog(Path(__file__).resolve().parents[2] / "models")
    return child.loaded(tuple(catalog.cards.values()))[0]


def question(content: bytes, *models: str, modality: str = "CT", frame: int = 1) -> Message:
    head = {"frames": [frame], "models": models, "modality": modality, "table": True}
    return Message(head, content)


def name(models: dict[str, Interpreter], target: str) -> str:
    (found,) = (name for name, model in models.items() if model.card.id == target)
    return found


def test_a_frame_gets_logits_for_each_model_asked(models: dict[str, Interpreter]) -> None:
    both = name(models, "axial_orientation"), name(models, "body_region")
    asked = question(SLICE, *both, "unknown@1.0.0")
    (frame,) = child._answer(asked, models, Limits())["frames"]
    assert {model: len(rows[0]) for model, rows in frame["scores"].items()} == {
        both[0]: 8,
        both[1]: 6,
    }
    assert frame["boxes"] == {}
    assert frame["table"] == "bottom"


def test_only_ct_has_a_table(models: dict[str, Interpreter]) -> None:
    asked = question(SLICE, name(models, "body_region"), modality="MR")
    (frame,) = child._answer(asked, models, Limits())["frames"]
    assert frame["table"] is None


def test_without_models_a_frame_is_only_decoded() -> None:
    answer = child._answer(question(SLICE), {}, Limits())
    assert answer == {
        "irregularities": [],
        "frames": [{"frame": 1, "scores": {}, "boxes": {}, "table": None}],
    }


def test_what_cannot_be_decoded_is_told() -> None:
    ((kind, message, path),) = child._answer(question(b"nothing"), {}, Limits())["irregularities"]
    assert (kind, path) == ("pixels-undecodable", "PixelData")
    assert "cannot be read" in message
    answer = child._answer(question(SLICE, frame=2), {}, Limits())
    assert "frame 2 of 1" in answer["irregularities"][0][1]


def test_a_fault_of_ours_costs_the_object_and_names_its_class_only() -> None:
    broken = Message({"frames": [None], "models": [], "modality": "CT", "table": False}, SLICE)
    ((_, message, _),) = child._answer(broken, {}, Limits())["irregularities"]
    assert message == "the decoder failed (TypeError)"


def test_the_rehearsal_leaves_nothing_to_load_later() -> None:
    child._rehearse()
