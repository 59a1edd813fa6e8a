"""What must be written so that images follow another order."""

from collections.abc import Mapping, Sequence

import pytest
from attrs import evolve

from qa_daemon.orders.asked import with_regions
from qa_daemon.records.element import Element, Elements
from qa_daemon.records.finding import Action, Change, Finding, JsonValue, Scope, Severity
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.order import (
    Code,
    Issuer,
    Order,
    OrderKey,
    OrderSource,
    ScheduledStep,
)
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.schema import RulePack
from qa_daemon.series.assemble import assemble
from qa_daemon.suggest.propose import judge_visit
from qa_daemon.suggest.values import applied
from qa_daemon.suggest.visit.order import order_changes
from tests.orders.conftest import seen, series

RIS = Issuer("RIS", "1.2.3", "ISO")
FULL = with_regions(
    Order(
        OrderKey("A1", RIS),
        OrderSource.WORKLIST,
        requested_procedure_id="R1",
        description="Knie re. 2 Eb.",
        codes=(Code("X1", "99RIS", "Knie"),),
        study_instance_uid="1.2.3.9",
        steps=(ScheduledStep("S1", "Knie", modality="DX"),),
        admission_id="V1",
        issuer_of_admission_id=RIS,
    )
)
BARE = with_regions(
    Order(OrderKey("A2"), OrderSource.HL7, description="OSG re.",
          steps=(ScheduledStep(modality="DX"),))
)  # fmt: skip


def filed(uid: str, accession: str, **more: str) -> Series:
    elements: Elements = {
        "AccessionNumber": Element("SH", (accession,)),
        **{keyword: Element("CS", (text,)) for keyword, text in more.items()},
    }
    return series(uid, elements)


def proposed(changes: Sequence[Change]) -> dict[str, tuple[JsonValue, ...] | None]:
    return {change.attribute: change.proposed for change in changes}


def test_everything_that_names_the_order_is_changed_together() -> None:
    changes = order_changes(filed("1", "A2", BodyPartExamined="ANKLE"), FULL, seen("KNEE"))
    values = proposed(changes)
    assert set(values) == {
        "AccessionNumber", "IssuerOfAccessionNumberSequence", "StudyDescription", "StudyID",
        "ProcedureCodeSequence", "AdmissionID", "IssuerOfAdmissionIDSequence",
        "RequestAttributesSequence", "BodyPartExamined",
    }  # fmt: skip
    assert values["AccessionNumber"] == ("A1",)
    assert values["BodyPartExamined"] == ("KNEE",)
    (item,) = values["RequestAttributesSequence"] or ()
    assert isinstance(item, Mapping)
    assert item["00401001"] == {"vr": "SH", "Value": ["R1"]}
    assert all(change.scope is Scope.SERIES for change in changes)
    (accession,) = (each for each in changes if each.attribute == "AccessionNumber")
    assert (accession.action, accession.current) == (Action.REPLACE, ("A2",))


def test_what_the_source_does_not_tell_stays() -> None:
    values = proposed(order_changes(filed("1", "A1"), BARE, Inference()))
    assert set(values) == {"AccessionNumber", "StudyDescription", "RequestAttributesSequence"}


def test_what_older_systems_repeat_is_changed_where_it_stands() -> None:
    elements: Elements = {
        "AccessionNumber": Element("SH", ("A2",)),
        "RequestedProcedureDescription": Element("LO", ("OSG re.",)),
        "RequestAttributesSequence": Element("SQ", ({"AccessionNumber": Element("SH", ("A2",))},)),
    }
    bare = evolve(BARE, key=OrderKey("A9"), description="", regions=())
    values = proposed(order_changes(series("1", elements), bare, Inference()))
    assert values["RequestAttributesSequence"] == ({"00080050": {"vr": "SH", "Value": ["A9"]}},)
    assert "RequestedProcedureDescription" not in values
    told = proposed(order_changes(series("1", elements), FULL, Inference()))
    assert told["RequestedProcedureDescription"] == ("Knie re. 2 Eb.",)


def test_codes_of_the_order_left_behind_do_not_stay_beside_other_words() -> None:
    code = {"CodeValue": Element("SH", ("X1",)), "CodingSchemeDesignator": Element("SH", ("99",))}
    coded = series("1", {"ProcedureCodeSequence": Element("SQ", (code,))})
    (gone,) = (each for each in order_changes(coded, BARE, Inference())
               if each.attribute == "ProcedureCodeSequence")  # fmt: skip
    assert (gone.action, gone.proposed) == (Action.REMOVE, None)


def test_every_instance_of_every_series_is_named(shipped_pack: RulePack) -> None:
    """The list of the issue: what names the order, in each instance."""
    many = assemble([
        Instance("1.1", "1", f"1.{n}", "", "", dict(filed("1", "A2").shared)) for n in range(3)
    ])  # fmt: skip
    (swap,) = (each for each in judged(shipped_pack, ((many, seen("KNEE")), SWAPPED[1]),
                                       (FULL, BARE)) if each.rule == "ORDER-020")  # fmt: skip
    assert swap.suggestion is not None
    for attribute in ("AccessionNumber", "IssuerOfAccessionNumberSequence", "StudyDescription",
                      "StudyID", "ProcedureCodeSequence", "AdmissionID",
                      "RequestAttributesSequence"):  # fmt: skip
        uids = {each.sop_instance_uid for each in swap.suggestion.changes
                if each.attribute == attribute and each.sop_instance_uid != "2.1"}  # fmt: skip
        assert uids == {"1.0", "1.1", "1.2"}, attribute


def test_images_of_an_order_that_was_taken_back_are_without_order(shipped_pack: RulePack) -> None:
    gone = evolve(FULL, is_cancelled=True)
    (found,) = judged(shipped_pack, ((filed("1", "A1", SeriesNumber="3"), seen("KNEE")),), (gone,))
    assert found.rule == "ORDER-023"
    assert found.message == "Series 3: its accession A1 was cancelled."


def test_a_body_part_that_fits_stays() -> None:
    values = proposed(order_changes(filed("1", "A2", BodyPartExamined="KNEE"), FULL, seen("KNEE")))
    assert "BodyPartExamined" not in values


def test_instances_that_say_different_things_are_changed_one_by_one() -> None:
    one, other = (
        Instance("1.1", "1", f"1.{accession}", "", "",
                 {"AccessionNumber": Element("SH", (accession,))})
        for accession in ("A2", "A3")
    )  # fmt: skip
    changes = order_changes(assemble([one, other]), FULL, Inference())
    accessions = [each for each in changes if each.attribute == "AccessionNumber"]
    assert [(each.scope, each.sop_instance_uid, each.current) for each in accessions] == [
        (Scope.INSTANCE, "1.A2", ("A2",)),
        (Scope.INSTANCE, "1.A3", ("A3",)),
    ]


Visit = tuple[tuple[Series, Inference], ...]
SWAPPED: Visit = ((filed("1", "A2"), seen("KNEE")), (filed("2", "A1"), seen("ANKLE")))


def judged(pack: RulePack, visit: Visit, orders: tuple[Order, ...]) -> list[Finding]:
    inferences = {each.series_instance_uid: inference for each, inference in visit}
    return list(judge_visit([each for each, _ in visit], inferences, orders, pack).findings)


def test_a_swap_is_one_finding_with_all_its_changes(shipped_pack: RulePack) -> None:
    findings = judged(shipped_pack, SWAPPED, (FULL, BARE))
    (swap,) = (each for each in findings if each.rule == "ORDER-020")
    assert swap.sop_instance_uids == ("1.1", "2.1")
    assert swap.severity is Severity.MAJOR
    assert swap.confidence is not None
    assert swap.confidence > 0.99
    assert swap.suggestion is not None
    accessions = {
        each.sop_instance_uid: each.proposed
        for each in swap.suggestion.changes
        if each.attribute == "AccessionNumber"
    }
    assert accessions == {"1.1": ("A1",), "2.1": ("A2",)}
    assert {each.scope for each in swap.suggestion.changes} == {Scope.INSTANCE}


def test_a_finding_names_series_parts_and_accessions_in_words(shipped_pack: RulePack) -> None:
    named = (
        (filed("1", "A2", SeriesNumber="3", SeriesDescription="Knie re."), seen("KNEE", side="R")),
        (filed("2", "A1", SeriesNumber="4"), seen("ANKLE")),
    )
    (swap,) = (each for each in judged(shipped_pack, named, (FULL, BARE))
               if each.rule == "ORDER-020")  # fmt: skip
    assert swap.message == (
        "The images of 2 orders seem exchanged. "
        'Series 3 "Knie re." shows the right knee; its accession A2 was ordered as right ankle. '
        "It fits A1 (right knee). "
        "Series 4 shows the ankle; its accession A1 was ordered as right knee. "
        "It fits A2 (right ankle)."
    )
    assert swap.evidence['1: Series 3 "Knie re.", A2 -> A1'].startswith("pixels KNEE -4.6 / +4.6")


def test_a_finding_holds_series_orders_moves_and_fit(shipped_pack: RulePack) -> None:
    (swap,) = (each for each in judged(shipped_pack, SWAPPED, (FULL, BARE))
               if each.rule == "ORDER-020")  # fmt: skip
    told = swap.assignment
    assert told is not None
    assert [each.accession_number for each in told.orders] == ["A1", "A2"]
    assert [(each.series_instance_uid, each.shows) for each in told.series] == [
        ("1", "KNEE"), ("2", "ANKLE")
    ]  # fmt: skip
    assert told.fit[0][0] > 4 > -4 > told.fit[0][1]
    assert [(each.series_instance_uid, each.origin, each.target) for each in told.moves] == [
        ("1", 1, 0), ("2", 0, 1)
    ]  # fmt: skip
    (testimony,) = told.moves[0].testimonies
    assert (testimony.witness, testimony.said) == ("pixels", "KNEE")
    assert testimony.for_target - testimony.for_origin == pytest.approx(told.moves[0].gain, 0.01)


def test_the_same_visit_is_told_alike_whichever_series_is_judged_first(
    shipped_pack: RulePack,
) -> None:
    there = judged(shipped_pack, SWAPPED, (FULL, BARE))
    back = judged(shipped_pack, SWAPPED[::-1], (BARE, FULL))
    assert there == back


def test_once_everything_is_written_nothing_is_left_to_say(shipped_pack: RulePack) -> None:
    findings = judged(shipped_pack, SWAPPED, (FULL, BARE))
    mended = []
    for each, inference in SWAPPED:
        changes = [change for finding in findings if finding.suggestion is not None
                   for change in finding.suggestion.changes
                   if change.vr != "SQ" and change.sop_instance_uid in
                   {None, each.instances[0].sop_instance_uid}
                   and each.instances[0].sop_instance_uid in finding.sop_instance_uids]  # fmt: skip
        mended.append((applied(each, changes), inference))
    assert judged(shipped_pack, tuple(mended), (FULL, BARE)) == []


def test_another_study_is_a_step_of_its_own(shipped_pack: RulePack) -> None:
    findings = judged(shipped_pack, SWAPPED, (FULL, BARE))
    (step,) = (each for each in findings if each.rule == "ORDER-024")
    assert step.suggestion is not None
    (change,) = step.suggestion.changes
    assert (change.attribute, change.current, change.proposed) == (
        "StudyInstanceUID", ("1.1",), ("1.2.3.9",),
    )  # fmt: skip
    moves = [each for each in findings if each.rule == "ORDER-020"]
    assert all(
        "StudyInstanceUID" not in proposed(each.suggestion.changes)
        for each in moves
        if each.suggestion
    )


def test_a_clean_visit_has_no_finding(shipped_pack: RulePack) -> None:
    assert judged(shipped_pack, ((filed("1", "A1"), seen("KNEE")),), (FULL,)) == []


def test_a_shared_picture_lists_both_orders(shipped_pack: RulePack) -> None:
    regions = Prediction("body_region", "m@1", abstained=False, labels=("NECK", "CHEST"),
                         probabilities={"NECK": 0.99, "CHEST": 0.99, "HEAD": 0.01})  # fmt: skip
    chest, neck = (
        with_regions(Order(OrderKey(accession), OrderSource.WORKLIST, description=text,
                           requested_procedure_id=f"R{accession}",
                           steps=(ScheduledStep(modality="DX"),)))
        for accession, text in (("A1", "CT Thorax"), ("A2", "CT Hals"))
    )  # fmt: skip
    picture = filed("1", "A1", SeriesDescription="Hals und Thorax")
    (found,) = judged(shipped_pack, ((picture, Inference((regions,))),), (chest, neck))
    assert found.rule == "ORDER-021"
    assert found.suggestion is not None
    (change,) = found.suggestion.changes
    assert change.attribute == "RequestAttributesSequence"
    assert change.proposed is not None
    assert len(change.proposed) == 2


def test_a_series_of_three_orders_lists_all_three(shipped_pack: RulePack) -> None:
    shown = {"NECK": 0.99, "CHEST": 0.99, "ABDOMEN": 0.99, "HEAD": 0.01}
    regions = Prediction("body_region", "m@1", abstained=False,
                         labels=("NECK", "CHEST", "ABDOMEN"), probabilities=shown)  # fmt: skip
    orders = tuple(
        with_regions(Order(OrderKey(accession), OrderSource.WORKLIST, description=text,
                           steps=(ScheduledStep(modality="DX"),)))
        for accession, text in (("A1", "CT Thorax"), ("A2", "CT Hals"), ("A3", "CT Abdomen"))
    )  # fmt: skip
    picture = filed("1", "A1", SeriesDescription="Hals Thorax Abdomen")
    (found,) = judged(shipped_pack, ((picture, Inference((regions,))),), orders)
    assert found.rule == "ORDER-021"
    assert found.suggestion is not None
    (change,) = found.suggestion.changes
    items = [each for each in change.proposed or () if isinstance(each, Mapping)]
    assert [each["00080050"] for each in items] == [
        {"vr": "SH", "Value": [number]} for number in ("A1", "A2", "A3")
    ]
