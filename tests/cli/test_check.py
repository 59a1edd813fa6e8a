"""`check` keeps its contract: document, statuses, paths of every kind, and never a traceback."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from qa_daemon.cli.checking.check import ALL_TARGETS
from tests.cli.conftest import Ran, Run, drawn, finished, process

DOCUMENT = {"version", "series", "studies", "visits", "rejected"}
SERIES = {"study_instance_uid", "series_instance_uid", "modality", "instances", "predictions",
          "findings", "rules"}  # fmt: skip
PREDICTION = {"target", "sop_instance_uid", "frame", "label", "probability", "abstained", "reason",
              "model", "probabilities"}  # fmt: skip
FINDING = {"rule", "topic", "severity", "level", "message", "confidence", "sop_instance_uids",
           "suggestion", "alternatives"}  # fmt: skip
CHANGE = {"scope", "sop_instance_uid", "action", "attribute", "tag", "path", "vr", "current",
          "proposed"}  # fmt: skip
RULES = {"passed", "finding", "not_applicable", "not_evaluated", "fault"}
#: Fields that only some targets have (contract, section 2), and one that was added.
SOMETIMES = {"labels", "turn", "mirror", "box", "mirrored"}


def uids(ran: Ran) -> list[str]:
    return sorted(series["series_instance_uid"] for series in ran.document["series"])


def rules_fired(ran: Ran) -> set[str]:
    groups = (*ran.document["series"], *ran.document["studies"], *ran.document["visits"])
    return {finding["rule"] for group in groups for finding in group["findings"]}


def named(series: dict[str, Any]) -> list[str]:
    """Return every rule that is named in one of the lists."""
    lists = series["rules"]
    found = [rule for key in sorted(RULES) for rule in lists[key]]
    return [rule if isinstance(rule, str) else rule["rule"] for rule in found]


def reasons(ran: Ran) -> dict[str, str]:
    return {Path(each["path"]).name: each["reason"] for each in ran.document["rejected"]}


# --- the document and the status -----------------------------------------------------------------


def test_the_document_has_the_fields_of_the_contract(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, Modality="CX", BodyPartExamined="KNEE")
    ran = run("check", "--json", tmp_path)
    assert ran.document.keys() == DOCUMENT
    assert ran.document["version"] == 1
    (series,) = ran.document["series"]
    assert series.keys() == SERIES
    assert series["rules"].keys() == RULES
    for prediction in series["predictions"]:
        assert PREDICTION <= prediction.keys() <= PREDICTION | SOMETIMES
    for finding in series["findings"]:
        assert finding.keys() == FINDING | {"evidence"}


def test_a_suggestion_has_the_fields_of_the_contract(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, BodyPartExamined="KNEE")
    ran = run("check", "--json", tmp_path)
    findings = ran.document["series"][0]["findings"]
    suggestions = [finding["suggestion"] for finding in findings if finding["suggestion"]]
    assert suggestions
    assert suggestions[0].keys() == {"hypothesis", "confidence", "changes"}
    assert suggestions[0]["hypothesis"] is None
    (change,) = suggestions[0]["changes"]
    assert change.keys() == CHANGE
    assert (change["tag"], change["vr"], change["path"]) == ("00180015", "CS", "BodyPartExamined")
    assert change["current"] == ["KNEE"]


def test_every_rule_in_force_stands_in_exactly_one_list(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    (series,) = run("check", "--json", tmp_path).document["series"]
    assert len(named(series)) == len(set(named(series))) > 40
    assert series["rules"]["fault"] == []


def test_the_status_is_0_without_a_finding_above_info(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    ran = run("check", "--json", tmp_path)
    assert (ran.status, ran.err) == (0, "")
    assert {f["severity"] for s in ran.document["series"] for f in s["findings"]} <= {"info"}


def test_the_status_is_1_with_one(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, Modality="")
    assert run("check", "--json", tmp_path).status == 1


def test_a_finding_of_a_study_counts_too_and_stands_once(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, "one", AccessionNumber="A1", StudyInstanceUID="2.25.5")
    drawn(tmp_path, "other", AccessionNumber="B2", StudyInstanceUID="2.25.5")
    ran = run("check", "--json", tmp_path)
    assert ran.status == 1
    (found,) = ran.document["studies"]
    assert [finding["rule"] for finding in found["findings"]] == ["ORDER-003"]
    for series in ran.document["series"]:
        assert "ORDER-003" in series["rules"]["finding"]
        assert [f for f in series["findings"] if f["rule"] == "ORDER-003"] == []


@pytest.mark.parametrize("kind", ["missing", "empty folder", "no object", "folder without objects"])
def test_the_status_is_2_if_a_named_path_holds_nothing(run: Run, tmp_path: Path, kind: str) -> None:
    drawn(tmp_path / "good")
    named = tmp_path / "named"
    if kind != "missing":
        (named / "inner" if "folder" in kind else tmp_path).mkdir(parents=True, exist_ok=True)
    if kind == "no object":
        named.write_text("a letter")
    if kind == "folder without objects":
        (named / "letter.txt").write_text("a letter")
    ran = run("check", "--json", named, tmp_path / "good")
    assert ran.status == 2
    assert len(ran.document["series"]) == 1
    assert f"{named}: missing, or holds no readable object" in ran.err


def test_what_is_no_dicom_in_a_walk_is_listed_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    (tmp_path / "letter.txt").write_text("a letter")
    ran = run("check", "--json", tmp_path)
    assert ran.status == 0
    assert reasons(ran) == {"letter.txt": "not_dicom"}


def test_the_document_comes_with_status_2_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "service.yaml").write_text("nonsense: 1\n")
    ran = run("check", "--json", "--config", tmp_path / "service.yaml", tmp_path)
    assert ran.status == 2
    assert ran.document.keys() == DOCUMENT
    assert "service.yaml:1" in ran.err


# --- paths of every kind -------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [b"\n", b"\0", b"\r\n"])
def test_paths_come_from_standard_input(tmp_path: Path, separator: bytes) -> None:
    paths = [os.fsencode(path) for path in drawn(tmp_path)]
    asked = process("check", "--json", "-", stdin=-1)
    ran = finished(asked, separator.join(paths) + separator)
    assert ran.status == 0
    assert ran.document["series"][0]["instances"] == 3


def test_a_name_may_hold_a_line_break_where_paths_end_with_nul(tmp_path: Path) -> None:
    (path, *_) = drawn(tmp_path, slices=1)
    odd = path.rename(tmp_path / " odd\nname ")
    ran = finished(process("check", "--json", "-", stdin=-1), os.fsencode(odd) + b"\0")
    assert ran.document["series"][0]["instances"] == 1


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_members_of_archives_have_their_path_behind_the_archive(
    run: Run, tmp_path: Path, name: str
) -> None:
    files = drawn(tmp_path / "files")
    packed = tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(packed, "w") as archive:
            for file in files:
                archive.write(file, f"dir/{file.name}")
            archive.writestr("dir/letter", "a letter")
    else:
        with tarfile.open(packed, "w:gz" if name.endswith("gz") else "w") as tar:
            for file in files:
                tar.add(file, f"dir/{file.name}")
            info = tarfile.TarInfo("dir/letter")
            info.size = 8
            tar.addfile(info, io.BytesIO(b"a letter"))
    ran = run("check", "--json", packed)
    assert ran.document["series"][0]["instances"] == 3
    (rejected,) = ran.document["rejected"]
    assert (rejected["path"], rejected["reason"]) == (f"{packed}!/dir/letter", "not_dicom")
    assert ran.status == 0
    assert all(p["reason"] != "no_pixels" for p in ran.document["series"][0]["predictions"])


def test_an_archive_that_is_unsafe_or_empty_is_rejected_whole(run: Run, tmp_path: Path) -> None:
    (file, *_) = drawn(tmp_path / "files", slices=1)
    with zipfile.ZipFile(tmp_path / "slip.zip", "w") as archive:
        archive.write(file, "good.dcm")
        archive.write(file, "../evil.dcm")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    ran = run("check", "--json", tmp_path / "slip.zip", tmp_path / "empty.zip")
    assert ran.status == 2
    assert ran.document["series"] == []
    assert reasons(ran) == {"slip.zip": "unsupported", "empty.zip": "not_dicom"}
    assert not (tmp_path.parent / "evil.dcm").exists()


def test_pipes_sockets_links_and_devices_neither_hang_nor_crash(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.close()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "self").symlink_to(".")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "unreadable").symlink_to("/proc/self/mem")
    ran = run("check", "--json", tmp_path)
    assert ran.status == 0
    assert ran.document["series"][0]["instances"] == 3
    assert reasons(ran) == {
        "pipe": "not_regular", "socket": "not_regular", "loop": "unreadable",
        "dangling": "vanished", "zero": "not_regular", "unreadable": "unreadable",
    }  # fmt: skip
    assert run("check", "--json", tmp_path / "pipe").status == 2


def test_a_file_over_the_limit_is_refused_before_it_is_read(run: Run, tmp_path: Path) -> None:
    (path, *_) = drawn(tmp_path, slices=1)
    with path.open("ab") as file:
        file.truncate(8 << 40)
    ran = run("check", "--json", path)
    assert (ran.status, reasons(ran)) == (2, {path.name: "limit"})


HOSTILE = [b"line\nbreak", b"\x1b[31mred\x1b[2J", b"\xff\xfe no UTF-8", "\u202etxt.exe".encode()]


def test_hostile_names_reach_neither_terminal_nor_document_raw(run: Run, tmp_path: Path) -> None:
    for name in HOSTILE:
        (tmp_path / os.fsdecode(name)).write_text("a letter")
    ran = run("check", "--json", tmp_path)
    assert len(ran.document["rejected"]) == len(HOSTILE)
    told = run("check", tmp_path)
    for raw in ("\x1b", "\u202e", "line\nbreak"):
        assert raw not in told.out + told.err


def test_a_missing_path_with_a_hostile_name_is_told_harmlessly(run: Run) -> None:
    ran = run("check", "nowhere\x1b[2J\udcff")
    assert ran.status == 2
    assert "\x1b" not in ran.out + ran.err


def test_a_name_that_no_file_can_have_is_told(run: Run) -> None:
    ran = run("check", "--json", "a" * 5000)
    assert ran.status == 2
    assert [each["reason"] for each in ran.document["rejected"]] == ["unreadable"]


# --- media directories ---------------------------------------------------------------------------


def medium(folder: Path) -> Path:
    """Write a medium with a drawn series; return its directory, made by DCMTK."""
    for number, file in enumerate(drawn(folder / "IMAGES", SeriesNumber="1")):
        file.rename(file.with_name(f"IM{number:06}"))
    dcmmkdir = shutil.which("dcmmkdir")
    assert dcmmkdir, "these tests need dcmmkdir: apt install dcmtk"
    command = [dcmmkdir, "--quiet", "+r", "+id", str(folder), "+D", str(folder / "DICOMDIR")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603  our own
    return folder / "DICOMDIR"


def test_a_media_directory_brings_its_files_along(run: Run, tmp_path: Path) -> None:
    directory = medium(tmp_path / "cd")
    (tmp_path / "cd" / "unlisted.txt").write_text("a letter")
    ran = run("check", "--json", directory)
    assert (ran.status, ran.document["rejected"]) == (0, [])
    assert ran.document["series"][0]["instances"] == 3
    assert ran.document["visits"] == []


def test_a_medium_mounted_in_lower_case_is_found_all_the_same(run: Run, tmp_path: Path) -> None:
    directory = medium(tmp_path / "cd")
    below = sorted((tmp_path / "cd").rglob("*"), key=lambda path: -len(path.parts))
    for path in below:
        path.rename(path.with_name(path.name.lower() + (";1" if path.is_file() else "")))
    ran = run("check", "--json", directory.with_name("dicomdir;1"))
    assert (ran.status, ran.document["series"][0]["instances"]) == (0, 3)


def test_what_is_wrong_with_a_medium_stands_once_under_visits(run: Run, tmp_path: Path) -> None:
    directory = medium(tmp_path / "cd")
    lost = tmp_path / "cd" / "IMAGES" / "IM000001"
    lost.unlink()
    ran = run("check", "--json", directory)
    assert ran.status == 1
    (visit,) = ran.document["visits"]
    assert visit["study_instance_uids"] == [ran.document["series"][0]["study_instance_uid"]]
    (finding,) = visit["findings"]
    assert (finding["rule"], finding["level"]) == ("INTAKE-003", "visit")
    assert lost.name in finding["message"]
    assert finding["evidence"]["kind"] == "dicomdir-file-missing"
    assert "Media directory" in run("check", directory).out


def test_a_walk_reads_each_file_of_a_medium_once(run: Run, tmp_path: Path) -> None:
    medium(tmp_path / "cd")
    ran = run("check", "--json", tmp_path / "cd")
    assert (ran.status, ran.document["rejected"]) == (0, [])
    assert ran.document["series"][0]["instances"] == 3


def test_a_directory_in_an_archive_is_no_rejected_file(run: Run, tmp_path: Path) -> None:
    directory = medium(tmp_path / "cd")
    with zipfile.ZipFile(tmp_path / "cd.zip", "w") as archive:
        for file in directory.parent.rglob("*"):
            archive.write(file, file.relative_to(directory.parent))
    ran = run("check", "--json", tmp_path / "cd.zip")
    assert (ran.status, ran.document["rejected"]) == (0, [])


# --- what is asked -------------------------------------------------------------------------------


def test_every_target_asked_for_has_an_element(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    ran = run("check", "--json", "--predict", "all", tmp_path)
    predictions = ran.document["series"][0]["predictions"]
    assert [each["target"] for each in predictions] == sorted(ALL_TARGETS)
    for each in predictions:
        if each["label"] is None:
            assert (each["probability"], each["probabilities"], each["abstained"]) == (
                None,
                {},
                True,
            )
            assert each["reason"]


def test_only_the_targets_asked_for_are_told(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path)
    ran = run("check", "--json", "--predict", "body_region, view,view", tmp_path)
    targets = [each["target"] for each in ran.document["series"][0]["predictions"]]
    assert targets == ["body_region", "view"]


@pytest.mark.parametrize("asked", ["axial_orientatoin", ",", "all,foo"])
def test_an_unknown_target_is_told_with_those_there_are(
    run: Run, tmp_path: Path, asked: str
) -> None:
    ran = run("check", "--json", "--predict", asked, tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "--predict" in ran.err
    assert "axial_orientation" in ran.err


def test_per_instance_adds_each_evaluated_slice(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, slices=4)
    ran = run("check", "--json", "--per-instance", "--predict", "body_region", tmp_path)
    whole, *single = ran.document["series"][0]["predictions"]
    assert (whole["sop_instance_uid"], whole["frame"]) == (None, None)
    assert len({each["sop_instance_uid"] for each in single}) == 4
    assert {each["frame"] for each in single} == {1}
    assert [each["target"] for each in single] == ["body_region"] * 4


def test_quick_asks_quick_rules_and_two_models_about_one_slice(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path, slices=4, BodyPartExamined="KNEE")
    ran = run("check", "--json", "--quick", "--per-instance", tmp_path)
    (series,) = ran.document["series"]
    assert 5 <= len(named(series)) < 20
    assert "REGION-001" in named(series)
    targets = [each["target"] for each in series["predictions"]]
    # Of the series, and of its one slice.
    assert sorted(set(targets)) == ["axial_orientation", "body_region"]
    assert len({each["sop_instance_uid"] for each in series["predictions"]} - {None}) == 1


# --- to be resumed -------------------------------------------------------------------------------


def test_a_second_run_says_the_same_and_examines_nothing_again(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path / "files", BodyPartExamined="KNEE")
    drawn(tmp_path / "files", "other")
    first = run("check", "--json", "--resume", tmp_path / "progress", tmp_path / "files")
    kept = (tmp_path / "progress").read_text().splitlines()
    again = run("check", "--json", "--resume", tmp_path / "progress", tmp_path / "files")
    assert again == first
    assert [line for line in (tmp_path / "progress").read_text().splitlines() if line] == kept
    assert len(kept) == 3


def test_what_changed_is_examined_again(run: Run, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    drawn(tmp_path / "files")
    assert run("check", "--resume", progress, tmp_path / "files").status == 0
    drawn(tmp_path / "files", Modality="")
    assert run("check", "--resume", progress, tmp_path / "files").status == 1


def test_other_options_do_not_reuse_an_answer(run: Run, tmp_path: Path) -> None:
    drawn(tmp_path / "files")
    progress = tmp_path / "progress"
    run("check", "--resume", progress, tmp_path / "files")
    ran = run("check", "--json", "--predict", "view", "--resume", progress, tmp_path / "files")
    assert [each["target"] for each in ran.document["series"][0]["predictions"]] == ["view"]


def test_an_interrupted_run_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    for number in range(6):
        drawn(tmp_path / "files", f"series-{number}", slices=1)
    progress = tmp_path / "progress"
    whole = run("check", "--json", tmp_path / "files")
    partly = run("check", "--json", "--resume", progress, tmp_path / "files" / "series-0-00.dcm")
    assert partly.status == 0
    # What a kill leaves: whole lines, and the beginning of one more.
    with progress.open("a") as file:
        file.write('["abc", "')
    resumed = run("check", "--json", "--resume", progress, tmp_path / "files")
    assert resumed == whole
    assert len(progress.read_text().splitlines()) > 6


@pytest.mark.parametrize("content", ["receiver:\n  port: 1\n", "\ufeffx", "{}"])
def test_no_other_file_is_taken_for_progress(run: Run, tmp_path: Path, content: str) -> None:
    drawn(tmp_path / "files")
    (tmp_path / "other").write_text(content)
    ran = run("check", "--json", "--resume", tmp_path / "other", tmp_path / "files")
    assert ran.status == 2
    assert "no progress file" in ran.err
    assert (tmp_path / "other").read_text() == content


def test_a_progress_file_that_cannot_be_written_is_told_before_the_work(
    run: Run, tmp_path: Path
) -> None:
    drawn(tmp_path / "files")
    ran = run("check", "--resume", tmp_path / "nowhere" / "progress", tmp_path / "files")
    assert ran.status == 2
    assert "--resume" in ran.err
    assert ran.out == ""


# --- readers that leave, people who stop it ------------------------------------------------------


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    drawn(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    asked = process("check", tmp_path, stdout=writing)
    os.close(writing)
    ran = finished(asked)
    assert (ran.status, ran.err) == (141, "")


def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path) -> None:
    drawn(tmp_path)
    with Path("/dev/full").open("wb") as full:
        ran = finished(process("check", "--json", tmp_path, stdout=full))
    assert ran.status == 2
    assert "the output cannot be written" in ran.err
    assert "internal error" not in ran.err


def test_ctrl_c_ends_it_without_a_word() -> None:
    with process("check", "-", stdin=-1) as asked:
        # It waits for its paths; the terminal sends the signal to all of its processes.
        while not is_reading(asked.pid):
            assert asked.poll() is None
        os.killpg(asked.pid, signal.SIGINT)
        ran = finished(asked)
    assert (ran.status, ran.out, ran.err) == (130, "", "")


def is_reading(pid: int) -> bool:
    """Whether a process waits for its standard input."""
    return "pipe_read" in Path(f"/proc/{pid}/wchan").read_text()


def test_ctrl_c_within_the_work_ends_its_child_too(tmp_path: Path) -> None:
    for number in range(20):
        drawn(tmp_path, f"series-{number}", slices=2)
    progress = tmp_path / "progress"
    with process("check", "--json", "--resume", progress, tmp_path) as asked:
        while not progress.exists() or progress.read_text().count("\n") < 3:
            assert asked.poll() is None
        os.killpg(asked.pid, signal.SIGINT)
        ran = finished(asked)
    assert (ran.status, ran.out, ran.err) == (130, "", "")
    assert not members(asked.pid)


def members(group: int) -> list[str]:
    """Return the processes of a group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(entry.name)
    return found


def test_latin_terminals_are_served_too(tmp_path: Path) -> None:
    drawn(tmp_path, BodyPartExamined="KNEE")
    (tmp_path / "\u00e4\u3042").write_text("a letter")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    with process("check", tmp_path, env=environment) as asked:
        out, err = asked.communicate(timeout=120)
    assert asked.returncode == 1
    assert b"KNEE" in out
    assert b"Traceback" not in out + err
    ran = finished(process("check", "--json", tmp_path, env=environment))
    assert json.loads(ran.out)["rejected"][0]["path"].endswith("\u00e4\u3042")


def test_people_get_words_and_counts(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    drawn(tmp_path, BodyPartExamined="KNEE")
    (tmp_path / "letter").write_text("a letter")
    ran = run("check", tmp_path)
    assert ran.status == 1
    for said in (
        "3 instances",
        "Body Part Examined says KNEE",
        "now   KNEE",
        "1 file not taken in",
    ):
        assert said in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
