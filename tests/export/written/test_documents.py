"""A change set as JSON, as a text, as a table and as a work item; each says what it is for."""

import csv
import io
import json

import pytest
from attrs import evolve
from pydicom.dataset import Dataset

from qa_daemon import INTENDED_USE
from qa_daemon.export.written.as_csv import change_set_as_csv
from qa_daemon.export.written.as_json import change_set_as_json
from qa_daemon.export.written.as_text import change_set_as_text
from qa_daemon.export.written.as_workitem import workitem
from qa_daemon.records.change_set import ChangeKind
from tests.export.conftest import change, package

IOP = ("-1", "0", "0", "0", "1", "0")


def test_every_document_says_what_it_is_for() -> None:
    made = package()
    for text in (
        change_set_as_json(made),
        change_set_as_text(made),
        change_set_as_csv(made),
        json.dumps(workitem(made)),
    ):
        assert INTENDED_USE in text
        assert "REGION-001" in text


def test_the_json_holds_a_data_set_of_the_dicom_model_per_instance_that_changes() -> None:
    turned = change("ImageOrientationPatient", "00200037", "DS", IOP, "1.2.3.1.2")
    said = json.loads(change_set_as_json(package(turned)))
    (data_set,) = said["data_sets"]
    assert data_set["00080018"]["Value"] == ["1.2.3.1.2"]
    assert data_set["00200037"] == {"vr": "DS", "Value": list(IOP)}
    assert [float(each) for each in Dataset.from_json(data_set).ImageOrientationPatient] == [
        *map(float, IOP)
    ]
    assert said["suggestion"]["changes"][0]["proposed"] == list(IOP)
    assert len(json.loads(change_set_as_json(package()))["data_sets"]) == 3
    assert change_set_as_json(package()) == change_set_as_json(package())


def test_the_text_tells_alike_changes_once_and_hides_nothing_behind_control_characters() -> None:
    of_each = [change("X", "00200037", "DS", ("-1",), f"1.2.3.1.{n}") for n in range(1, 6)]
    text = change_set_as_text(
        package(*of_each, words="a\x1b[31m\nb", kind=ChangeKind.REVERSE, reverses="2.25.7")
    )
    assert text.count("replace X (0020,0037) DS") == 1
    assert "1.2.3.1.1, 1.2.3.1.2, 1.2.3.1.3 and 2 more" in text
    assert "Reverses    2.25.7" in text
    assert "\x1b" not in text
    assert "a\ufffd[31m\ufffdb" in text


@pytest.mark.parametrize("hostile", ['=cmd|"/c calc"!A1', "+1", "@x", "\t=1", "-2+3"])
def test_no_cell_of_the_table_is_a_formula(hostile: str) -> None:
    made = package(change("StudyDescription", "00081030", "LO", (hostile,)), decided_by=hostile)
    rows = list(csv.DictReader(io.StringIO(change_set_as_csv(made).lstrip("\ufeff"))))
    assert [row["sop_instance_uid"] for row in rows] == ["1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"]
    for row in rows:
        assert not row["proposed"].lstrip().startswith(("=", "+", "-", "@", "\t"))
        assert not row["decided_by"].lstrip().startswith(("=", "+", "-", "@", "\t"))


def test_the_work_item_has_what_an_n_create_must_have() -> None:
    item = Dataset.from_json(workitem(package()))
    assert item.ProcedureStepState == "SCHEDULED"
    assert item.ScheduledProcedureStepPriority == "MEDIUM"
    assert item.InputReadinessState == "READY"
    assert item.TransactionUID == ""  # Table CC.2.5-3: present and empty
    assert item.ScheduledWorkitemCodeSequence[0].CodeValue == "QA-CORRECT"
    (given,) = item.InputInformationSequence
    assert [each.ReferencedSOPInstanceUID for each in given.ReferencedSOPSequence] == [
        *("1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"),
    ]
    assert given.DICOMRetrievalSequence[0].RetrieveAETitle == "PACS"
    parameters = {
        each.ConceptNameCodeSequence[0].CodeValue: each.TextValue
        for each in item.ScheduledProcessingParametersSequence
    }
    assert json.loads(parameters["QA-CHANGES"])["uid"] == "2.25.42"
    assert str(item.PatientName) == "Doe^=x"
    assert item.ReferencedRequestSequence[0].AccessionNumber == "A1"
    assert "SOPInstanceUID" not in item


def test_a_change_set_about_a_visit_names_no_series() -> None:
    made = evolve(
        package(series_instance_uid="", study_instance_uid="", series_key=""), instances=()
    )
    item = Dataset.from_json(workitem(made))
    assert len(item.InputInformationSequence) == 0
    assert "the whole study or visit" in change_set_as_text(made)
    assert json.loads(change_set_as_json(made))["series_instance_uid"] is None
    assert len(change_set_as_csv(made).splitlines()) == 2
