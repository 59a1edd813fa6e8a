"""What earlier series left reaches the judgement of the next one."""

from datetime import UTC, datetime, timedelta

from attrs import evolve

from qa_daemon.grounds.recalled import notes_on, recalled
from qa_daemon.records.issue import Practice, UsualSet
from qa_daemon.records.series import Elsewhere, Series, Stranger
from qa_daemon.rules.facts import Context
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries
from qa_daemon.store import result_rows, tables
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.store.review import habit_rows, note_rows
from tests.faults.conftest import eventually
from tests.pipeline.conftest import Works


def judged(works: Works, *series: str) -> None:
    for each in series:
        works.receive(each)
    worker = works.worker()

    def reached() -> bool:
        worker.turn()
        return set(works.states().values()) == {"waiting"}

    eventually(reached, "all are judged")


def of_patient(number: str, name: str = "Nobody^Drawn") -> Series:
    tags = {
        "StudyInstanceUID": "9.9", "SeriesInstanceUID": "1.2.3.1", "Modality": "CT",
        "AccessionNumber": "4711", "PatientID": number, "PatientName": name,
        "PatientBirthDate": "19700101",
    }  # fmt: skip
    return case_series(CaseSeries(tags))


def test_a_judged_series_is_found_by_its_numbers(works: Works) -> None:
    judged(works, "1.2.3.1")
    context = Context(received=datetime.now(UTC) + timedelta(minutes=1))
    found = recalled(works.service.store, "", of_patient("4711"), context)
    assert found.elsewhere == Elsewhere(studies=("1.2.3",))
    found = recalled(works.service.store, "", of_patient("0815", "Some^Body"), context)
    assert found.elsewhere == Elsewhere(studies=("1.2.3",), strangers=(Stranger("1.2.3"),))
    found = recalled(works.service.store, "", of_patient("0815"), context)
    assert found.elsewhere is not None
    assert found.elsewhere.strangers == (Stranger("1.2.3", is_same_person=True),)
    assert recalled(works.service.store, "", of_patient("1"), Context()) == Context()


def test_a_number_of_two_studies_shows_in_the_queue_of_the_later_one(works: Works) -> None:
    judged(works, "1.2.3.1", "1.2.4.1")
    with works.service.store.writing() as connection:
        # As if the first study had held the series of the second one, and come before it.
        twin = of_patient("0815", "Some^Body")
        twin = evolve(twin, series_instance_uid="1.2.4.1")
        early = notes_on(twin, datetime.now(UTC) - timedelta(days=1))
        key = tables.series_key("1.2.3", "1.2.3.1")
        habit_rows.replace(connection, key, Practice(), (), early[0].at)
        note_rows.add(connection, key, early)
    works.receive("1.2.4.1", 4)
    judged(works)
    rows = result_rows.finding_list(
        works.service.store, FindingFilter(study_instance_uid="1.2.4"), 100
    )
    found = {row.finding.rule: row.finding.evidence for row in rows}
    assert found["UID-011"] == {"other studies": "1.2.3"}
    assert found["ORDER-016"] == {"studies of the other": "1.2.3"}


def test_delays_and_sets_of_a_station_come_the_latest_first(works: Works) -> None:
    store, now = works.service.store, datetime.now(UTC)
    judged(works, "1.2.3.1", "1.2.4.1", "1.2.5.1")
    for study, minutes in (("1.2.3", 2), ("1.2.4", 7)):
        made = now - timedelta(hours=1, minutes=minutes)
        tags = {
            "Modality": "CT", "StationName": "CT1", "StudyDescription": "CT Thorax",
            "SeriesDescription": f"Thorax {minutes}", "SeriesInstanceUID": f"{study}.1",
            "StudyInstanceUID": study, "TimezoneOffsetFromUTC": "+0000",
            "AcquisitionDateTime": f"{made:%Y%m%d%H%M%S}",
        }  # fmt: skip
        series = case_series(CaseSeries(tags))
        came = now - timedelta(hours=1) + timedelta(seconds=minutes)
        with store.writing() as connection:
            key = tables.series_key(study, f"{study}.1")
            habit_rows.replace(connection, key, Practice(), (), now)
            note_rows.add(connection, key, notes_on(series, came))
    tags = {"Modality": "CT", "StationName": "CT1", "StudyDescription": "CT THORAX"}
    key = tables.series_key("1.2.5", "1.2.5.1")
    found = recalled(store, key, case_series(CaseSeries(tags)), Context(received=now))
    assert found.delays == (7, 2)
    assert found.usual == UsualSet(2, {"thorax 2": 1, "thorax 7": 1})
