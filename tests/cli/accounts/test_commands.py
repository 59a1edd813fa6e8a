"""`user`, `token` and `audit` as an administrator types them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import update

from qa_daemon.store.database import Store
from qa_daemon.store.tables import audit
from tests.cli.conftest import Run

PASSWORD = "correct horse battery"  # noqa: S105  of a user that lives as long as a test


@pytest.fixture
def at(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a command on one state folder; what is typed is the password."""

    def ran(*arguments: object, status: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
        said = run(*arguments, "--state", tmp_path)
        assert said.status == status, said.err
        return said.out + said.err

    return ran


def test_a_user_is_made_changed_disabled_and_enabled(at: Callable[..., str]) -> None:
    assert "may sign in as admin" in at(
        "user", "add", "root", "--role", "admin", "--password-stdin"
    )
    at("user", "add", "Ana", "--role", "viewer", "--full-name", "Ana Alves", "--password-stdin")
    assert "is technician now" in at("user", "role", "ana", "technician")
    at("user", "passwd", "ana", "--password-stdin")
    at("user", "disable", "ana")
    ana, root = json.loads(at("user", "list", "--json"))
    assert (ana["name"], ana["full_name"], ana["role"]) == ("Ana", "Ana Alves", "technician")
    assert ana["disabled_at"] is not None
    assert root["disabled_at"] is None
    at("user", "enable", "ana")
    assert "Ana Alves" in at("user", "list")


def test_what_cannot_be_is_said_in_words(at: Callable[..., str]) -> None:
    at("user", "add", "root", "--role", "admin", "--password-stdin")
    again = at("user", "add", "ROOT", "--role", "viewer", "--password-stdin", status=2)
    assert "exists" in again
    assert "last administrator" in at("user", "disable", "root", status=2)
    assert "unknown" in at("user", "role", "nobody", "viewer", status=2)
    assert "--password-stdin" in at("user", "passwd", "root", status=2)
    assert "none of that number" in at("token", "revoke", "7", status=2)


def test_a_token_is_shown_once(at: Callable[..., str]) -> None:
    at("user", "add", "root", "--role", "admin", "--password-stdin")
    asked = ("token", "add", "root", "--label", "RIS", "--scope", "read", "--days", "30")
    secret = at(*asked).strip()
    assert secret.startswith("qad_")
    listed = at("token", "list", "--json")
    assert secret not in listed
    (token,) = json.loads(listed)
    assert (token["label"], token["scopes"], token["user"]) == ("RIS", ["read"], "root")
    assert "RIS" in at("token", "list")
    at("token", "revoke", token["id"])
    assert json.loads(at("token", "list", "--json"))[0]["in_force"] == "no more"


def test_the_audit_is_verified_and_written_out(at: Callable[..., str], tmp_path: Path) -> None:
    at("user", "add", "root", "--role", "admin", "--password-stdin")
    at("user", "passwd", "root", "--password-stdin")
    said = at("audit", "verify")
    assert said.startswith("2 entries hold.")
    head = said.split()[-1]
    file = tmp_path / "audit.xml"
    assert "2 messages" in at("audit", "export", file)
    messages = [ET.fromstring(text) for text in file.read_text().splitlines()]  # noqa: S314  ours
    assert [each.tag for each in messages] == ["AuditMessage"] * 2
    assert "exists" in at("audit", "export", file, status=2)
    assert "3 entries hold" in at("audit", "verify", "--head", head)
    url = f"sqlite:///{tmp_path / 'qa-daemon.sqlite'}"
    with Store(url, 5.0) as store, store.writing() as connection:
        connection.execute(update(audit).where(audit.c.id == 2).values(detail="other"))
    assert "Entry 2 does not hold" in at("audit", "verify", status=1)
    assert "Entry 2 does not hold" in at("audit", "verify", "--head", head, status=1)
