"""Gaps, duplicates, order, strays and foreign slices; and what must not look like one."""

import math
from collections.abc import Sequence
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.stack import Slice, StackFacts, orientation_groups, stack_facts

AXIAL: Final = Cosines((1, 0, 0), (0, 1, 0))
CORONAL: Final = Cosines((1, 0, 0), (0, 0, -1))
SAGITTAL: Final = Cosines((0, 1, 0), (0, 0, -1))


def stack(heights: Sequence[float], cosines: Cosines = AXIAL, prefix: str = "") -> list[Slice]:
    normal = cosines.normal
    return [
        Slice(
            f"{prefix}{i + 1}",
            cosines,
            (height * normal[0], height * normal[1], height * normal[2]),
            i + 1,
        )
        for i, height in enumerate(heights)
    ]


def is_clean(facts: StackFacts) -> bool:
    return not (
        facts.dissenter_uids
        or facts.gaps
        or facts.duplicate_uids
        or facts.straggler_uids
        or facts.stray_uids
    )


@given(
    count=st.integers(3, 40),
    step=st.sampled_from([-5.0, -0.6, 0.3, 2.5, 10.0]),
    tilt=st.floats(-30, 30),
    start=st.integers(0, 9),
)
def test_a_complete_stack_is_clean_in_any_order_of_arrival_and_under_any_tilt(
    count: int, step: float, tilt: float, start: int
) -> None:
    a = math.radians(tilt)
    cosines = Cosines((1, 0, 0), (0, math.cos(a), -math.sin(a)))
    slices = [Slice(str(i), cosines, (-200, -180, step * i), i) for i in range(count)]
    slices = slices[start:] + slices[:start]
    slices = slices[::2] + slices[1::2]
    facts = stack_facts(slices)
    assert is_clean(facts)
    assert facts.spacing_mm == pytest.approx(abs(step) * math.cos(a))
    assert facts.tilt_degrees in (
        pytest.approx(abs(tilt), abs=1e-3),
        pytest.approx(180 - abs(tilt), abs=1e-3),
    )


@given(count=st.integers(5, 40), data=st.data())
def test_a_slice_that_is_left_out_is_a_confirmed_gap_at_its_place(
    count: int, data: st.DataObject
) -> None:
    lost = data.draw(st.integers(1, count - 2))
    slices = stack([2.5 * i for i in range(count)])
    del slices[lost]
    (gap,) = stack_facts(slices).gaps
    assert (gap.before_uid, gap.after_uid) == (str(lost), str(lost + 2))
    assert gap.missing_count == 1
    assert gap.is_confirmed
    assert gap.distance_mm == pytest.approx(5)
    assert gap.typical_mm == pytest.approx(2.5)


def test_a_gap_is_found_against_descending_numbers_and_with_several_times_per_place() -> None:
    def frames(time: int) -> list[Slice]:
        return [
            Slice(f"{time}.{i}", AXIAL, (0, 0, -3.0 * i), 10 * time + i, (str(time),))
            for i in range(8)
            if i != 4
        ]

    facts = stack_facts(frames(0) + frames(1))
    (gap,) = facts.gaps
    assert gap.is_confirmed
    assert gap.missing_count == 1
    assert not facts.duplicate_uids


def test_without_numbers_an_isolated_wide_distance_is_an_unconfirmed_gap() -> None:
    slices = [evolve(one, number=None) for one in stack([0, 5, 10, 15, 25, 30, 35, 40])]
    (gap,) = stack_facts(slices).gaps
    assert not gap.is_confirmed
    renumbered = stack([0, 5, 10, 15, 25, 30, 35, 40])
    (gap,) = stack_facts(renumbered).gaps
    assert not gap.is_confirmed


@pytest.mark.parametrize(
    "heights",
    [
        pytest.param([0, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 35], id="two spacings, base and vertex"),
        pytest.param([0, 10, 15, 20, 25, 30], id="another distance at the first slice"),
        pytest.param([0, 5, 10, 15, 20, 32], id="another distance at the last slice"),
        pytest.param([0, 36.8, 75.2, 112, 150.4, 188.8], id="evenly thinned"),
        pytest.param([0, 2.5, 5.5, 7, 10.5, 12, 15], id="cardiac, overlapping"),
        pytest.param([0, 0.3, 5, 5.3, 10, 10.3, 15, 15.3], id="two shifted phases"),
        pytest.param([0, 100], id="two slices"),
        pytest.param([0], id="one slice"),
    ],
)
def test_uneven_distances_are_no_gaps(heights: list[float]) -> None:
    assert is_clean(stack_facts(stack(heights)))


def test_a_repeated_image_under_a_new_uid_is_a_duplicate() -> None:
    slices = stack([5.0 * i for i in range(8)])
    slices.append(evolve(slices[3], uid="copy", number=9))
    facts = stack_facts(slices)
    assert facts.duplicate_uids == (("4", "copy"),)


def test_a_series_sent_twice_under_new_uids_repeats_its_numbers() -> None:
    slices = stack([5.0 * i for i in range(4)])
    twice = slices + [evolve(one, uid="b" + one.uid) for one in slices]
    assert len(stack_facts(twice).duplicate_uids) == 4


def test_echoes_are_no_duplicates() -> None:
    slices = stack([5.0 * i for i in range(4)])
    echoes = [
        evolve(one, uid=f"{one.uid}.{echo}", number=2 * i + echo, variant=(str(echo),))
        for i, one in enumerate(slices)
        for echo in (0, 1)
    ]
    assert is_clean(stack_facts(echoes))


def test_times_that_only_private_elements_tell_apart_are_no_duplicates() -> None:
    one_place = [Slice(str(i), AXIAL, (0, 0, 7), i) for i in range(20)]
    assert is_clean(stack_facts(one_place))


def test_frames_of_a_multi_frame_object_are_never_duplicates_of_each_other() -> None:
    frames = [Slice("1", SAGITTAL, (-3, -80, 80), None, (), frame + 1) for frame in range(19)]
    assert is_clean(stack_facts(frames))


def test_a_slice_with_anothers_number_breaks_the_order() -> None:
    slices = stack([5.0 * i for i in range(10)])
    slices[2] = evolve(slices[2], number=8)
    slices[7] = evolve(slices[7], number=3)
    assert stack_facts(slices).straggler_uids == ("3", "8")


def test_numbers_that_follow_another_order_break_none() -> None:
    interleaved = [
        evolve(one, number=i // 2 if i % 2 == 0 else 10 + i // 2)
        for i, one in enumerate(stack([5.0 * i for i in range(20)]))
    ]
    assert is_clean(stack_facts(interleaved))


def test_a_position_beside_the_line_is_a_stray() -> None:
    slices = stack([5.0 * i for i in range(10)])
    slices[4] = evolve(slices[4], position=(60, 0, slices[4].position[2]))
    assert stack_facts(slices).stray_uids == ("5",)


def test_two_field_centres_in_one_series_are_no_strays() -> None:
    slices = stack([5.0 * i for i in range(10)])
    moved = [
        evolve(one, position=(40, 0, one.position[2])) if i > 5 else one
        for i, one in enumerate(slices)
    ]
    assert not stack_facts(moved).stray_uids


def test_a_foreign_slice_dissents_from_the_series() -> None:
    facts = stack_facts([*stack([3.0, 6, 9], SAGITTAL), Slice("x", CORONAL, (0, 5, 0), 9)])
    assert facts.dissenter_uids == ("x",)
    assert facts.orientation_count == 2


def test_a_localiser_has_several_orientations_and_no_dissenter() -> None:
    three = [
        one
        for plane, cosines in enumerate((AXIAL, CORONAL, SAGITTAL))
        for one in stack([-10.0, 0, 10], cosines, f"{plane}.")
    ]
    facts = stack_facts(three)
    assert facts.orientation_count == 3
    assert is_clean(facts)


def test_a_radial_series_stays_cheap_and_clean() -> None:
    radial = []
    for i in range(200):
        a = math.pi * i / 200
        radial.append(Slice(str(i), Cosines((math.cos(a), math.sin(a), 0), (0, 0, -1)), (0, 0, 0)))
    groups = orientation_groups(radial)
    assert sum(map(len, groups)) == 200
    assert len(groups) <= 32
    assert not stack_facts(radial).dissenter_uids


def test_no_slices_are_no_stack() -> None:
    assert stack_facts(()) == StackFacts(0)
