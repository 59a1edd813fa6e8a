"""Pixels turned or mirrored and the tags left: the exact correction is offered for every slice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from tests.corpus.conftest import Check

pytestmark = pytest.mark.shared

#: An abdomen and a chest, head first and feet first: both show which side is which.
SERIES = ("ct_abdomen_ircad17", "ct_chest_ffs_lidc0001")
Place = tuple[list[float], list[float]]


def turned(picture: NDArray[Any], label: int) -> NDArray[Any]:
    """Return T_label: mirrored first from 4 on, then quarter turns counter-clockwise."""
    mirrored = picture[:, ::-1] if label >= 4 else picture
    return np.ascontiguousarray(np.rot90(mirrored, label % 4))


def true_place(data_set: Dataset, label: int) -> Place:
    """Return the orientation and position that the turned picture really has.

    Found by following three pixels, with no use of the product's own algebra.
    """
    row, column = (np.array(data_set.ImageOrientationPatient[at : at + 3], float) for at in (0, 3))
    between_rows, between_columns = (float(value) for value in data_set.PixelSpacing)
    rows, columns = data_set.Rows, data_set.Columns
    r, c = np.mgrid[:rows, :columns]
    # Which pixel of the original came to lie at the first, its right and its lower neighbour?
    came_from = turned(r * columns + c, label)
    first, right, below = (divmod(int(came_from[at]), columns) for at in ((0, 0), (0, 1), (1, 0)))

    def place(pixel: tuple[int, int]) -> NDArray[np.float64]:
        along = row * (pixel[1] * between_columns) + column * (pixel[0] * between_rows)
        return np.asarray(data_set.ImagePositionPatient, float) + along

    directions = [place(pixel) - place(first) for pixel in (right, below)]
    cosines = [float(v) for d in directions for v in d / np.linalg.norm(d)]
    return cosines, [float(value) for value in place(first)]


def turned_copy(source: Path, folder: Path, label: int) -> dict[str, Place]:
    """Write the series with its pixels turned; return what is true of each instance."""
    folder.mkdir()
    truth = {}
    for path in sorted(source.glob("*.dcm")):
        data_set = dcmread(path)
        if data_set.file_meta.TransferSyntaxUID.is_compressed:
            data_set.decompress()
        truth[str(data_set.SOPInstanceUID)] = true_place(data_set, label)
        kind = "<i2" if data_set.PixelRepresentation else "<u2"
        cells = np.frombuffer(data_set.PixelData, kind, data_set.Rows * data_set.Columns)
        picture = turned(cells.reshape(data_set.Rows, data_set.Columns), label)
        data_set.Rows, data_set.Columns = picture.shape
        data_set.PixelData = picture.tobytes()
        data_set.save_as(folder / path.name)
    return truth


def proposals(finding: dict[str, Any]) -> list[dict[str, Place]]:
    """Return what the suggestion and each alternative would make of every instance."""
    found = []
    for suggestion in (finding["suggestion"], *finding["alternatives"]):
        values: dict[str, dict[str, list[float]]] = {}
        for change in suggestion["changes"]:
            if change["attribute"] in ("ImageOrientationPatient", "ImagePositionPatient"):
                numbers = [float(value) for value in change["proposed"]]
                values.setdefault(change["sop_instance_uid"], {})[change["attribute"]] = numbers
        found.append(
            {
                uid: (both["ImageOrientationPatient"], both["ImagePositionPatient"])
                for uid, both in values.items()
            }
        )
    return found


def is_right(proposal: dict[str, Place], truth: dict[str, Place]) -> bool:
    return proposal.keys() == truth.keys() and all(
        np.allclose(proposal[uid][0], cosines, rtol=0, atol=1e-4)
        and np.allclose(proposal[uid][1], position, rtol=0, atol=1e-4)
        for uid, (cosines, position) in truth.items()
    )


@pytest.mark.parametrize("label", range(1, 8))
@pytest.mark.parametrize("name", SERIES)
def test_the_exact_orientation_and_position_of_every_slice_are_proposed(
    check: Check, shared_data: Path, tmp_path: Path, name: str, label: int
) -> None:
    truth = turned_copy(shared_data / "dicom" / name, tmp_path / "turned", label)
    result = check(tmp_path / "turned")
    assert result.status == 1
    found = [f for f in result.findings if f["topic"] == "orientation" and f["suggestion"]]
    assert len(found) == 1
    assert found[0]["severity"] in ("major", "critical")
    assert any(is_right(proposal, truth) for proposal in proposals(found[0]))


@pytest.mark.parametrize("name", SERIES)
def test_the_copy_that_is_not_turned_is_clean(
    check: Check, shared_data: Path, tmp_path: Path, name: str
) -> None:
    turned_copy(shared_data / "dicom" / name, tmp_path / "same", 0)
    result = check(tmp_path / "same")
    assert [f for f in result.findings if f["topic"] == "orientation"] == []
