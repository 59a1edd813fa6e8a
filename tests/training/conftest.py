"""A small drawn data folder in the format of the real one."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest


def volume(path: Path, regions: list[str], **said: object) -> None:
    """Write one volume of drawn slices: an ellipse with a spot, the spot moving with the slice."""
    down, across = np.mgrid[-1:1:160j, -1:1:160j]
    slices = []
    for number in range(len(regions)):
        picture = np.zeros((160, 160))
        picture[(down / 0.5) ** 2 + (across / 0.7) ** 2 < 1] = 130
        picture[(down - 0.3) ** 2 + (across - 0.05 * number) ** 2 < 0.02] = 230
        slices.append(picture)
    meta = {
        "collection": "drawn",
        "modality": "CT",
        "plane": "axial",
        "patient": path.stem,
        "window": "CT linear -1000..1000 HU -> 0..255, clipped",
        "licence": "own drawing",
        "mirror_verified": True,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        slices=np.asarray(slices, np.uint8),
        region=np.asarray(regions, "<U12"),
        meta=json.dumps(meta | said),
    )


@pytest.fixture
def drawn_data(tmp_path: Path) -> Path:
    """Return a folder of six drawn patients, one of them barred twice over."""
    data = tmp_path / "data"
    stack = ["pelvis", "", "abdomen", "abdomen", "", "chest"]
    for number in range(4):
        volume(data / "volumes" / f"p{number}.npz", stack)
    volume(data / "volumes" / "barred.npz", stack)
    volume(
        data / "volumes" / "gathered.npz",
        ["head", "", "chest"],
        modality="MR",
        window="as published, 8 bit",
        collection="KiTS",
        per_slice=[
            {"patient": "g1", "mirror_verified": False},
            {"patient": "barred", "mirror_verified": True},
            {"patient": "g3", "mirror_verified": True},
        ],
    )
    volume(data / "volumes_other" / "side_ax-side-unknown.npz", ["head"], modality="MR")
    volume(data / "volumes_other" / "cor.npz", ["", "head"], plane="coronal")
    with (data / "exclude_from_training.csv").open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(["file", "patient", "why"])
        rows.writerow(["volumes/barred.npz", "barred", "in the tests"])
    return data
