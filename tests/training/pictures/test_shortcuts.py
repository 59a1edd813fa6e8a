import numpy as np

from qa_daemon.training.pictures.shortcuts import rim, shortcuts
from qa_daemon.training.recipe import Example


def example(number: int, kind: str) -> Example:
    return Example(
        id=f"{number}",
        read=lambda: np.zeros((4, 4)),
        labels=(kind,),
        patient=f"p|{number}",
        source=("one", "other")[number % 2],
        licence="CC0",
        modality="CR",
    )


def test_a_rim_lies_within_the_disc_and_leaves_the_middle_out() -> None:
    ring = rim(32)
    assert not ring[0, 0]
    assert not ring[16, 16]
    assert ring[16, 1]
    assert 250 < ring.sum() < 320


def test_a_level_at_the_rim_gives_kinds_away_and_noise_does_not() -> None:
    random = np.random.default_rng(1)
    kinds = [("Hand", "CXR")[number // 2 % 2] for number in range(200)]
    examples = [example(number, kind) for number, kind in enumerate(kinds)]
    noise = random.normal(size=(200, 24, 24)).astype(np.float32)
    found = shortcuts(noise, examples, lambda each: each.labels[0])
    assert found["kind by rim"]["right"][0] < 0.65  # type: ignore[index]  # figures are told, not typed
    levels = noise.copy()
    levels[[kind == "Hand" for kind in kinds], :2] += 3
    given = shortcuts(levels, examples, lambda each: each.labels[0])
    assert given["kind by rim"]["right"][0] > 0.95  # type: ignore[index]  # figures are told, not typed
    assert {name for name in given if name.startswith("source")} == {
        f"source of {kind} by {part}" for kind in ("Hand", "CXR") for part in ("rim", "everything")
    }
