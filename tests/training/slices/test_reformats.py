"""Cuts through drawn stacks: head up, faces left, labels from the rows in view."""

import math
from functools import partial

import numpy as np
from attrs import evolve

from qa_daemon.training.slices.datasets import LabelledSlice
from qa_daemon.training.slices.reformats import SYNTHETIC, reformatted


def stack(plane: str = "axial", count: int = 40) -> list[LabelledSlice]:
    """Return slices 5 mm apart of a body that fills half the field, 2 mm a pixel.

    The upper half (axial: the last slices) is a head, the lower a neck; brightness grows to the
    head, and a bright spot lies in front.
    """
    items = []
    for number in range(count):
        pixels = np.zeros((160, 160), np.uint8)
        pixels[40:120, 40:120] = 80 + 2 * number if plane == "axial" else 100
        if plane == "axial":
            pixels[40:50, 40:120] = 250
        is_head = number >= count // 2 or plane != "axial"
        regions = ("HEAD",) if is_head else ("NECK",)
        items.append(
            LabelledSlice(
                id=f"volumes/a.npz#{number}",
                read=partial(np.asarray, pixels),
                labels=regions,
                pixels=pixels,
                in_hu=False,
                source="drawn",
                patient="drawn|a",
                modality="MR",
                plane=plane,
                series="a",
                regions=regions,
                regions_open=frozenset(),
                mirror_verified=False,
                licence="own drawing",
                place_mm=5.0 * number,
                spacing_mm=2.0,
            )
        )
    return items


def test_an_axial_stack_gives_sagittal_and_coronal_cuts_with_the_head_up() -> None:
    found = list(reformatted(stack()))
    assert {item.plane for item in found} == {"sagittal", "coronal"}
    for item in found:
        rows = item.pixels[:, 60:100].mean(axis=1)
        filled = np.flatnonzero(rows > 40)
        if item.pixels.max() < 240:  # not within the spot, which is as bright everywhere
            assert rows[filled[2]] > rows[filled[-3]]


def test_the_front_of_a_sagittal_cut_is_on_the_left() -> None:
    for item in reformatted(stack()):
        if item.plane == "sagittal":
            middle = item.pixels[80]
            assert np.flatnonzero(middle > 200).max() < 80


def test_what_fills_enough_rows_is_a_label_of_the_cut() -> None:
    assert {item.regions for item in reformatted(stack())} == {("HEAD", "NECK")}


def test_cuts_keep_the_patient_and_are_told_from_published_slices() -> None:
    found = list(reformatted(stack()))
    assert {item.patient for item in found} == {"drawn|a"}
    assert {item.source for item in found} == {"drawn" + SYNTHETIC}
    assert len({item.id for item in found}) == len(found)


def test_a_sagittal_stack_gives_coronal_cuts_whose_neck_stays_open() -> None:
    found = list(reformatted(stack("sagittal")))
    assert {item.plane for item in found} == {"coronal"}
    assert {item.regions for item in found} == {("HEAD",)}
    assert all("NECK" in item.regions_open for item in found)


def test_short_stacks_and_unknown_places_give_nothing() -> None:
    assert not list(reformatted(stack(count=10)))
    assert not list(reformatted(evolve(item, place_mm=math.nan) for item in stack()))
