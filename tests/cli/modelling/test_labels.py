"""What people decided leaves the site as small pictures that say nothing of whom they show."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from attrs import evolve
from sqlalchemy import update

from qa_daemon.cli.modelling.anonymous import may_show_text
from qa_daemon.cli.modelling.labels import COLUMNS, TABLE
from qa_daemon.config.load import load_settings
from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits
from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance
from qa_daemon.records.states import SuggestionState
from qa_daemon.store.database import Store
from qa_daemon.store.tables import suggestions
from tests.cli.conftest import Run, drawn
from tests.cli.modelling.conftest import received

NAME, NUMBER = "Geheim^Anna", "PID-4711"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state of a service that holds an abdomen with the body part of a knee."""
    folder = tmp_path_factory.mktemp("labels") / "state"
    folder.mkdir()
    received(folder, BodyPartExamined="KNEE", PatientName=NAME, PatientID=NUMBER)
    return folder


def decided(state: Path, verdict: SuggestionState) -> None:
    """Write what a queue will write once it lets people decide."""
    settings = load_settings(None, overrides={"state": state})
    with Store(settings.store_url, 5.0) as store, store.writing() as connection:
        connection.execute(update(suggestions).values(state=verdict.value))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pictures(folder: Path) -> Iterator[pydicom.Dataset]:
    for row in rows(folder):
        yield pydicom.dcmread(folder / row["file"])


def test_without_a_decision_nothing_is_written(run: Run, state: Path, tmp_path: Path) -> None:
    decided(state, SuggestionState.OPEN)
    ran = run("export-labels", tmp_path / "out", "--state", state)
    assert (ran.status, "no decision yet" in ran.out) == (0, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("verdict", "label"),
    [(SuggestionState.ACCEPTED, "ABDOMEN"), (SuggestionState.REJECTED, "LOWERLIMB")],
)
def test_a_decision_becomes_a_label(
    run: Run, state: Path, tmp_path: Path, verdict: SuggestionState, label: str
) -> None:
    decided(state, verdict)
    ran = run("export-labels", tmp_path / "out", "--state", state)
    assert ran.status == 0
    assert "body_region: 3 pictures" in ran.out
    table = rows(tmp_path / "out" / "body_region")
    assert set(table[0]) == set(COLUMNS)
    assert {row["labels"] for row in table} == {label}
    assert {row["decision"] for row in table} == {verdict.value}
    assert len({row["patient"] for row in table}) == len({row["series"] for row in table}) == 1


def test_nothing_says_whom_a_picture_shows(run: Run, state: Path, tmp_path: Path) -> None:
    decided(state, SuggestionState.ACCEPTED)
    run("export-labels", tmp_path / "out", "--state", state)
    source = pydicom.dcmread(next((state.parent / "files").glob("*.dcm")))
    uids = {str(element.value) for element in source.iterall() if element.VR == "UI"}
    kept = {str(pydicom.uid.SecondaryCaptureImageStorage), str(source.file_meta.TransferSyntaxUID)}
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert NAME.encode() not in content
            assert NUMBER.encode() not in content
            for uid in uids - kept:
                whole = rb"(?<![\d.])" + re.escape(uid.encode()) + rb"(?![\d.])"
                assert not re.search(whole, content)
    for made in pictures(tmp_path / "out" / "body_region"):
        assert made.PatientIdentityRemoved == "YES"
        assert made.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert made.BurnedInAnnotation == "NO"
        assert made.LongitudinalTemporalInformationModified == "REMOVED"
        assert (made.PatientName, made.PatientID, made.StudyDate) == ("", "", "")
        assert max(made.Rows, made.Columns) <= 160


def test_the_pictures_are_the_same_small(run: Run, state: Path, tmp_path: Path) -> None:
    decided(state, SuggestionState.ACCEPTED)
    run("export-labels", tmp_path / "out", "--state", state)
    sources = [pydicom.dcmread(path) for path in sorted((state.parent / "files").glob("*.dcm"))]
    made = list(pictures(tmp_path / "out" / "body_region"))
    assert {each.Modality for each in made} == {"CT"}
    extent = float(sources[0].PixelSpacing[0]) * sources[0].Rows
    assert float(made[0].PixelSpacing[0]) * made[0].Rows == pytest.approx(extent, rel=0.01)

    def means(found: Sequence[pydicom.Dataset]) -> list[float]:
        return sorted(
            float(
                np.mean(each.pixel_array * float(each.RescaleSlope) + float(each.RescaleIntercept))
            )
            for each in found
        )

    assert means(made) == pytest.approx(means(sources), abs=3)


def test_a_folder_with_something_in_it_is_refused(run: Run, state: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    ran = run("export-labels", tmp_path, "--state", state)
    assert (ran.status, "not empty" in ran.err) == (2, True)


def test_a_small_audit_sample_is_drawn_of_clean_series_and_shown_blind(
    run: Run, tmp_path: Path
) -> None:
    state = tmp_path / "clean"
    state.mkdir()
    received(state, BodyPartExamined="ABDOMEN")
    config = tmp_path / "service.yaml"
    for share, count in ((1, 1), (0, 0)):
        config.write_text(f"learning:\n  audit_share: {share}\n")
        command = ("queue", "list", "--audit", "--state", state, "--config", config)
        found = run(*command, "--json").document
        assert len(found) == count
        assert all(set(each) == {
            "series_key", "study_instance_uid", "series_instance_uid", "modality",
        } for each in found)  # fmt: skip
        said = run(*command).out
        assert ("Nothing to look at" in said) is (count == 0)
        assert "ABDOMEN" not in said


@pytest.fixture(scope="module")
def one_slice(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    (path,) = drawn(tmp_path_factory.mktemp("one"), slices=1)
    return read_instance(path.read_bytes(), Limits())


@pytest.mark.parametrize(
    ("said", "may"),
    [
        ({}, False),
        ({"BurnedInAnnotation": "NO"}, False),
        ({"BurnedInAnnotation": "YES"}, True),
        ({"BurnedInAnnotation": "perhaps"}, True),
        ({"RecognizableVisualFeatures": "YES", "BurnedInAnnotation": "NO"}, True),
        ({"ImageType": "DERIVED"}, True),
        ({"ImageType": ""}, True),
    ],
)
def test_what_may_show_text_is_left_out(
    one_slice: Instance, said: dict[str, str], *, may: bool
) -> None:
    elements = dict(one_slice.elements)
    elements |= {name: Element("CS", (value,)) for name, value in said.items()}
    assert may_show_text(evolve(one_slice, elements=elements)) is may
    radiograph = evolve(one_slice, sop_class_uid="1.2.840.10008.5.1.4.1.1.1", elements=elements)
    assert may_show_text(radiograph) is (may or said.get("BurnedInAnnotation") != "NO")
