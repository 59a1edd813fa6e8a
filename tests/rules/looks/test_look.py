"""What a series, an instance, an item and a frame say under the names of facts."""

from collections.abc import Mapping

from qa_daemon.records.inference import Inference
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts, StudyFacts
from qa_daemon.rules.looks.columns import groups, varies
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.prove import case_prediction, case_series
from qa_daemon.rules.schema import CaseSeries, Operand

ENHANCED: Mapping[str, Operand] = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1",
    "NumberOfFrames": 3,
    "SharedFunctionalGroupsSequence": (
        {
            "PixelMeasuresSequence": ({"PixelSpacing": (0.5, 0.5)},),
            "FrameAnatomySequence": ({"FrameLaterality": "R"},),
        },
    ),
    "PerFrameFunctionalGroupsSequence": (
        {"PlanePositionSequence": ({"ImagePositionPatient": (0, 0, 0)},)},
        {
            "PlanePositionSequence": ({"ImagePositionPatient": (0, 0, 1)},),
            "FrameAnatomySequence": ({"FrameLaterality": "L"},),
        },
        {"PlanePositionSequence": ({"ImagePositionPatient": (0, 0, 1)},)},
    ),
}


def look(
    tags: Mapping[str, Operand],
    *rows: Mapping[str, Operand],
    inference: Inference | None = None,
) -> Look:
    series = case_series(CaseSeries(tags, rows))
    return Look(SeriesFacts(series, inference or Inference()))


def test_items_are_looked_through_and_counted_from_one() -> None:
    asked = look(
        {
            "RequestAttributesSequence": (
                {"AccessionNumber": "A1", "ScheduledProtocolCodeSequence": ({"CodeValue": "1"},)},
                {"ScheduledProtocolCodeSequence": ({"CodeValue": "2"}, {"CodeValue": "3"})},
            )
        }
    )
    request = "tag.RequestAttributesSequence"
    assert asked.values(request) == ("(item)", "(item)")
    assert asked.values(f"{request}[*].AccessionNumber") == ("A1",)
    assert asked.values(f"{request}[2].AccessionNumber") is None
    assert asked.values(f"{request}.ScheduledProtocolCodeSequence.CodeValue") == ("1", "2", "3")
    assert asked.values(f"{request}[2].ScheduledProtocolCodeSequence[2].CodeValue") == ("3",)
    assert asked.values(f"{request}[3].AccessionNumber") is None


def test_functional_groups_are_looked_through() -> None:
    asked = look(ENHANCED)
    assert asked.values("frame.PixelMeasuresSequence.PixelSpacing") == ("0.5", "0.5")
    assert asked.values("frame.PixelSpacing") == ("0.5", "0.5")
    assert asked.values("frame.FrameLaterality") == ("R", "L")
    assert asked.values("frame.ImagePositionPatient") == ("0", "0", "0", "0", "0", "1")
    assert asked.values("frame.FrameType") is None
    frames = list(asked.over("frames"))
    assert [frame.values("frame.FrameLaterality") for frame in frames] == [("R",), ("L",), ("R",)]
    assert [frame.values("frame.ImagePositionPatient") for frame in frames] == [
        ("0", "0", "0"),
        ("0", "0", "1"),
        ("0", "0", "1"),
    ]


def test_a_classic_object_says_at_its_top_level_what_others_say_per_frame() -> None:
    asked = look({"PixelSpacing": (0.7, 0.8)})
    assert asked.values("frame.PixelMeasuresSequence.PixelSpacing") == ("0.7", "0.8")
    assert asked.values("frame.PixelSpacing") == ("0.7", "0.8")


def test_what_was_predicted_is_told_or_why_it_is_not() -> None:
    seen = Inference(
        (
            case_prediction("view", {"AP": 0.98, "PA": 0.02}),
            case_prediction("body_region", {"CHEST": 0.99, "ABDOMEN": 0.7}),
            case_prediction("axial_orientation", {"5": 1.0}),
            case_prediction("laterality", {"L": 0.6, "R": 0.4}),
        )
    )
    asked = look({}, inference=seen)
    assert asked.values("prediction.view") == ("AP",)
    assert asked.values("prediction.view.probability") == ("0.9800",)
    assert asked.values("prediction.body_region") == ("CHEST", "ABDOMEN")
    assert asked.values("prediction.axial_orientation.turn") == ("1",)
    assert asked.values("prediction.axial_orientation.mirror") == ("true",)
    assert asked.values("prediction.laterality") == NotEvaluated("laterality: low_probability")
    assert asked.values("prediction.plane") == NotEvaluated("plane: not asked for")


def test_sides_stand_in_five_places() -> None:
    modifier = {"AnatomicRegionModifierSequence": ({"CodeValue": "7771000"},)}
    tags: Mapping[str, Operand] = {
        "Laterality": "R",
        "ImageLaterality": "U",
        "AnatomicRegionSequence": (modifier,),
        "SeriesDescription": "left knee",
        **{key: ENHANCED[key] for key in ENHANCED if key.endswith("GroupsSequence")},
        "NumberOfFrames": 3,
    }

    asked = look(tags)
    assert asked.values("side.laterality") == ("R",)
    assert asked.values("side.image") is None
    assert asked.values("side.code") == ("L",)
    assert asked.values("side.frame") == ("R", "L")
    assert asked.values("side.text") == ("L",)
    assert asked.values("text.regions") == ("KNEE",)
    assert asked.values("side") == ("R", "L")
    assert look({"StudyDescription": "?"}).values("text.regions") is None


def test_a_study_says_what_its_series_say() -> None:
    series = tuple(
        case_series(CaseSeries({"Modality": name, "StudyID": "1"}), number)
        for number, name in enumerate(("CT", "MR", "CT"), start=1)
    )
    for asked in (Look(StudyFacts(series)), Look(SeriesFacts(series[0], siblings=series[1:]))):
        assert asked.values("study.series") == ("3",)
        assert asked.values("study.instances") == ("3",)
        assert asked.values("study.modalities") == ("CT", "MR")
        assert asked.values("tag.StudyID") == ("1",)


def test_instances_that_say_the_same_are_one_group() -> None:
    facts = look({"StudyID": "1"}, *({"Laterality": "LR"[n % 2]} for n in range(10))).facts
    assert isinstance(facts, SeriesFacts)
    assert [len(group) for group in groups(facts, ["tag.Laterality", "tag.StudyID"])] == [5, 5]
    assert [len(group) for group in groups(facts, ["tag.StudyID", "series.instances"])] == [10]
    assert not varies(facts, "prediction.view")
    assert groups(facts, ["tag.Laterality"]) is groups(facts, ["tag.Laterality", "tag.StudyID"])
