"""Sides are found wherever an object may state them."""

from qa_daemon.rules.checks.side.places import alike, parts_named, stated_sides
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries, Operand

LEFT: dict[str, Operand] = {
    "CodeValue": "7771000",
    "CodingSchemeDesignator": "SCT",
    "CodeMeaning": "Left",
}
OLD_RIGHT: dict[str, Operand] = {
    "CodeValue": "G-A100",
    "CodingSchemeDesignator": "SRT",
    "CodeMeaning": "Right",
}


def facts(*instances: dict[str, Operand], **shared: Operand) -> SeriesFacts:
    return SeriesFacts(case_series(CaseSeries(shared, instances)))


def told(**tags: Operand) -> list[tuple[str, str]]:
    elements = facts(**tags).series.instances[0].elements
    return [(each.path, each.side) for each in stated_sides(elements)]


def test_every_place_is_looked_at() -> None:
    knee: dict[str, Operand] = {"CodeValue": "72696002", "AnatomicRegionModifierSequence": (LEFT,)}
    bone: dict[str, Operand] = {
        "CodeValue": "1",
        "PrimaryAnatomicStructureModifierSequence": (OLD_RIGHT,),
    }
    assert told(
        Laterality="R",
        ImageLaterality="b",
        AnatomicRegionSequence=(knee,),
        PrimaryAnatomicStructureSequence=(bone,),
    ) == [
        ("Laterality", "R"),
        ("ImageLaterality", "B"),
        ("AnatomicRegionSequence[1].AnatomicRegionModifierSequence[1]", "L"),
        ("PrimaryAnatomicStructureSequence[1].PrimaryAnatomicStructureModifierSequence[1]", "R"),
    ]


def test_frames_that_say_the_same_are_named_once() -> None:
    left, right = ({"FrameAnatomySequence": ({"FrameLaterality": side},)} for side in "LR")
    assert told(PerFrameFunctionalGroupsSequence=(left, left, right)) == [
        ("PerFrameFunctionalGroupsSequence[1].FrameAnatomySequence[1].FrameLaterality", "L"),
        ("PerFrameFunctionalGroupsSequence[3].FrameAnatomySequence[1].FrameLaterality", "R"),
    ]


def test_words_that_are_no_side_and_empty_elements_state_none() -> None:
    assert told(Laterality="LEFT", ImageLaterality=None, AnatomicRegionSequence=None) == []


def test_a_part_is_named_by_term_and_by_code_of_any_edition() -> None:
    elements = (
        facts(
            BodyPartExamined="Knees",
            AnatomicRegionSequence=({"CodeValue": "72696002"}, {"CodeValue": "40983000"}),
        )
        .series.instances[0]
        .elements
    )
    assert [part.term for part in parts_named(elements)] == ["KNEE", "UPPERARM"]


def test_instances_are_looked_at_once_per_set_of_values() -> None:
    series = facts({"Laterality": "R"}, {"Laterality": "L"}, {"Laterality": "R"}, Modality="CR")
    assert [len(group) for group in alike(series, frozenset({"Laterality"}))] == [2, 1]
    assert [len(group) for group in alike(series, frozenset({"Modality"}))] == [3]
