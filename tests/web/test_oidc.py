"""Signing in at an identity provider, against a real one in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from qa_daemon.queue.accounts import people
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.audit.entries import audit_entries
from tests.web.conftest import BY, Site, started

PROVIDER = Path(__file__).with_name("provider.py")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    command = [sys.executable, str(PROVIDER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  ours
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@pytest.fixture(scope="module")
def vouched(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[Site]:
    oidc = {
        "issuer": issuer, "client_id": "qa", "client_secret": "client secret",
        "role_claim": "realm_access.roles", "roles": {"mtra": "technician", "boss": "admin"},
    }  # fmt: skip
    state = tmp_path_factory.mktemp("vouched") / "state"
    state.mkdir()
    site = started(state, {"oidc": oidc})
    yield site
    site.end()


def come_back(site: Site, who: str, *, begin: str = "/sign-in/oidc") -> httpx.Response:
    """Go to the provider, be vouched for as `who`, and come back in the same browser."""
    client = site.client()
    there = client.get(begin)
    assert there.status_code == 303, there.text
    with httpx.Client() as provider:
        back = provider.post(there.headers["location"], data={"who": who}).headers["location"]
    return client.get(back)


def test_who_is_vouched_for_is_a_user_with_the_mapped_role(vouched: Site) -> None:
    answer = come_back(vouched, "berta/mtra", begin="/sign-in/oidc?next=/account%3Fx=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert people.named(vouched.store, "berta").role == "technician"
    assert come_back(vouched, "berta/boss").status_code == 303
    assert people.named(vouched.store, "berta").role == "admin"


def test_who_has_no_role_is_not_let_in_and_the_audit_has_it(vouched: Site) -> None:
    answer = come_back(vouched, "carl/nothing")
    assert answer.status_code == 400
    assert "has no role here" in answer.text
    assert "set-cookie" not in answer.headers or "qa_session" not in answer.headers["set-cookie"]
    entry = audit_entries(vouched.store, 1)[0]
    assert (entry.who, entry.action, entry.outcome) == ("carl", "login", 4)


def test_a_local_user_is_never_taken_over_by_name(vouched: Site) -> None:
    people.add_local(vouched.store, "root", "correct horse battery", Role.ADMIN, BY)
    answer = come_back(vouched, "ROOT/boss")
    assert answer.status_code == 400
    assert "name of another user" in answer.text


def test_a_disabled_person_is_not_let_in_again(vouched: Site) -> None:
    assert come_back(vouched, "dora/mtra").status_code == 303
    people.disable(vouched.store, people.named(vouched.store, "dora"), BY)
    assert come_back(vouched, "dora/mtra").status_code == 400


@pytest.mark.parametrize(
    "wrong", ["issuer", "audience", "nonce", "time", "signature", "algorithm", "name"]
)
def test_a_token_that_is_wrong_in_any_way_is_refused(vouched: Site, wrong: str) -> None:
    answer = come_back(vouched, f"bad-{wrong}/boss")
    assert answer.status_code == 400
    assert "qa_session" not in answer.headers.get("set-cookie", "")


def test_a_code_is_of_use_only_in_the_browser_that_asked_for_it(vouched: Site) -> None:
    there = vouched.client().get("/sign-in/oidc").headers["location"]
    with httpx.Client() as provider:
        back = provider.post(there, data={"who": "eve/boss"}).headers["location"]
    assert vouched.client().get(back).status_code == 400
    other = vouched.client()
    other.get("/sign-in/oidc")
    assert other.get(back).status_code == 400


def test_a_provider_that_is_away_is_said_to_be(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "state").mkdir()
    oidc = {"issuer": f"http://127.0.0.1:{free_port}", "client_id": "qa", "client_secret": "x"}
    site = started(tmp_path / "state", {"oidc": oidc})
    answer = site.client().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert urlsplit(str(answer.url)).path == "/sign-in/oidc"
    site.end()
