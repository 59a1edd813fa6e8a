"""The API as a program meets it: parameters, paging, patients, decisions, errors."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from qa_daemon.queue.accounts import tokens
from qa_daemon.queue.accounts.tokens import Scope, Wanted
from qa_daemon.store import result_rows
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.web.api.document import document
from qa_daemon.web.api.operations import PREFIX
from qa_daemon.web.api.parameters import cursor_of
from qa_daemon.web.api.parts import OPERATIONS, routes
from tests.web.conftest import Session, Site

API = PREFIX


@pytest.fixture(scope="module")
def technician(site: Site) -> Session:
    return site.signed_in("technician")


@pytest.fixture(scope="module")
def viewer(site: Site) -> Session:
    return site.signed_in("viewer")


@pytest.fixture(scope="module")
def admin(site: Site) -> Session:
    return site.signed_in("admin")


def pages(session: Session, path: str, limit: int) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        answer = session.get(f"{API}{path}?limit={limit}{cursor}")
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if answer.json()["next"] is None:
            return
        cursor = f"&cursor={answer.json()['next']}"


def send(session: Session, method: str, path: str, told: Any, **headers: str) -> Any:
    given = {"X-CSRF-Token": session.csrf, **headers}
    return session.client.request(method, API + path, json=told, headers=given)


def decide(session: Session, told: Any, number: str) -> Any:
    return send(session, "POST", "/decisions", told, **{"Idempotency-Key": number})


def undecided(session: Session) -> dict[str, Any]:
    """Return a finding that somebody has to decide."""
    found = session.get(f"{API}/findings?open=true&severity_min=minor&limit=200").json()["items"]
    chosen: dict[str, Any] = next(row for row in found if row["series_key"])
    return chosen


# --- the document --------------------------------------------------------------------------------


def test_the_document_names_every_route_and_every_route_is_named() -> None:
    told = document(OPERATIONS)["paths"]
    named = {(path, method.upper()) for path, methods in told.items() for method in methods}
    served = {
        (route.path.removeprefix(PREFIX), method)
        for route in routes()
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert named == served


def test_answers_are_what_the_document_says(technician: Session, admin: Session) -> None:
    told = technician.get(f"{API}/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    finding = undecided(technician)
    asked = {
        "FindingPage": "/findings",
        "FindingRow": f"/findings/{finding['id']}",
        "DecisionList": f"/findings/{finding['id']}/decisions",
        "IssueList": "/issues",
        "SeriesList": "/series",
        "Series": f"/series/{finding['series_key']}",
        "EventPage": "/events",
        "AuditPage": "/audit",
        "DataSets": f"/findings/{with_suggestion(technician)['id']}/suggestions/0",
    }
    for name, path in asked.items():
        answer = (admin if path == "/audit" else technician).get(API + path)
        assert answer.status_code == 200, (path, answer.text)
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        Draft202012Validator(schema).validate(answer.json())


def with_suggestion(session: Session) -> dict[str, Any]:
    for row in session.get(f"{API}/findings?limit=200").json()["items"]:
        whole: dict[str, Any] = session.get(f"{API}/findings/{row['id']}").json()
        if whole["finding"]["suggestion"]:
            return whole
    raise AssertionError("no finding suggests anything")


# --- reading -------------------------------------------------------------------------------------


def test_pages_hold_every_finding_once(site: Site, technician: Session) -> None:
    wanted = {row.id for row in result_rows.finding_list(site.store, FindingFilter(), 1000)}
    told = [row["id"] for page in pages(technician, "/findings", 3) for row in page["items"]]
    assert sorted(told) == sorted(wanted)
    assert len(wanted) > 3


def test_a_suggestion_is_a_data_set_with_the_proposed_values(technician: Session) -> None:
    whole = with_suggestion(technician)
    answer = technician.get(f"{API}/findings/{whole['id']}/suggestions/0")
    assert answer.headers["content-type"].startswith("application/dicom+json")
    change = whole["finding"]["suggestion"]["changes"][0]
    held = [each for each in answer.json() if change["path"] == change["attribute"]]
    if held:
        assert any(each[change["tag"]].get("Value") == change["proposed"] for each in held)
    assert technician.get(f"{API}/findings/{whole['id']}/suggestions/999").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=!", "cursor=MTIzLTQ1",
     "since=yesterday", "topic=weather", "series_key=../etc", "nosuch=1", "open=maybe",
     "limit=%D9%A1", "rule=%00"],
)  # fmt: skip
def test_a_wrong_parameter_is_named(technician: Session, query: str) -> None:
    answer = technician.get(f"{API}/findings?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["/findings/999999", "/findings/9223372036854775807/decisions", "/series/" + "0" * 24,
     "/series/" + "0" * 24 + "/frames", "/nothing"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(technician: Session, path: str) -> None:
    answer = technician.get(API + path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


def test_who_may_not_see_patients_is_told_none(site: Site, viewer: Session) -> None:
    told = "".join(
        viewer.get(f"{API}/findings/{row.id}").text
        for row in result_rows.finding_list(site.store, FindingFilter(), 1000)
    )
    shown = site.signed_in("technician").get(f"{API}/findings?topic=identity").json()["items"]
    for row in shown:
        assert row["finding"]["message"] not in told
    assert told


def test_a_token_may_what_its_scopes_say_and_no_more(site: Site) -> None:
    user = user_rows.by_name(site.store, "admin")
    assert user is not None
    operator = Operator("tests", datetime.now(UTC))
    path = f"{API}/findings?topic=identity"

    def asked(method: str, path: str, *scopes: Scope, **more: Any) -> httpx.Response:
        secret = tokens.issue(site.store, user, Wanted(label="t", scopes=scopes, days=1), operator)
        with site.client() as client:
            bearer = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "t-1"}
            return client.request(method, path, headers=bearer, **more)

    assert "(hidden)" in asked("GET", path, Scope.READ).text
    assert "(hidden)" not in asked("GET", path, Scope.PATIENTS).text
    assert asked("GET", f"{API}/audit", Scope.READ).status_code == 403
    assert asked("GET", f"{API}/audit", Scope.ADMINISTER).status_code == 200
    said = {"findings": [{"id": 1, "revision": 999}], "verb": "accept"}
    assert asked("POST", f"{API}/decisions", Scope.READ, json=said).status_code == 403
    assert asked("POST", f"{API}/decisions", Scope.DECIDE, json=said).status_code in {404, 409}
    with site.client() as client:
        wrong = {"Authorization": "Bearer qad_guessed"}
        assert client.get(path, headers=wrong).status_code == 401


# --- deciding ------------------------------------------------------------------------------------


def test_a_decision_is_made_once_told_and_taken_back(technician: Session) -> None:
    finding = undecided(technician)
    seen = [{"id": finding["id"], "revision": finding["revision"]}]
    told = {"findings": seen, "verb": "reject", "reason": "tags_right"}
    first, again = (decide(technician, told, "n-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json() == again.json()
    assert first.json()["standing"] == "decided"
    history = technician.get(f"{API}/findings/{finding['id']}/decisions").json()["items"]
    assert [each["verb"] for each in history] == ["reject"]
    act = first.json()["act_id"]
    key = {"Idempotency-Key": "n-2"}
    undone = send(technician, "POST", f"/decisions/{act}/undo", {}, **key)
    assert undone.status_code == 200, undone.text
    events = technician.get(f"{API}/events?limit=200").json()["items"]
    of_it = [each["kind"] for each in events if each["finding_id"] == finding["id"]]
    assert of_it == ["finding.made", "decision.reject", "decision.undo"]


def test_a_decision_on_an_older_revision_is_a_conflict(technician: Session) -> None:
    finding = undecided(technician)
    seen = [{"id": finding["id"], "revision": finding["revision"] + 1}]
    answer = decide(technician, {"findings": seen, "verb": "accept"}, "n-3")
    assert (answer.status_code, answer.json()["kind"]) == (409, "stale")


@pytest.mark.parametrize(
    "told",
    [None, [], {"findings": []}, {"findings": [1], "verb": "accept"},
     {"findings": [{"id": 1, "revision": 1}], "verb": "burn"},
     {"findings": [{"id": 1, "revision": 1}], "verb": "reject"},
     {"findings": [{"id": True, "revision": 1}], "verb": "accept"},
     {"findings": [{"id": 1, "revision": 1}], "verb": "accept", "who": "root"},
     {"findings": [{"id": 1, "revision": 1}], "verb": "defer", "until": "soon"},
     {"findings": [{"id": 1 << 80, "revision": 1}], "verb": "accept"}],
)  # fmt: skip
def test_a_body_that_says_something_else_is_refused(technician: Session, told: Any) -> None:
    answer = decide(technician, told, "n-4")
    assert answer.status_code == 400, answer.text


def test_a_viewer_decides_nothing_and_reads_no_audit(viewer: Session) -> None:
    finding = undecided(viewer)
    seen = [{"id": finding["id"], "revision": finding["revision"]}]
    assert decide(viewer, {"findings": seen, "verb": "accept"}, "n-5").status_code == 403
    assert viewer.get(f"{API}/audit").status_code == 403
    ruling = {"kind": "mute", "reason": "x", "until": "2030-01-01T00:00:00Z"}
    key = viewer.get(f"{API}/issues").json()["items"][0]["key"]
    assert send(viewer, "PUT", f"/issues/{key}/ruling", ruling).status_code == 403


def test_a_request_without_the_token_of_our_pages_is_refused(technician: Session) -> None:
    answer = technician.client.post(f"{API}/decisions", json={}, headers={"Idempotency-Key": "x"})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_nobody_is_told_anything_before_the_sign_in(site: Site) -> None:
    with site.client() as client:
        for path in ("/findings", "/openapi.json", "/events", "/series"):
            answer = client.get(API + path)
            assert answer.status_code == 401
            assert answer.json()["title"] == "Unauthorized"


def test_an_issue_is_muted_with_its_end(technician: Session) -> None:
    key = technician.get(f"{API}/issues").json()["items"][0]["key"]
    for wrong in ({"kind": "mute", "reason": "x"}, {"kind": "mute", "reason": " ", "until": "x"},
                  {"kind": "mute", "reason": "x", "until": "2001-01-01T00:00:00Z"}):  # fmt: skip
        assert send(technician, "PUT", f"/issues/{key}/ruling", wrong).status_code == 400
    resolved = {"kind": "resolve", "reason": "protocol mended"}
    answer = send(technician, "PUT", f"/issues/{key}/ruling", resolved)
    assert (answer.status_code, answer.json()["who"]) == (200, "technician")
    unknown = send(technician, "PUT", f"/issues/{'0' * 24}/ruling", resolved)
    assert unknown.status_code == 404


# --- events --------------------------------------------------------------------------------------


def test_events_go_on_where_the_cursor_says(technician: Session) -> None:
    first = technician.get(f"{API}/events?limit=2").json()
    rest = technician.get(f"{API}/events?limit=200&cursor={first['next']}").json()
    whole = technician.get(f"{API}/events?limit=200").json()
    assert first["items"] + rest["items"] == whole["items"]
    last = technician.get(f"{API}/events?cursor={whole['next']}").json()
    assert (last["items"], last["next"]) == ([], whole["next"])


def test_a_stream_tells_what_happens_and_goes_on_by_its_last_id(technician: Session) -> None:
    whole = technician.get(f"{API}/events?limit=200").json()
    before = cursor_of(0, 0)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": before}
    lines: list[str] = []
    with technician.client.stream("GET", f"{API}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            lines.append(line)
            if line.startswith("id: ") and line.removeprefix("id: ") == whole["next"]:
                break
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert len(kinds) >= len(whole["items"]) - 1
