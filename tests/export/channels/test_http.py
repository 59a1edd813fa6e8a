"""Webhooks and UPS-RS against a real HTTP server in a process of its own."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from qa_daemon.config.export import UpsRsSettings, WebhookSettings
from qa_daemon.export.channels import ups_rs, webhook
from qa_daemon.export.package import Verdict
from tests.export.conftest import Place, package
from tests.faults.conftest import free_port

Start = Callable[[str], Place]


def hook(port: int, **more: Any) -> WebhookSettings:
    given: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}/qa",
        "secret": "shared",
        "deadline_s": 5.0,
    }
    return WebhookSettings(name="ris", **given | more)


def test_a_webhook_is_signed_and_named_by_the_change_set(place: Start) -> None:
    server = place("http")
    for _ in range(2):
        answer = webhook.send(hook(server.port), package())
        assert (answer.verdict, answer.words) == (Verdict.SENT, "HTTP 200 OK thank you")
    first, second = server.got()
    assert first["body"] == second["body"]
    assert json.loads(first["body"])["uid"] == "2.25.42"
    headers = first["headers"]
    assert headers["Idempotency-Key"] == "2.25.42"
    signed = f"{headers['X-QA-Timestamp']}.{first['body']}".encode()
    expected = hmac.new(b"shared", signed, hashlib.sha256).hexdigest()
    assert headers["X-QA-Signature"] == f"sha256={expected}"
    webhook.send(hook(server.port, secret=""), package())
    assert "X-QA-Signature" not in server.got()[2]["headers"]


@pytest.mark.parametrize(
    ("said", "verdict", "words"),
    [
        ({"status": 204, "body": ""}, Verdict.SENT, "HTTP 204"),
        ({"status": 500, "body": "no room"}, Verdict.LATER, "no room"),
        ({"status": 429, "headers": {"Retry-After": "30"}}, Verdict.LATER, "HTTP 429"),
        ({"status": 422, "body": "unknown study"}, Verdict.REFUSED, "unknown study"),
        ({"status": 307, "headers": {"Location": "/else"}}, Verdict.REFUSED, "leads elsewhere"),
    ],
)
def test_the_answer_decides_whether_it_is_tried_again(
    place: Start, said: dict[str, object], verdict: Verdict, words: str
) -> None:
    server = place("http")
    server.answers(**said)
    answer = webhook.send(hook(server.port), package())
    assert answer.verdict is verdict
    assert words in answer.words
    assert answer.after == (timedelta(seconds=30) if said["status"] == 429 else None)
    assert len(server.got()) == 1  # nobody went elsewhere


def test_a_slow_or_endless_answer_holds_nobody_up(place: Start) -> None:
    server = place("http")
    server.answers(body="x" * 1000, times=10_000)
    answer = webhook.send(hook(server.port), package())
    assert answer.verdict is Verdict.SENT
    assert len(answer.words) < 5000
    server.answers(wait_s=30)
    begun = monotonic()
    answer = webhook.send(hook(server.port, deadline_s=0.5), package())
    assert (answer.verdict, answer.words) == (Verdict.LATER, "no answer (ReadTimeout)")
    assert monotonic() - begun < 20


def test_nobody_there_is_a_matter_of_time_and_a_wrong_url_is_not() -> None:
    assert webhook.send(hook(free_port()), package()).verdict is Verdict.LATER
    wrong = hook(1, url="http://[::1/")
    assert webhook.send(wrong, package()).verdict is Verdict.REFUSED


def test_a_work_item_is_made_by_ups_rs_and_made_once(place: Start) -> None:
    server = place("http")
    base = f"http://127.0.0.1:{server.port}/dicom-web/"
    settings = UpsRsSettings(name="pacs", url=base, token="t0ken")  # noqa: S106  of a test
    server.answers(status=201, body="")
    assert ups_rs.send(settings, package()).verdict is Verdict.SENT
    (got,) = server.got()
    assert got["path"] == "/dicom-web/workitems?2.25.42"
    assert got["headers"]["Content-Type"] == "application/dicom+json"
    assert got["headers"]["Authorization"] == "Bearer t0ken"
    (item,) = json.loads(got["body"])
    assert item["00741000"]["Value"] == ["SCHEDULED"]
    server.answers(status=409, body="exists")
    assert ups_rs.send(settings, package()).verdict is Verdict.SENT
    server.answers(status=400, body="bad")
    assert ups_rs.send(settings, package()).verdict is Verdict.REFUSED
