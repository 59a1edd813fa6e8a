"""A site's folder: drawn pictures as DICOM, and a table of labels."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

Rows = Sequence[tuple[str, ...]]


def picture(path: Path, number: int, modality: str = "CT") -> None:
    """Write a CT slice of 48 x 48: a disc of water in air, a spot of bone that moves."""
    down, across = np.mgrid[-1:1:48j, -1:1:48j]
    hu = np.where((down / 0.6) ** 2 + (across / 0.8) ** 2 < 1, 40.0, -1000.0)
    hu[(down - 0.3) ** 2 + (across - 0.01 * number) ** 2 < 0.02] = 700.0
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.PatientName, data.PatientID = modality, "Secret^Name", f"MRN-{number}"
    data.Rows, data.Columns, data.SamplesPerPixel = 48, 48, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleSlope, data.RescaleIntercept = "1", "-1024"
    data.PixelSpacing = ["2", "1"]
    data.PixelData = (hu + 1024).astype(np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a folder of 24 patients, with the rows of the table changed."""

    def write(change: Callable[[list[dict[str, str]]], object] = lambda _: None) -> Path:
        folder = tmp_path / "site"
        rows = []
        for number in range(24):
            picture(folder / "images" / f"{number}.dcm", number)
            rows.append(
                {
                    "file": f"images/{number}.dcm",
                    "patient": f"MRN-{number}",
                    "labels": ("CHEST", "ABDOMEN", "CHEST|ABDOMEN")[number % 3],
                }
            )
        change(rows)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as lines:
            table = csv.DictWriter(lines, columns)
            table.writeheader()
            table.writerows(rows)
        return folder

    return write
