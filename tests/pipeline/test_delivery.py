"""Every verdict gets its report files, whatever befalls another's."""

import pytest
from attrs import evolve

from qa_daemon.config.settings import ReportSettings
from qa_daemon.pipeline import reports
from qa_daemon.report.summary import SeriesReport
from tests.pipeline.conftest import Works
from tests.pipeline.test_worker import until


@pytest.fixture
def judged(works: Works) -> Works:
    works.receive("1.2.3.1")
    works.receive("1.2.4.1")
    until(works.worker(), works, {"1.2.3.1": "waiting", "1.2.4.1": "waiting"})
    return works


def test_what_was_judged_is_reported_once(judged: Works) -> None:
    delivery = judged.delivery()
    assert delivery.turn() == judged.settings.worker.poll_s
    assert judged.reports() == ["1.2.3.1.txt", "1.2.4.1.txt"]
    for path in judged.settings.report_folder.rglob("*.txt"):
        path.unlink()
    delivery.turn()
    assert judged.reports() == []


def test_reports_wait_for_a_folder_that_can_be_written(
    judged: Works, capfd: pytest.CaptureFixture[str]
) -> None:
    delivery = judged.delivery()
    judged.settings.report_folder.write_text("a file in its place")
    assert delivery.turn() > judged.settings.worker.poll_s
    assert "report.unwritable" in capfd.readouterr().err
    judged.settings.report_folder.unlink()
    delivery.turn()
    assert judged.reports() == ["1.2.3.1.txt", "1.2.4.1.txt"]


def test_a_bug_over_one_report_leaves_the_others(
    judged: Works, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaking(report: SeriesReport, *, rules: str, version: str) -> str:
        if report.series.series_instance_uid == "1.2.3.1":
            raise ZeroDivisionError
        return f"{rules} {version}"

    monkeypatch.setattr(reports, "series_text", breaking)
    delivery = judged.delivery()
    assert delivery.turn() == judged.settings.worker.poll_s
    assert delivery.turn() == judged.settings.worker.poll_s
    assert judged.reports() == ["1.2.4.1.txt"]
    assert capfd.readouterr().err.count('"event": "bug"') == 1


def test_a_new_folder_takes_the_reports_from_then_on(judged: Works) -> None:
    delivery = judged.delivery()
    elsewhere = judged.settings.state / "elsewhere"
    settings = evolve(judged.settings, reports=ReportSettings(folder=elsewhere))
    delivery.apply(settings)
    delivery.turn()
    assert judged.reports() == []
    assert len(list(elsewhere.rglob("*.txt"))) == 2
