"""The drawn patients are valid objects, and what is planted in them is all that is wrong."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from attrs import evolve
from pydicom import dcmread
from pydicom.dataset import FileDataset

from qa_daemon.demo.phantom import (
    CtPlan,
    body_hu,
    ct_series,
    hand_radiograph,
    knee_radiograph,
    part10,
    turned_picture,
)

SMALL = CtPlan(slices=3, rows=40, columns=50, pixel_spacing_mm=(9.0, 8.0))


def test_a_series_survives_writing_and_reading() -> None:
    for made in ct_series(SMALL):
        read = dcmread(BytesIO(part10(made)))
        assert read == made
        assert read.pixel_array.shape == (40, 50)


def test_equal_plans_give_equal_bytes_and_other_series_other_uids() -> None:
    one, same = ct_series(SMALL), ct_series(SMALL)
    other = ct_series(evolve(SMALL, series=2))
    assert [part10(data_set) for data_set in one] == [part10(data_set) for data_set in same]
    assert one[0].StudyInstanceUID == other[0].StudyInstanceUID
    assert one[0].SeriesInstanceUID != other[0].SeriesInstanceUID
    assert len({data_set.SOPInstanceUID for data_set in one + other}) == 6


def test_the_liver_is_on_the_right_and_the_spine_posterior() -> None:
    right, left, back = np.array([[-90.0, 0, -10], [90, 0, -40], [0, 60, -10]])
    assert body_hu(right) == 110
    assert body_hu(left) != 110
    assert body_hu(back) == 260


def test_upright_slices_show_the_liver_at_the_left_of_the_screen_and_the_table_below() -> None:
    plan = CtPlan(slices=1, rows=128, columns=170, centre_mm=(0, 10, -10))
    picture = ct_series(plan)[0].pixel_array.astype(int) - 1024
    centre_row, centre_column = 60, 85
    assert abs(picture[centre_row, centre_column - 36] - 110) < 60
    assert (picture[-20:, centre_column] > -300).any()
    assert not (picture[:12] > -300).any()


@pytest.mark.parametrize("turn", range(8))
def test_a_turn_of_the_pixels_leaves_every_tag(turn: int) -> None:
    clean, turned = ct_series(SMALL)[0], ct_series(evolve(SMALL, turned=turn))[0]
    expected = turned_picture(clean.pixel_array, turn)
    assert np.array_equal(turned.pixel_array, expected)
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"):
        assert turned[keyword] == clean[keyword]


def test_planted_tags_are_written_last_and_none_removes() -> None:
    plan = evolve(SMALL, tags={"BodyPartExamined": "KNEE", "SliceThickness": None})
    for data_set in ct_series(plan):
        assert data_set.BodyPartExamined == "KNEE"
        assert "SliceThickness" not in data_set
    assert "StudyID" not in hand_radiograph(tags={"StudyID": None, "Manufacturer": ""})


def test_slices_follow_the_normal() -> None:
    plan = evolve(SMALL, orientation=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0), slice_spacing_mm=7)
    heights = [float(data_set.ImagePositionPatient[2]) for data_set in ct_series(plan)]
    assert np.diff(heights) == pytest.approx([-7, -7])


def test_decimals_obey_their_vr() -> None:
    plan = evolve(SMALL, orientation=(0.99999, 1e-11, -0.0033333333333, 0, 1 / 3, 2 / 3))
    for text in ct_series(plan)[0].ImageOrientationPatient:
        assert len(str(text)) <= 16


@pytest.mark.parametrize(("draw", "part"), [(hand_radiograph, "HAND"), (knee_radiograph, "KNEE")])
def test_radiographs_are_readable_and_have_bright_bones(
    draw: Callable[[], FileDataset], part: str
) -> None:
    read = dcmread(BytesIO(part10(draw())))
    assert read.BodyPartExamined == part
    picture = read.pixel_array
    assert picture.max() > 3 * np.percentile(picture, 5)
