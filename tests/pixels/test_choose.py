"""Frames are taken evenly from what a model may look at, and what it may not says why."""

from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.demo.phantom import CtPlan, ct_series, hand_radiograph, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.limits import Limits
from qa_daemon.pixels.choose import (
    RADIOGRAPHS,
    Known,
    choose_frames,
    has_decodable_pixels,
    why_not,
)
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.records.prediction import Abstention
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
ONLY_AXIAL = frozenset({"axial"})


def instances(**plan: Any) -> list[Instance]:
    small = CtPlan(slices=5, rows=48, columns=48, pixel_spacing_mm=(8.0, 8.0))
    made = ct_series(evolve(small, **plan))
    return [read_instance(part10(data_set), Limits()) for data_set in made]


def series_of(found: list[Instance], modality: str = "CT") -> Series:
    return evolve(assemble(found), modality=modality)


def located(values: tuple[float, ...]) -> Located:
    return Located("ImageOrientationPatient", "DS", tuple(str(value) for value in values))


def multi_frame(frames: int, planes: tuple[tuple[float, ...], ...] = ()) -> Series:
    (one,) = instances(slices=1)
    made = tuple(Plane(i + 1, located(plane)) for i, plane in enumerate(planes))
    return series_of([evolve(one, number_of_frames=frames, planes=made)])


@given(count=st.integers(1, 60), most=st.integers(1, 12))
def test_frames_are_evenly_spaced_and_in_order(count: int, most: int) -> None:
    chosen = [frame.frame for frame in choose_frames(multi_frame(count), most)]
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    steps = {b - a for a, b in pairwise(chosen)}
    assert max(steps, default=1) - min(steps, default=1) <= 1
    # As far from the one end as from the other, so that neither is favoured.
    assert abs((chosen[0] - 1) - (count - chosen[-1])) <= 1


def test_a_claim_of_two_thousand_million_frames_costs_nothing() -> None:
    chosen = choose_frames(multi_frame(2_147_483_647), 10)
    assert len(chosen) == 10
    assert chosen[-1].frame > 2_000_000_000


def test_slices_of_a_stack_are_taken_in_its_order() -> None:
    found = instances(slices=9)
    chosen = choose_frames(series_of(found[::-1]), 3)
    assert [each.sop_instance_uid for each in chosen] == [
        found[at].sop_instance_uid for at in (1, 4, 7)
    ]
    assert len(choose_frames(series_of(found), 1000)) == 9


def test_localisers_and_reworked_pictures_give_way_to_axial_originals() -> None:
    scout = instances(slices=2, key="a", tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    coronal = instances(slices=2, key="b", orientation=CORONAL)
    derived = instances(slices=2, key="c", tags={"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]})
    original = instances(slices=2, key="d")
    of = {
        "original": scout + coronal + derived + original,
        "derived": scout + coronal + derived,
        "coronal": scout + coronal,
        "none": scout,
    }
    expected = {"original": original, "derived": derived, "coronal": coronal, "none": []}
    for name, found in of.items():
        chosen = {each.sop_instance_uid for each in choose_frames(series_of(found), 10, ONLY_AXIAL)}
        assert chosen == {each.sop_instance_uid for each in expected[name]}, name


def test_only_axial_frames_of_an_enhanced_object_are_taken() -> None:
    series = multi_frame(5, (CORONAL, AXIAL, AXIAL, CORONAL, AXIAL))
    assert [each.frame for each in choose_frames(series, 10, ONLY_AXIAL)] == [2, 3, 5]
    assert why_not(series, Known("axial_orientation")) is None


@pytest.mark.parametrize("target", ["axial_orientation", "body_region"])
@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (series_of(instances()), None),
        (series_of(instances(orientation=CORONAL)), Abstention.NOT_AXIAL),
        (series_of(instances(), modality="PT"), Abstention.NOT_APPLICABLE),
        (
            series_of(instances(tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})),
            Abstention.NOT_APPLICABLE,
        ),
        (
            series_of([evolve(each, number_of_frames=0) for each in instances()]),
            Abstention.NO_PIXELS,
        ),
        (
            series_of(
                [evolve(i, transfer_syntax_uid="1.2.840.10008.1.2.4.102") for i in instances()]
            ),
            Abstention.NOT_APPLICABLE,
        ),
        # A CT whose orientation is missing or senseless is taken for axial, an MR is not.
        (series_of(instances(tags={"ImageOrientationPatient": None})), None),
        (series_of(instances(tags={"ImageOrientationPatient": ["0"] * 6})), None),
        (
            series_of(instances(tags={"ImageOrientationPatient": None}), modality="MR"),
            Abstention.NOT_AXIAL,
        ),
        (multi_frame(3, (CORONAL, AXIAL, CORONAL)), Abstention.NOT_AXIAL),
    ],
)
def test_what_no_model_can_be_asked_about_says_why(
    target: str, series: Series, reason: Abstention | None
) -> None:
    assert why_not(series, Known(target)) is reason


@pytest.mark.parametrize(("rows", "columns"), [(47, 48), (48, 16)])
def test_a_slice_too_small_to_show_anatomy_gets_no_region(rows: int, columns: int) -> None:
    tiny = instances(rows=rows, columns=columns)
    assert why_not(series_of(tiny), Known("body_region")) is Abstention.OUT_OF_DISTRIBUTION
    assert len(choose_frames(series_of(tiny), 3)) == 3  # what else is asked is asked


def test_slices_too_small_to_show_anatomy_are_left_out_beside_others() -> None:
    found = instances(slices=6)
    tiny = {each.sop_instance_uid for each in found[:3]}
    mixed = [
        evolve(each, elements={**each.elements, "Rows": Element("US", (16,))})
        if each.sop_instance_uid in tiny
        else each
        for each in found
    ]
    assert why_not(series_of(mixed), Known("body_region")) is None
    assert len(choose_frames(series_of(mixed), 6)) == 3
    assert not tiny & {each.sop_instance_uid for each in choose_frames(series_of(mixed), 6)}


def test_a_radiograph_is_not_for_these_models_but_other_targets_are_left_to_theirs() -> None:
    radiograph = series_of([read_instance(part10(hand_radiograph()), Limits())], modality="CR")
    assert why_not(radiograph, Known("body_region")) is Abstention.NOT_APPLICABLE
    assert why_not(radiograph, Known("body_part")) is None
    assert has_decodable_pixels(radiograph.instances[0])


def test_an_enhanced_object_without_orientations_counts_as_its_modality_usually_lies() -> None:
    (one,) = instances(slices=1)
    bare = evolve(one, number_of_frames=2, planes=(Plane(1), Plane(2)))
    assert why_not(series_of([bare]), Known("body_region")) is None
    assert len(choose_frames(series_of([bare]), 10)) == 2


def test_a_secondary_capture_is_known_by_its_conversion_type_too() -> None:
    plain, captured = instances(slices=1, key="x"), instances(slices=1, key="y")
    marked = dict(captured[0].elements) | {"ConversionType": Element("CS", ("WSD",))}
    series = series_of([*plain, evolve(captured[0], elements=marked)])
    assert [each.sop_instance_uid for each in choose_frames(series, 5)] == [
        plain[0].sop_instance_uid
    ]


@pytest.mark.parametrize(
    ("target", "orientation", "reason"),
    [
        ("sagittal_orientation", SAGITTAL, None),
        ("sagittal_orientation", CORONAL, Abstention.NOT_APPLICABLE),
        ("coronal_orientation", CORONAL, None),
        ("coronal_orientation", AXIAL, Abstention.NOT_APPLICABLE),
        ("axial_orientation", SAGITTAL, Abstention.NOT_AXIAL),
        ("stack_direction", AXIAL, None),
        ("stack_direction", CORONAL, Abstention.NOT_AXIAL),
        ("plane", AXIAL, None),
        ("plane", SAGITTAL, Abstention.NOT_AXIAL),
        ("image_kind", SAGITTAL, None),
        ("view", AXIAL, Abstention.NOT_APPLICABLE),
    ],
)
def test_each_target_of_slices_has_its_plane(
    target: str, orientation: tuple[float, ...], reason: Abstention | None
) -> None:
    series = series_of(instances(orientation=orientation), modality="MR")
    assert why_not(series, Known(target)) is reason
    series = multi_frame(3, (orientation, orientation, AXIAL))
    assert why_not(series, Known(target)) is reason


@pytest.mark.parametrize("target", ["plane", "body_region"])
def test_a_model_that_knows_more_planes_is_asked_about_them(target: str) -> None:
    knows = Known(target, frozenset({"MR"}), frozenset({"axial", "sagittal"}))
    sagittal = series_of(instances(orientation=SAGITTAL), modality="MR")
    coronal = series_of(instances(orientation=CORONAL), modality="MR")
    assert why_not(sagittal, knows) is None
    assert why_not(coronal, knows) is Abstention.NOT_APPLICABLE
    assert why_not(evolve(sagittal, modality="CT"), knows) is Abstention.NOT_APPLICABLE


def test_a_model_that_knows_every_plane_needs_no_tag_that_names_one() -> None:
    (bare,) = [evolve(each, planes=()) for each in instances(slices=1)]
    series = series_of([bare], "MR")
    some = Known("plane", frozenset({"MR"}), frozenset({"axial", "sagittal", "coronal"}))
    every = Known("plane", frozenset({"MR"}), frozenset(BodyPlane))
    assert why_not(series, some) is Abstention.NOT_APPLICABLE
    assert why_not(series, every) is None
    assert len(choose_frames(series, 10, every.wanted)) == 1


def test_frames_of_the_plane_that_most_have_speak_for_a_series() -> None:
    series = multi_frame(5, (CORONAL, SAGITTAL, AXIAL, SAGITTAL, SAGITTAL))
    every = frozenset({"axial", "sagittal", "coronal"})
    assert [each.frame for each in choose_frames(series, 9, every)] == [2, 4, 5]
    two = frozenset({"axial", "coronal"})
    assert [each.frame for each in choose_frames(series, 9, two)] == [3], "axial breaks a tie"
    assert sorted(each.frame for each in choose_frames(series, 9)) == [1, 2, 3, 4, 5]


OF_RADIOGRAPHS = (
    *("body_part", "view", "laterality", "radiograph_orientation"),
    *("side_marker", "chest_opacity", "image_quality"),
)


@pytest.mark.parametrize("target", OF_RADIOGRAPHS)
def test_projections_of_other_kinds_are_asked_about_only_if_the_model_knows_them(
    target: str,
) -> None:
    radiograph = series_of([read_instance(part10(hand_radiograph()), Limits())])
    for modality in RADIOGRAPHS:
        assert why_not(evolve(radiograph, modality=modality), Known(target)) is None
    for modality in ("RF", "XA", "MG", "PX", "IO", "OT", "US", "CT", "MR"):
        other = evolve(radiograph, modality=modality)
        assert why_not(other, Known(target)) is Abstention.NOT_APPLICABLE
        assert why_not(other, Known(target, frozenset({modality}))) is None
