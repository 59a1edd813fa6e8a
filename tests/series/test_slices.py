"""Planes of instances as slices."""

from pathlib import Path

import pytest
from attrs import evolve

from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.dicom.header import read_instance
from qa_daemon.geometry.placement import Placement
from qa_daemon.geometry.stack import StackFacts, stack_facts
from qa_daemon.limits import Limits
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.series.slices import VARIANT_KEYWORDS, array_size, placed_frames, slices, variant


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


def test_all_that_tells_images_of_one_place_apart_is_read() -> None:
    assert set(VARIANT_KEYWORDS) <= set(KEYWORDS)


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


def facts_of(folder: Path) -> StackFacts:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return stack_facts(slices([read_instance(path.read_bytes(), Limits()) for path in files]))


TRUTHFUL = (
    "ct_abdomen_ircad17",
    "ct_chest_ffs_lidc0001",
    "ct_head_tilt_ge",
    "ct_pelvis_abdomen_acrin001",
    "mr_abdomen_cor_tcga_bc_4073",
    "mr_head_axial_oblique_brainix",
    "mr_head_sag_decubitus_left",
    "mr_knee_cor",
    "mr_knee_enhanced_multiframe_moveknee",
    "mr_knee_localiser_3plane",
    "pet_wholebody_qin_hn",
)


@pytest.mark.shared
@pytest.mark.parametrize("name", TRUTHFUL)
def test_real_stacks_tilted_oblique_thinned_or_localising_are_clean(
    shared_data: Path, name: str
) -> None:
    facts = facts_of(shared_data / "dicom" / name)
    assert facts == StackFacts(
        orientation_count=3 if "localiser" in name else 1,
        spacing_mm=facts.spacing_mm,
        tilt_degrees=facts.tilt_degrees,
    )


@pytest.mark.shared
def test_the_angle_of_a_real_gantry_is_that_of_its_stack(shared_data: Path) -> None:
    facts = facts_of(shared_data / "dicom" / "ct_head_tilt_ge")
    assert facts.tilt_degrees == pytest.approx(18.5, abs=0.01)


@pytest.mark.shared
def test_the_coronal_picture_among_sagittal_slices_dissents(shared_data: Path) -> None:
    facts = facts_of(shared_data / "known_wrong" / "series_mixes_planes_midrc_000906")
    assert len(facts.dissenter_uids) == 1
