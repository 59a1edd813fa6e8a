"""Changes obey their representation, and can be applied to see what they would bring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.element import Element
from qa_daemon.records.finding import Action, Change, JsonValue, Scope
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.records.series import Series
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries, Operand
from qa_daemon.series.assemble import assemble
from qa_daemon.suggest.values import applied, obeys_vr, removing, replacing


def series_of(*instances: dict[str, Operand], **shared: Operand) -> Series:
    return case_series(CaseSeries(shared, instances))


@pytest.mark.parametrize(
    ("vr", "value", "obeys"),
    [
        ("CS", "CHEST", True),
        ("CS", "chest", False),
        ("CS", "A" * 17, False),
        ("CS", "", False),
        ("DS", "-123456789.12345", True),
        ("DS", "-123456789.123456", False),
        ("DS", "nan", False),
        ("DS", "1e-5", True),
        ("IS", "12", True),
        ("IS", "1.5", False),
        ("LO", "a" * 64, True),
        ("LO", "a\\b", False),
        ("SH", "a" * 17, False),
        ("UI", "1.2.840", True),
        ("UI", "1.02", False),
        ("UI", "1." + "2" * 63, False),
        ("DA", "20240229", True),
        ("PN", "DOE^JANE", False),
        ("US", 5, True),
        ("US", 1 << 16, False),
        ("SS", -1, True),
        ("US", "5", False),
        ("FD", 5, False),
    ],
)
def test_only_what_a_representation_allows_is_written(
    *, vr: str, value: JsonValue, obeys: bool
) -> None:
    assert obeys_vr(vr, (value,)) is obeys


@given(text=st.text(max_size=20))
def test_no_control_character_or_backslash_is_ever_written(text: str) -> None:
    for vr in ("CS", "LO", "SH", "UI", "DS", "IS", "AE"):
        if obeys_vr(vr, (text,)):
            assert not any(ord(each) < 32 or each == "\\" for each in text)


def test_one_change_stands_for_a_series_that_says_one_thing() -> None:
    (change,) = replacing(
        series_of({}, {}, BodyPartExamined="KNEE"), "BodyPartExamined", ("CHEST",)
    )
    assert change == Change(
        Scope.SERIES,
        Action.REPLACE,
        "BodyPartExamined",
        "00180015",
        "BodyPartExamined",
        "CS",
        ("KNEE",),
        ("CHEST",),
    )


def test_an_absent_element_is_added() -> None:
    (change,) = replacing(series_of(Modality="CT"), "BodyPartExamined", ("CHEST",))
    assert (change.action, change.current) == (Action.ADD, None)
    (emptied,) = replacing(series_of(BodyPartExamined=None), "BodyPartExamined", ("CHEST",))
    assert (emptied.action, emptied.current) == (Action.REPLACE, ())


def test_instances_that_differ_are_changed_one_by_one() -> None:
    series = series_of(
        {"SOPInstanceUID": "1.1", "BodyPartExamined": "KNEE"},
        {"SOPInstanceUID": "1.2", "BodyPartExamined": "CHEST"},
        {"SOPInstanceUID": "1.3"},
    )
    changes = replacing(series, "BodyPartExamined", ("CHEST",))
    assert [(each.sop_instance_uid, each.action, each.scope) for each in changes] == [
        ("1.1", Action.REPLACE, Scope.INSTANCE),
        ("1.3", Action.ADD, Scope.INSTANCE),
    ]
    removals = removing(series, "BodyPartExamined")
    assert [each.sop_instance_uid for each in removals] == ["1.1", "1.2"]


def test_what_is_there_already_is_not_proposed() -> None:
    assert replacing(series_of(Modality="CT"), "Modality", ("CT",)) == ()
    assert removing(series_of(Modality="CT"), "Laterality") == ()
    (change,) = removing(series_of(Modality="CT"), "Modality")
    assert (change.action, change.proposed) == (Action.REMOVE, None)


def test_changes_can_be_applied() -> None:
    series = series_of(
        {"SOPInstanceUID": "1.1", "Laterality": "L"},
        {"SOPInstanceUID": "1.2"},
        BodyPartExamined="KNEE",
        Modality="CT",
    )
    changes = (
        *replacing(series, "BodyPartExamined", ("CHEST",)),
        *replacing(series, "Laterality", ("R",)),
        *removing(series, "Modality"),
    )
    after = applied(series, changes)
    assert after.shared["BodyPartExamined"] == Element("CS", ("CHEST",))
    assert after.shared["Laterality"] == Element("CS", ("R",))
    assert "Modality" not in after.shared
    assert not after.conflicting - {"SOPInstanceUID"}


def test_a_change_inside_functional_groups_reaches_element_and_plane() -> None:
    path = "PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[1].ImagePositionPatient"
    other = path.replace("[2]", "[1]")
    instance = Instance(
        "1",
        "1.1",
        "1.1.1",
        "1.2.840.10008.5.1.4.1.1.2.1",
        "1.2.840.10008.1.2.1",
        {"PerFrameFunctionalGroupsSequence": Element("SQ", ({}, {}))},
        tuple(
            Plane(frame, position=Located(where, "DS", ("0", "0", "0")))
            for frame, where in ((1, other), (2, path))
        ),
        2,
    )
    change = Change(
        Scope.INSTANCE,
        Action.REPLACE,
        "ImagePositionPatient",
        "00200032",
        path,
        "DS",
        ("0", "0", "0"),
        ("1", "2", "3"),
        "1.1.1",
    )
    (after,) = applied(assemble([instance]), (change,)).instances
    groups = after.elements["PerFrameFunctionalGroupsSequence"].values
    assert groups == (
        {},
        {
            "PlanePositionSequence": Element(
                "SQ", ({"ImagePositionPatient": Element("DS", ("1", "2", "3"))},)
            )
        },
    )
    assert [plane.position and plane.position.values for plane in after.planes] == [
        ("0", "0", "0"),
        ("1", "2", "3"),
    ]
