"""Work items against a pynetdicom server in a process of its own."""

from collections.abc import Callable

from pydicom.dataset import Dataset

from qa_daemon.config.export import UpsSettings
from qa_daemon.export.channels import ups
from qa_daemon.export.package import Verdict
from tests.export.conftest import Place, package
from tests.faults.conftest import free_port


def test_a_work_item_is_made_once_with_the_peers_own_answer(
    place: Callable[[str], Place],
) -> None:
    server = place("ups")
    settings = UpsSettings(name="pacs", host="127.0.0.1", port=server.port, ae_title="MANAGER")
    for status, comment, verdict in (
        (0x0213, "disk full", Verdict.LATER),
        (0xC309, "not scheduled", Verdict.REFUSED),
        (0x0000, "", Verdict.SENT),
        (0x0000, "", Verdict.SENT),  # answered 0111: it is there
    ):
        server.answers(status=status, comment=comment)
        answer = ups.send(settings, "QADAEMON", package())
        assert answer.verdict is verdict
        assert comment in answer.words
    got = server.got()
    assert [each["uid"] for each in got] == ["2.25.42"] * 4
    item = Dataset.from_json(got[0]["item"])
    assert item.ProcedureStepState == "SCHEDULED"
    assert item.StudyInstanceUID == "1.2.3"


def test_a_manager_that_is_away_is_tried_later() -> None:
    settings = UpsSettings(name="pacs", host="127.0.0.1", port=free_port(), deadline_s=2)
    answer = ups.send(settings, "QADAEMON", package())
    assert answer.verdict is Verdict.LATER
    assert "cannot be reached" in answer.words
