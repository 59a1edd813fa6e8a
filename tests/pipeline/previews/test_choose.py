"""Which frames a person is shown: those that voted, then an even walk through the stack."""

from attrs import evolve

from qa_daemon.demo.phantom import CtPlan, ct_series, hand_radiograph, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits
from qa_daemon.pipeline.previews.choose import frame_count, wanted_frames
from qa_daemon.pixels.choose import choose_frames
from qa_daemon.records.finding import Finding, Level, Severity, Topic
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble

STACK = CtPlan(slices=40, rows=16, columns=16)


def series(plan: CtPlan = STACK) -> Series:
    return assemble([read_instance(part10(each), Limits()) for each in ct_series(plan)])


def finding(*uids: str) -> Finding:
    return Finding(
        rule="T-1",
        topic=Topic.ORIENTATION,
        severity=Severity.MAJOR,
        level=Level.SERIES,
        message="",
        sop_instance_uids=uids,
    )


def test_all_that_voted_are_shown_among_an_even_walk() -> None:
    stack = series()
    wanted = wanted_frames(stack, (finding(),), 5, 20)
    assert [each.position for each in wanted] == sorted({each.position for each in wanted})
    assert len(wanted) == 20
    telling = {each.at for each in wanted if each.tells}
    assert telling == set(choose_frames(stack, 5))
    assert frame_count(stack) == 40


def test_the_slices_that_a_finding_names_are_shown() -> None:
    stack = series()
    odd = stack.instances[3].sop_instance_uid
    wanted = wanted_frames(stack, (finding(odd),), 5, 8)
    (named,) = [each for each in wanted if each.at.sop_instance_uid == odd]
    assert named.tells
    assert named.position == 4


def test_one_picture_is_from_the_middle_of_those_that_voted() -> None:
    (only,) = wanted_frames(series(), (), 5, 1)
    assert 15 < only.position < 25


def test_a_localiser_alone_and_a_radiograph_are_shown_though_no_model_looks_at_a_localiser() -> (
    None
):
    localiser = series(evolve(STACK, slices=2, tags={"ImageType": ["ORIGINAL", "LOCALIZER"]}))
    assert len(wanted_frames(localiser, (), 5, 5)) == 2
    hand = assemble([read_instance(part10(hand_radiograph()), Limits())])
    assert len(wanted_frames(hand, (), 5, 5)) == 1
