"""What must be written so that images follow another order."""

from collections.abc import Mapping, Sequence

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
from qa_daemon.suggest.order import order_changes
from qa_daemon.suggest.propose import judge_visit
from qa_daemon.suggest.values import applied
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


def test_a_swap_is_a_finding_per_series_with_its_changes_and_evidence(
    shipped_pack: RulePack,
) -> None:
    findings = judged(shipped_pack, SWAPPED, (FULL, BARE))
    swaps = sorted((each for each in findings if each.rule == "ORDER-020"),
                   key=lambda each: each.sop_instance_uids)  # fmt: skip
    assert [each.sop_instance_uids for each in swaps] == [("1.1",), ("2.1",)]
    first = swaps[0]
    assert first.severity is Severity.MAJOR
    assert first.confidence is not None
    assert first.confidence > 0.99
    assert first.evidence["proposal"] == "swap"
    assert first.evidence["pixels"].startswith("KNEE: -4.6 for the order named, +4.6")
    assert first.suggestion is not None
    assert proposed(first.suggestion.changes)["AccessionNumber"] == ("A1",)


def test_once_everything_is_written_nothing_is_left_to_say(shipped_pack: RulePack) -> None:
    findings = judged(shipped_pack, SWAPPED, (FULL, BARE))
    mended = []
    for each, inference in SWAPPED:
        changes = [change for finding in findings if finding.suggestion is not None
                   and each.instances[0].sop_instance_uid in finding.sop_instance_uids
                   for change in finding.suggestion.changes if change.vr != "SQ"]  # fmt: skip
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
