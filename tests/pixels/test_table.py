"""The table is found where it plainly is, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_daemon.demo.phantom import GRAVITY, CtPlan, ct_series, turned_picture
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import grey_values
from qa_daemon.pixels.image import read_image
from qa_daemon.pixels.table import agreed_side, table_side
from qa_daemon.records.element import texts

SIDE_OF = {"supine": "bottom", "prone": "top", "left_down": "right", "right_down": "left"}
#: Counter-clockwise quarter turns carry the bottom to the right, to the top, to the left.
ROUND = ["bottom", "right", "top", "left"]


def hu_of(lying: str, height_mm: float = 0.0) -> NDArray[np.float32]:
    plan = CtPlan(slices=1, rows=200, columns=200, lying=lying, centre_mm=(0, 0, height_mm))
    return (ct_series(plan)[0].pixel_array.astype(np.float32) - 1024).astype(np.float32)


@pytest.mark.parametrize("lying", list(GRAVITY))
@pytest.mark.parametrize("height_mm", [-100.0, 100.0])
def test_the_table_lies_where_gravity_points(lying: str, height_mm: float) -> None:
    assert table_side(hu_of(lying, height_mm)) == SIDE_OF[lying]


@pytest.mark.parametrize("turn", range(8))
def test_the_table_turns_with_the_stored_picture(turn: int) -> None:
    expected = ROUND[turn % 4]
    assert table_side(turned_picture(hu_of("supine"), turn)) == expected


def test_without_a_table_there_is_no_side() -> None:
    assert table_side(hu_of("")) is None


@pytest.mark.parametrize("fill", [-1000.0, 40.0])
def test_an_even_picture_has_no_side(fill: float) -> None:
    assert table_side(np.full((64, 64), fill, np.float32)) is None


def test_lines_on_two_sides_leave_it_open() -> None:
    hu = hu_of("supine")
    hu[4, 20:180] = 100
    assert table_side(hu) is None


def test_a_short_a_thick_and_a_crooked_line_are_no_table() -> None:
    for rows, columns in (
        (slice(190, 192), slice(90, 110)),
        (slice(165, 199), slice(10, 190)),
    ):
        hu = hu_of("")
        hu[rows, columns] = 100
        assert table_side(hu) is None
    hu = hu_of("")
    for column in range(20, 180):
        row = 175 + 20 * (column // 10 % 2)
        hu[min(row, 175) : max(row, 176) + 1, column] = 100
    assert table_side(hu) is None


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_noise_has_no_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rough = rng.normal(-400, 700, (16, 16)).astype(np.float32)
    assert table_side(np.kron(rough, np.ones((6, 6), np.float32))) is None


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([], None),
        ([None], None),
        (["top"], "top"),
        (["top", None, None], None),
        (["top", None, "top"], "top"),
        (["top", "left", "top"], None),
    ],
)
def test_a_series_has_a_side_if_its_slices_agree(
    sides: list[str | None], expected: str | None
) -> None:
    assert agreed_side(sides) == expected


#: Towards the floor in patient axes; only where Patient Position or the folder's name says it.
FLOOR = {"S": (0, 1, 0), "P": (0, -1, 0)}


@pytest.mark.shared
def test_real_tables_are_never_found_on_a_wrong_side(shared_data: Path) -> None:
    found, limits = 0, Limits()
    for path in sorted((shared_data / "dicom").glob("ct_*/**/*")):
        if not path.is_file():
            continue
        try:
            instance = read_instance(path.read_bytes(), limits)
        except Refused:
            continue
        position = texts(instance.elements, "PatientPosition")
        cosines = [float(text) for text in texts(instance.elements, "ImageOrientationPatient")]
        if not position or len(position[0]) != 3 or len(cosines) != 6:
            continue
        image = read_image(path.read_bytes(), limits)
        side = table_side(grey_values(image, decode_frame(image, 1)))
        floor = np.array(FLOOR[position[0][2]]) if position[0][2] in FLOOR else None
        if side is not None and floor is not None:
            across, down = floor @ cosines[:3], floor @ cosines[3:]
            expected = ("top" if down < 0 else "bottom") if abs(down) > abs(across) else "?"
            assert side == expected, path
            found += 1
    assert found > 10
