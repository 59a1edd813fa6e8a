"""Planes of instances as slices."""

from attrs import evolve

from qa_daemon.geometry.placement import Placement
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.series.slices import array_size, placed_frames, slices, variant


def located(keyword: str, text: str) -> Located:
    return Located(keyword, "DS", tuple(text.split("\\")))


def plane(frame: int = 1, orientation: str = "1\\0\\0\\0\\1\\0") -> Plane:
    return Plane(
        frame,
        located("ImageOrientationPatient", orientation),
        located("ImagePositionPatient", f"0\\0\\{frame}"),
        located("PixelSpacing", "0.5\\0.25"),
    )


def single() -> Instance:
    return Instance(
        study_instance_uid="1",
        series_instance_uid="1.2",
        sop_instance_uid="1.2.3",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        elements={
            "Rows": Element("US", (4,)),
            "Columns": Element("US", (6,)),
            "InstanceNumber": Element("IS", ("12",)),
            "EchoNumbers": Element("IS", ("2",)),
        },
        planes=(plane(),),
        number_of_frames=1,
    )


def test_a_single_image_keeps_its_number_and_variant() -> None:
    (one,) = slices([single()])
    assert (one.uid, one.number) == ("1.2.3", 12)
    assert one.position == (0.0, 0.0, 1.0)
    assert one.variant == variant(single().elements)
    assert "2" in one.variant
    assert one.frame is None


def test_frames_of_one_object_are_slices_without_number() -> None:
    frames = evolve(single(), planes=(plane(1), plane(2)), number_of_frames=2)
    assert [(one.frame, one.number, one.variant) for one in slices([frames])] == [
        (1, None, ()),
        (2, None, ()),
    ]


def test_the_placement_is_the_plane_as_tagged() -> None:
    (placed,) = placed_frames([single()])
    assert isinstance(placed.placement, Placement)
    assert placed.placement.field_mm == (1.5, 2)


def test_what_cannot_be_read_is_left_out() -> None:
    broken = evolve(single(), planes=(plane(1, "1\\0\\0"), Plane(2)))
    assert list(placed_frames([broken])) == []
    unplaced = evolve(single(), planes=(evolve(plane(), position=None, spacing=None),))
    (placed,) = placed_frames([unplaced])
    assert placed.position is None
    assert placed.spacing_mm is None
    assert placed.placement is None
    assert slices([unplaced]) == ()


def test_an_array_without_size_has_no_placement() -> None:
    assert array_size({}) is None
    assert array_size({"Rows": Element("US", (0,)), "Columns": Element("US", (3,))}) is None
    assert array_size({"Rows": Element("IS", ("-1",)), "Columns": Element("US", (3,))}) is None
    assert array_size({"Rows": Element("US", (2,)), "Columns": Element("US", (3,))}) == (2, 3)
