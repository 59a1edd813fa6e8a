"""What a series is made of: order, shared elements, repeats and collisions."""

from time import perf_counter
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.series.assemble import assemble

AXIAL: Final = ("1", "0", "0", "0", "1", "0")
CORONAL: Final = ("1", "0", "0", "0", "0", "-1")


def instance(
    uid: str,
    number: int | None = None,
    height: float | None = None,
    orientation: tuple[str, ...] = AXIAL,
    **elements: str,
) -> Instance:
    texts = {"Modality": "CT", **elements}
    if number is not None:
        texts["InstanceNumber"] = str(number)
    planes: tuple[Plane, ...] = ()
    if height is not None:
        planes = (
            Plane(
                1,
                Located("ImageOrientationPatient", "DS", orientation),
                Located("ImagePositionPatient", "DS", ("0", "0", str(height))),
            ),
        )
    return Instance(
        study_instance_uid="1.2",
        series_instance_uid="1.2.3",
        sop_instance_uid=uid,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        elements={keyword: Element("LO", (text,)) for keyword, text in texts.items()},
        planes=planes,
        number_of_frames=1,
        digest=uid,
    )


def order(*instances: Instance) -> list[str]:
    return [one.sop_instance_uid for one in assemble(instances).instances]


@given(st.permutations(range(8)))
def test_instances_stand_along_the_normal_in_whatever_order_they_came(arrival: list[int]) -> None:
    stack = [instance(f"1.{i}", 8 - i, 2.5 * i) for i in range(8)]
    assert order(*(stack[i] for i in arrival)) == [f"1.{i}" for i in range(8)]


def test_at_one_place_the_instance_number_decides_and_rounding_does_not() -> None:
    assert order(instance("a", 3, 5.0), instance("b", 1, 5.0000001), instance("c", 2, 4.9999)) == [
        "b",
        "c",
        "a",
    ]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(instance("z", 2, 0, CORONAL), id="another plane"),
        pytest.param(instance("z", 2), id="no plane"),
        pytest.param(instance("z", 2, 0, ("1", "0")), id="a faulty orientation"),
        pytest.param(
            evolve(
                instance("z", 2, 0),
                planes=(
                    Plane(
                        1,
                        Located("ImageOrientationPatient", "DS", AXIAL),
                        Located("ImagePositionPatient", "DS", ("0", "x", "0")),
                    ),
                ),
            ),
            id="a faulty position",
        ),
    ],
)
def test_without_a_common_normal_the_instance_number_decides(odd: Instance) -> None:
    assert order(instance("a", 3, 1), odd, instance("b", 1, 9)) == ["b", "z", "a"]


def test_without_numbers_the_uid_decides_and_numbered_ones_come_first() -> None:
    assert order(instance("c"), instance("a"), instance("b", 7)) == ["b", "a", "c"]
    assert order(instance("c", InstanceNumber="x"), instance("b", 7)) == ["b", "c"]


def test_equal_values_are_shared_and_the_others_conflict() -> None:
    series = assemble(
        [
            instance("a", 1, PatientID="P", BodyPartExamined="CHEST", ProtocolName="x"),
            instance("b", 2, PatientID="P", BodyPartExamined="ABDOMEN"),
            instance("c", 3, PatientID="P", BodyPartExamined="CHEST", StationName="s"),
        ],
        revision=4,
    )
    assert {keyword: element.values for keyword, element in series.shared.items()} == {
        "Modality": ("CT",),
        "PatientID": ("P",),
    }
    assert series.conflicting == {
        "InstanceNumber",
        "BodyPartExamined",
        "ProtocolName",
        "StationName",
    }
    assert series.revision == 4


def test_the_modality_is_that_of_most_instances() -> None:
    series = assemble([instance("a", Modality="OT"), instance("b"), instance("c")])
    assert series.modality == "CT"
    assert "Modality" in series.conflicting
    assert assemble([evolve(instance("a"), elements={})]).modality == ""


def test_a_repeat_is_dropped_and_another_object_of_the_same_uid_collides_once() -> None:
    first = instance("a", 1)
    other = evolve(first, digest="other", source="second")
    series = assemble([first, evolve(first, source="again"), other, evolve(other, source="third")])
    assert series.instances == (first,)
    assert series.colliding == (other,)


def test_without_digests_equal_elements_make_a_repeat() -> None:
    first = evolve(instance("a", 1), digest="")
    changed = evolve(instance("a", 2), digest="")
    series = assemble([first, evolve(first, source="again"), changed])
    assert series.instances == (first,)
    assert series.colliding == (changed,)


def test_a_thousand_instances_are_assembled_quickly() -> None:
    common = {f"Keyword{i}": Element("LO", (f"text {i}",)) for i in range(70)}
    stack = [
        evolve(one, elements={**{k: evolve(e) for k, e in common.items()}, **one.elements})
        for i in range(1000)
        for one in (instance(f"1.{i}", i, -1.25 * i),)
    ]
    stack = stack[::2] + stack[1::2]
    started = perf_counter()
    series = assemble(stack)
    took_s = perf_counter() - started
    assert len(series.instances) == 1000
    assert len(series.shared) == 71
    # 27 ms on an idle core; the bound leaves room for a busy machine.
    assert took_s < 0.5
