"""A head above something else: what is a label, what stays open, and that nothing else changes."""

from functools import partial

import numpy as np
import pytest

from qa_daemon.training.slices.composites import COMPOSED, Parts, one_above_another
from qa_daemon.training.slices.datasets import LabelledSlice


def drawn(region: str, grey: int) -> LabelledSlice:
    """Return a sagittal slice that shows a block of one grey."""
    pixels = np.zeros((160, 160), np.uint8)
    pixels[20:140, 30:130] = grey
    pixels[60:80, 60:80] = 255
    return LabelledSlice(
        id=f"volumes/{region}.npz#0",
        read=partial(np.asarray, pixels),
        labels=(region,),
        pixels=pixels,
        in_hu=False,
        source="drawn",
        patient=f"drawn|{region}",
        modality="MR",
        plane="sagittal",
        series=region,
        regions=(region,),
        regions_open=frozenset(),
        mirror_verified=False,
        licence="own drawing",
    )


@pytest.fixture
def parts() -> Parts:
    return Parts(
        (drawn("HEAD", 200),),
        np.ones(1),
        (drawn("ABDOMEN", 90), drawn("CHEST", 60)),
        np.full(2, 0.5),
    )


def test_a_head_is_a_label_and_all_below_stays_open(parts: Parts) -> None:
    found = [one_above_another(parts, np.random.default_rng(seed)) for seed in range(40)]
    heads = [item for item in found if item.regions]
    assert 20 < len(heads) < 40
    for item in heads:
        assert item.regions == ("HEAD",)
        assert "NECK" in item.regions_open
        assert item.regions_open & {"ABDOMEN", "CHEST"}
        assert "HEAD" not in item.regions_open


def test_without_a_head_nothing_is_said_of_what_is_cut(parts: Parts) -> None:
    found = [one_above_another(parts, np.random.default_rng(seed)) for seed in range(40)]
    for item in found:
        if not item.regions:
            assert item.regions_open & {"ABDOMEN", "CHEST"}
            assert "HEAD" not in item.regions_open


def test_what_is_drawn_together_is_told_from_what_was_published(parts: Parts) -> None:
    item = one_above_another(parts, np.random.default_rng(3))
    assert item.source == COMPOSED
    assert item.pixels.shape == (160, 160)
    assert item.pixels[:8].max() > 0
    again = one_above_another(parts, np.random.default_rng(3))
    assert np.array_equal(item.pixels, again.pixels)
