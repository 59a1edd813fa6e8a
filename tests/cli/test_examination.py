"""What a finding about a whole visit explains is no alarm of its own."""

from pathlib import Path

from qa_daemon.cli.checking.examination import Examination
from qa_daemon.cli.checking.ledger import Conditions, Ledger
from qa_daemon.config.settings import Settings
from qa_daemon.limits import Limits
from qa_daemon.pipeline.engine import engine
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Severity
from qa_daemon.report.summary import SeriesReport
from tests.orders.conftest import seen
from tests.suggest.visit.test_causes import KNEE
from tests.suggest.visit.test_order import filed


def test_a_swap_is_one_alarm(tmp_path: Path) -> None:
    knee = filed("1", "A2", BodyPartExamined="ANKLE", StudyDescription="OSG re.")
    ankle = filed("2", "A1", BodyPartExamined="KNEE", StudyDescription="Knie re.")
    with engine(Settings(state=tmp_path)) as made:
        pairs = ((knee, KNEE), (ankle, seen("ANKLE")))
        reports = [SeriesReport(each, shown, made.judge(each, shown)) for each, shown in pairs]
        of_visit = made.examine_visit(reports)
        request = Request(())
        conditions = Conditions(made.rules_digest, made.models_digest, request, 0)
        examination = Examination(made, request, Limits(), Ledger(None, conditions))
        first, _ = examination._with_causes(reports, [of_visit])
    assert [each.rule for each in of_visit.verdict.above_info] == ["ORDER-020"]
    severities = {each.rule: each.severity for each in first.verdict.findings}
    assert severities["REGION-006"] is Severity.INFO
