import csv
from pathlib import Path

import numpy as np
import pytest

from qa_daemon.errors import InputError
from qa_daemon.training.slices.datasets import HELD_OUT, SOURCES_HELD_OUT, slices
from qa_daemon.training.split import is_held_out, split


@pytest.mark.shared
def test_patients_of_the_exclusion_list_are_never_yielded(shared_data: Path) -> None:
    with (shared_data / "exclude_from_training.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    patients = {row["patient"] for row in rows}
    stacks = {Path(row["file"]).stem for row in rows}
    items = list(slices(shared_data))
    assert len(items) > 2000
    assert patients.isdisjoint(item.patient.split("|")[-1] for item in items)
    assert stacks.isdisjoint(item.stack.split("|")[0] for item in items)


@pytest.mark.shared
def test_no_patient_and_no_held_out_source_is_on_both_sides_of_the_split(
    shared_data: Path,
) -> None:
    parts = split(tuple(slices(shared_data)), HELD_OUT)
    fitted = {item.patient for item in parts.training}
    assert fitted.isdisjoint(item.patient for item in parts.held_out)
    assert SOURCES_HELD_OUT.isdisjoint(item.source for item in parts.training)
    assert {item.source for item in parts.held_out} >= SOURCES_HELD_OUT
    assert 0.1 < len(parts.held_out) / (len(parts.training) + len(parts.held_out)) < 0.25


def test_barred_files_and_barred_patients_elsewhere_are_left_out(drawn_data: Path) -> None:
    items = list(slices(drawn_data))
    assert "drawn|barred" not in {item.patient for item in items}
    assert {item.patient for item in items if item.source == "KiTS"} == {"KiTS|g1", "KiTS|g3"}


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"exclude_from_training\.csv"):
        list(slices(tmp_path))


def test_a_slice_between_two_regions_shows_both(drawn_data: Path) -> None:
    stack = [item.regions for item in slices(drawn_data) if item.stack == "p0"]
    assert stack == [
        ("PELVIS",),
        ("ABDOMEN", "PELVIS"),
        ("ABDOMEN",),
        ("ABDOMEN",),
        ("CHEST", "ABDOMEN"),
        ("CHEST",),
    ]


def test_sides_are_known_only_where_organs_tell_and_somebody_looked(drawn_data: Path) -> None:
    items = list(slices(drawn_data))
    stack = [item for item in items if item.stack == "p0"]
    assert [item.is_sided for item in stack] == [False, False, True, True, True, True]
    assert [item.is_sideless for item in stack] == [True, False, False, False, False, False]
    unknown = [item for item in items if "side-unknown" in item.stack]
    assert not unknown[0].mirror_verified
    assert [item.regions for item in items if item.plane == "coronal"] == [(), ("HEAD",)]


def test_values_are_hounsfield_units_only_where_the_volume_says_so(drawn_data: Path) -> None:
    items = {item.patient: item for item in slices(drawn_data)}
    in_hu, published = items["drawn|p0"], items["KiTS|g3"]
    assert in_hu.shown_as == "CT"
    assert in_hu.grey().min() == -1000.0
    assert np.isclose(in_hu.grey().max(), 230 / 255 * 2000 - 1000)
    assert published.shown_as == "MR"
    assert published.grey().max() == 230


def test_the_split_depends_on_patient_and_source_alone(drawn_data: Path) -> None:
    once, again = list(slices(drawn_data)), list(slices(drawn_data))
    assert [is_held_out(item, HELD_OUT) for item in once] == [
        is_held_out(item, HELD_OUT) for item in again
    ]
    assert all(is_held_out(item, HELD_OUT) for item in once if item.source == "KiTS")
