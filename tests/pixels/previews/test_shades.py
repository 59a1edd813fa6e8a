"""What a person is shown is the picture as stored, windowed, with square pixels."""

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import FileDataset

from qa_daemon.demo.phantom import CtPlan, ct_series, hand_radiograph, part10
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.image import read_image
from qa_daemon.pixels.previews.shades import (
    PICTURE_PX,
    THUMBNAIL_PX,
    Rendering,
    reduced,
    renderings,
    thumbnail,
)
from qa_daemon.pixels.previews.webp import encoded, file_name
from qa_daemon.records.preview import Window

CHEST = CtPlan(slices=1, rows=96, columns=128, centre_mm=(0.0, 10.0, 160.0))


def shown(data_set: FileDataset, modality: str, **tags: object) -> tuple[Rendering, ...]:
    for keyword, value in tags.items():
        setattr(data_set, keyword, value)
    image = read_image(part10(data_set), Limits())
    return renderings(image, decode_frame(image, 1), modality, PICTURE_PX)


def test_a_ct_is_shown_in_its_own_window_and_in_that_of_the_lung_it_holds() -> None:
    first, second = shown(ct_series(CHEST)[0], "CT")
    assert (first.preset, first.window) == ("default", Window(40.0, 400.0))
    assert (second.preset, second.window) == ("lung", Window(-600.0, 1500.0))
    lung = np.s_[40:50, 30:40]
    assert first.shades[lung].max() == 0
    assert second.shades[lung].min() > 0


def test_a_ct_that_comes_in_a_wide_window_has_soft_tissue_second() -> None:
    _, second = shown(ct_series(CHEST)[0], "CT", WindowCenter="-600", WindowWidth="1600")
    assert second.preset == "soft tissue"


def test_a_picture_without_a_window_uses_its_own_range() -> None:
    (only,) = shown(hand_radiograph(), "CR", WindowCenter=None, WindowWidth=None)
    assert only.window is None
    assert only.shades.min() == 0
    assert only.shades.max() == 255


def test_nothing_is_turned_and_pixels_become_square() -> None:
    picture = np.zeros((40, 100), np.float32)
    picture[:10, :25] = 1.0
    tall = reduced(picture, (2.0, 1.0), 512)
    assert tall.shape == (80, 100)
    assert tall[2:18, 2:23].min() > 200
    assert tall[22:].max() == 0


@pytest.mark.parametrize("spacing", [(1e-9, 1.0), (1.0, 1e-9), (1.0, 1.0)])
def test_spacing_that_can_be_none_changes_no_shape(spacing: tuple[float, float]) -> None:
    assert reduced(np.ones((30, 40), np.float32), spacing, 512).shape == (30, 40)


def test_a_line_of_pixels_is_a_picture_too() -> None:
    assert reduced(np.ones((1, 3000), np.float32), (1.0, 1.0), 512).shape == (1, 512)


def test_a_file_shows_what_was_drawn_and_a_thumbnail_is_small() -> None:
    first, second = shown(ct_series(CHEST)[0], "CT")
    back = imagecodecs.webp_decode(encoded(first.shades))[..., 0]
    assert np.abs(back.astype(int) - first.shades).mean() < 6
    assert max(thumbnail(np.zeros((512, 300), np.uint8)).shape) == THUMBNAIL_PX
    names = {file_name(each.shades, each.window) for each in (first, second)}
    assert len(names) == 2
    assert file_name(first.shades, first.window) in names
    assert file_name(first.shades, None) not in names
