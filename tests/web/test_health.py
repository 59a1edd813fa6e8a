"""Health is asked over HTTP, answered without a patient's value, and survives a broken store."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa_daemon.config.settings import Settings, WebSettings
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.telemetry import log as telemetry
from qa_daemon.web.app import build
from qa_daemon.web.desk import desk_for
from qa_daemon.web.serving.listening import listener


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    settings = Settings(state=tmp_path, web=WebSettings(port=0))
    desk = desk_for(settings)
    listening = listener(build(desk), settings.web, 1.0)
    listening.start()
    yield listening.port
    listening.stop()
    desk.close()
    telemetry.stop()


def asked(port: int, path: str) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "qa-daemon"
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_service_that_lives_says_so(port: int) -> None:
    assert asked(port, "/healthz") == (200, {"status": "alive"})


def test_a_service_on_a_store_counts_what_it_has(port: int) -> None:
    status, facts = asked(port, "/readyz")
    assert status == 200
    assert facts == {
        "status": "ready",
        "series": {},
        "instances": 0,
        "unreadable": 0,
        "repeats": 0,
    }


def test_a_service_without_its_store_is_not_ready_and_then_is(
    port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "qa-daemon.sqlite").write_bytes(b"this is no database" * 100)
    assert asked(port, "/readyz") == (503, {"status": "store unavailable"})
    assert "store.lost" in capfd.readouterr().err
    (tmp_path / "qa-daemon.sqlite").unlink()
    prepare(f"sqlite:///{tmp_path / 'qa-daemon.sqlite'}")
    assert asked(port, "/readyz")[0] == 200
