"""A swap is one finding: what contradicts the wrong order is told as its children."""

from attrs import evolve

from qa_daemon.records.finding import Severity, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.rules.schema import RulePack
from qa_daemon.suggest.propose import judge, judge_visit
from qa_daemon.suggest.visit.causes import EXPLAINED_BY, with_causes
from tests.orders.conftest import seen
from tests.suggest.visit.test_order import BARE, FULL, SWAPPED, filed

KNEE = Inference((evolve(seen("KNEE").predictions[0], label="KNEE", probability=0.99),))
WRONG = filed("1", "A2", BodyPartExamined="ANKLE", PatientID="P1", ViewPosition="XX")


def test_what_the_changes_mend_is_an_info_that_names_the_cause(shipped_pack: RulePack) -> None:
    before, after = quieted(shipped_pack)
    assert "REGION-006" in {each.rule for each in before.above_info}
    (child,) = (each for each in after.findings if each.rule == "REGION-006")
    assert child.severity is Severity.INFO
    assert child.evidence[EXPLAINED_BY] == "ORDER-020"
    assert child.suggestion is None


def test_what_they_do_not_mend_stays_as_it_was(shipped_pack: RulePack) -> None:
    before, after = quieted(shipped_pack)
    others = {each.rule for each in before.above_info} - {"REGION-006"}
    assert others
    assert others <= {each.rule for each in after.above_info}
    assert before.outcomes == after.outcomes


def test_a_series_that_stays_where_it_is_keeps_its_findings(shipped_pack: RulePack) -> None:
    third = filed("3", "A3", BodyPartExamined="ANKLE")
    own = judge(third, KNEE, shipped_pack)
    assert own.above_info
    assert (
        with_causes(own, of_visit(shipped_pack), third, lambda _: Verdict((), own.outcomes)) == own
    )


def quieted(pack: RulePack) -> tuple[Verdict, Verdict]:
    own = judge(WRONG, KNEE, pack)

    def judged(mended: Series) -> Verdict:
        return judge(mended, KNEE, pack)

    return own, with_causes(own, of_visit(pack), WRONG, judged)


def of_visit(pack: RulePack) -> Verdict:
    inferences = {"1": KNEE, "2": seen("ANKLE")}
    return judge_visit([WRONG, SWAPPED[1][0]], inferences, (FULL, BARE), pack)
