"""UPS-RS as a RIS meets it: search, retrieve, claim, write, complete, cancel, listen."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage

from qa_daemon.report.as_workitem import UPS_PUSH
from tests.queue.workitems.conftest import performed
from tests.web.conftest import DEADLINE_S, Session, Site

UPS = "/dicom-web/workitems"
DICOM_JSON = {"Content-Type": "application/dicom+json"}
STATE, LOCK, UID = "00741000", "00081195", "00080018"


@pytest.fixture(scope="module")
def ris(site: Site) -> Session:
    return site.signed_in("technician")


@pytest.fixture(scope="module")
def scheduled(ris: Session) -> Iterator[str]:
    """Give UIDs of work items that nobody has touched, another one for each `next`."""
    answer = ris.get(f"{UPS}?ProcedureStepState=SCHEDULED")
    assert answer.status_code in {200, 206}
    return iter([step[UID]["Value"][0] for step in answer.json()])


def send(session: Session, method: str, path: str, told: Any = None, **headers: str) -> Any:
    given = {"X-CSRF-Token": session.csrf, **DICOM_JSON, **headers}
    content = b"" if told is None else json.dumps(told).encode()
    return session.client.request(method, UPS + path, content=content, headers=given)


def to(state: str, lock: str = "2.25.5") -> dict[str, Any]:
    given: dict[str, Any] = {STATE: {"vr": "CS", "Value": [state]}}
    return given | ({LOCK: {"vr": "UI", "Value": [lock]}} if lock else {})


def state_of(session: Session, uid: str) -> str:
    (step,) = session.get(f"{UPS}/{uid}").json()
    return str(step[STATE]["Value"][0])


def test_the_worklist_is_found_page_by_page_in_one_order(ris: Session) -> None:
    whole = ris.get(UPS).json()
    first, second = (ris.get(f"{UPS}?limit=1&offset={n}") for n in (0, 1))
    assert first.status_code == 206
    assert "additional results" in first.headers["Warning"]
    assert [*first.json(), *second.json()] == whole[:2]
    assert ris.get(f"{UPS}?offset=100000").status_code == 204
    for step in whole:
        assert step["00080016"]["Value"] == [UPS_PUSH]
        assert LOCK not in step


def test_a_step_tells_the_finding_its_patient_and_what_is_suggested(
    ris: Session, site: Site
) -> None:
    whole = ris.get(UPS).json()
    texts = json.dumps(whole)
    assert "QA-CHANGE" in texts
    assert any(step["00100020"].get("Value") for step in whole)
    for step in site.signed_in("viewer").get(UPS).json():
        assert "Value" not in step["00100010"]
        assert "Value" not in step["00100020"]


@pytest.mark.parametrize(
    "query",
    ["NoSuchKey=1", "ProcedureStepState=DONE", "limit=-1", "offset=x", "fuzzymatching=perhaps",
     "ScheduledProcedureStepStartDateTime=soon"],
)  # fmt: skip
def test_a_search_for_what_there_cannot_be_is_a_bad_request(ris: Session, query: str) -> None:
    assert ris.get(f"{UPS}?{query}").status_code == 400


def test_what_cannot_be_matched_is_told(ris: Session) -> None:
    answer = ris.get(f"{UPS}?PatientName=A*&fuzzymatching=true")
    assert "not supported" in answer.headers["Warning"]
    assert "Only literal matching" in answer.headers["Warning"]


def test_other_forms_are_neither_given_nor_taken(ris: Session, scheduled: Iterator[str]) -> None:
    uid = next(scheduled)
    xml = "application/dicom+xml"
    assert ris.get(UPS, headers={"Accept": xml}).status_code == 406
    answer = send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS"), **{"Content-Type": xml})
    assert answer.status_code == 415
    assert send(ris, "POST", "", {}).status_code == 405


def test_a_step_is_claimed_written_and_completed_and_that_is_a_decision(
    ris: Session, scheduled: Iterator[str]
) -> None:
    uid = next(scheduled)
    assert send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS")).status_code == 200
    assert state_of(ris, uid) == "IN PROGRESS"
    second = send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS", "2.25.6"))
    assert second.status_code == 409
    assert "inconsistent with the state" in second.headers["Warning"]
    wrong = send(ris, "POST", f"/{uid}?2.25.6", performed())
    assert (wrong.status_code, "incorrect" in wrong.headers["Warning"]) == (400, True)
    unmet = send(ris, "PUT", f"/{uid}/state", to("COMPLETED"))
    assert (unmet.status_code, unmet.json()["dimse_status"]) == (409, "C304")
    written = send(ris, "POST", f"/{uid}?2.25.5", performed("REJECT", "TAGS_RIGHT"))
    assert written.status_code == 200
    assert written.headers["Content-Location"].endswith(uid)
    assert send(ris, "PUT", f"/{uid}/state", to("COMPLETED")).status_code == 200
    assert state_of(ris, uid) == "COMPLETED"
    again = send(ris, "PUT", f"/{uid}/state", to("COMPLETED"))
    assert again.status_code == 200
    assert again.headers["Warning"].endswith(
        "The UPS is already in the requested state of COMPLETED."
    )
    kinds = [each["kind"] for each in ris.get("/api/v1/events?limit=200").json()["items"]]
    assert "decision.reject" in kinds


def test_a_missing_transaction_is_told_as_the_standard_wants(
    ris: Session, scheduled: Iterator[str]
) -> None:
    uid = next(scheduled)
    answer = send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS", ""))
    assert answer.status_code == 400
    assert answer.headers["Warning"].startswith("299 http")
    assert answer.headers["Warning"].endswith(": The Transaction UID is missing.")


def test_who_asks_to_cancel_an_unclaimed_step_ends_it(
    ris: Session, scheduled: Iterator[str]
) -> None:
    uid = next(scheduled)
    assert send(ris, "POST", f"/{uid}/cancelrequest").status_code == 202
    assert state_of(ris, uid) == "CANCELED"
    again = send(ris, "POST", f"/{uid}/cancelrequest")
    assert (again.status_code, "CANCELED" in again.headers["Warning"]) == (202, True)


@pytest.mark.parametrize("uid", ["1.2.3", "2.25.1", "2.25.340282366920938463463374607431768211455"])
def test_a_uid_that_is_not_ours_is_not_found(ris: Session, uid: str) -> None:
    assert ris.get(f"{UPS}/{uid}").status_code == 404
    assert send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS")).status_code == 404


def test_a_viewer_claims_nothing(site: Site, scheduled: Iterator[str]) -> None:
    viewer = site.signed_in("viewer")
    answer = send(viewer, "PUT", f"/{next(scheduled)}/state", to("IN PROGRESS"))
    assert answer.status_code == 403


# --- listening -----------------------------------------------------------------------------------


class Listener:
    """A WebSocket client with the session of somebody."""

    def __init__(self, site: Site, session: Session, title: str, origin: str) -> None:
        import socket  # noqa: PLC0415  of this client only

        host = site.url.removeprefix("http://")
        name, _, port = host.partition(":")
        self._socket = socket.create_connection((name, int(port)), timeout=DEADLINE_S)
        self._connection = WSConnection(ConnectionType.CLIENT)
        cookie = "; ".join(f"{k}={v}" for k, v in session.client.cookies.items())
        headers = [(b"Cookie", cookie.encode()), (b"Origin", origin.encode())]
        request = Request(
            host=host, target=f"/dicom-web/subscribers/{title}", extra_headers=headers
        )
        self._socket.sendall(self._connection.send(request))
        self.opened = next(self._events())

    def _events(self) -> Iterator[Any]:
        while True:
            yield from self._connection.events()
            received = self._socket.recv(65536)
            self._connection.receive_data(received or None)

    def report(self) -> dict[str, Any]:
        """Wait for the next event report."""
        text = ""
        for event in self._events():
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                found: dict[str, Any] = json.loads(text)
                return found
        raise AssertionError("closed")

    def close(self) -> None:
        if isinstance(self.opened, AcceptConnection):
            self._socket.sendall(self._connection.send(CloseConnection(code=1000)))
        self._socket.close()


def test_who_has_subscribed_hears_of_a_claim_and_of_a_request_to_cancel(
    site: Site, ris: Session, scheduled: Iterator[str]
) -> None:
    uid = next(scheduled)
    made = send(ris, "POST", f"/{uid}/subscribers/RIS1?deletionlock=true")
    assert made.status_code == 201
    assert made.headers["Content-Location"].startswith("ws://")
    assert made.headers["Warning"].endswith("Deletion Lock not granted.")
    listener = Listener(site, ris, "RIS1", site.url)
    assert isinstance(listener.opened, AcceptConnection)
    first = listener.report()
    assert first["00001000"]["Value"] == [uid]
    assert (first["00001002"]["Value"], first[STATE]["Value"]) == ([1], ["SCHEDULED"])
    send(ris, "PUT", f"/{uid}/state", to("IN PROGRESS"))
    assert listener.report()[STATE]["Value"] == ["IN PROGRESS"]
    assert send(ris, "POST", f"/{uid}/cancelrequest").status_code == 202
    assert listener.report()["00001002"]["Value"] == [2]
    listener.close()
    assert send(ris, "DELETE", f"/{uid}/subscribers/RIS1").status_code == 200
    assert send(ris, "DELETE", f"/{uid}/subscribers/RIS1").status_code == 404


def test_a_title_belongs_to_who_took_it_first(site: Site, ris: Session) -> None:
    whole = "/1.2.840.10008.5.1.4.34.5/subscribers/RIS2"
    assert send(ris, "POST", whole).status_code == 201
    other = site.signed_in("admin")
    assert send(other, "POST", whole).status_code == 403
    assert send(ris, "POST", f"{whole}/suspend").status_code == 200
    filtered = "/1.2.840.10008.5.1.4.34.5.1/subscribers/RIS2?filter=PatientID=1"
    answer = send(ris, "POST", filtered)
    assert (answer.status_code, "Filtered Worklist" in answer.headers["Warning"]) == (403, True)


def test_a_page_of_another_site_cannot_listen(site: Site, ris: Session) -> None:
    refused = Listener(site, ris, "RIS3", "https://evil.example")
    assert isinstance(refused.opened, RejectConnection)
    assert refused.opened.status_code == 403
    refused.close()
