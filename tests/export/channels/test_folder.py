"""Files are whole, named by the change set, and the same however often they are written."""

import json
from pathlib import Path

import pytest

from qa_daemon.export.channels import folder
from qa_daemon.export.package import Verdict
from tests.export.conftest import package


def test_three_files_are_written_and_written_again_the_same(tmp_path: Path) -> None:
    place = tmp_path / "exports"
    for _ in range(2):
        answer = folder.write(place, package())
        assert (answer.verdict, answer.words) == (Verdict.SENT, "written as 1.2.3/2.25.42.json")
        files = sorted(path.relative_to(place).as_posix() for path in place.glob("*/*"))
        assert files == ["1.2.3/2.25.42.csv", "1.2.3/2.25.42.json", "1.2.3/2.25.42.txt"]
    assert json.loads((place / "1.2.3/2.25.42.json").read_text())["uid"] == "2.25.42"
    folder.write(place, package(study_instance_uid="", series_instance_uid=""))
    assert (place / "visits" / "2.25.42.txt").exists()


def test_a_folder_that_cannot_be_written_is_a_matter_of_time(tmp_path: Path) -> None:
    place = tmp_path / "exports"
    place.write_text("a file in its place")
    answer = folder.write(place, package())
    assert answer.verdict is Verdict.LATER
    assert "free space or mend its permissions" in answer.words


def test_no_uid_leads_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        folder.write(tmp_path / "exports", package(study_instance_uid="../x"))
    assert not (tmp_path / "exports").exists()
