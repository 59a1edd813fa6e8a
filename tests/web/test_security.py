"""What somebody with bad intentions tries, against the real service."""

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import update
from starlette.routing import BaseRoute, Mount, Route

from qa_daemon.queue.accounts import people, tokens
from qa_daemon.queue.accounts.permissions import Permission, Role
from qa_daemon.queue.accounts.signing_in import FAILURES_FREE
from qa_daemon.queue.accounts.tokens import Scope, Wanted
from qa_daemon.store.accounts.tables import sessions
from qa_daemon.store.audit.chain import verdict
from qa_daemon.store.audit.entries import audit_entries, entries_after
from qa_daemon.web.app import PARTS
from qa_daemon.web.endpoints import PERMISSION
from tests.programs import system_program
from tests.web.conftest import BY, PASSWORD, Site, csrf_in, sign_in, started

HOSTILE: Final = (
    "<script>document.title='taken'</script>",
    "\"'><img src=x onerror=document.title='taken'>",
    "{{ 7 * 7 }}",
    "\u202eabc",
)
PAGE: Final = {"Accept": "text/html"}


# --- who has not signed in, or may not -----------------------------------------------------------


def every_route() -> Iterator[Route]:
    waiting: list[BaseRoute] = [route for part in PARTS for route in part()]
    while waiting:
        route = waiting.pop()
        if isinstance(route, Mount):
            waiting += route.routes
        elif isinstance(route, Route):
            yield route


def test_no_page_but_health_and_the_sign_in_answers_who_has_not_signed_in(site: Site) -> None:
    client, shown = site.client(), set()
    for route in every_route():
        path = route.path.replace("{secret}", "x").replace("{id:int}", "1")
        for method in (route.methods or {"GET"}) - {"HEAD"}:
            if "{" in path:
                continue
            answer = client.request(method, path)
            if answer.status_code not in {303, 400, 401, 403, 404}:
                shown.add(path)
    assert shown == {"/healthz", "/readyz", "/sign-in"}


def test_a_viewer_is_refused_whatever_needs_more(site: Site) -> None:
    viewer = site.signed_in("viewer")
    tried = 0
    for route in every_route():
        needed = getattr(route.endpoint, PERMISSION)
        if needed in {None, Permission.SEE} or "{" in route.path.replace("{id:int}", ""):
            continue
        path = route.path.replace("{id:int}", "1")
        for method in (route.methods or {"GET"}) - {"HEAD"}:
            answer = viewer.client.request(method, path, headers={"X-CSRF-Token": viewer.csrf})
            assert answer.status_code == 403, (method, path)
            tried += 1
    assert tried > 10


def test_the_role_is_asked_for_at_each_request(copy_of: Path) -> None:
    site = started(copy_of)
    admin = site.signed_in("admin")
    assert admin.get("/admin/users").status_code == 200
    people.add_local(site.store, "second", PASSWORD, Role.ADMIN, BY)
    people.set_role(site.store, people.named(site.store, "admin"), Role.VIEWER, BY)
    assert admin.get("/admin/users").status_code == 403
    site.end()


def test_unknown_and_guessed_ids_are_answered_alike(site: Site) -> None:
    admin = site.signed_in("admin")
    said = {
        admin.get(path, headers=PAGE).text.replace(path, "")
        for path in ("/nothing", "/admin/nothing", "/admin/users/999999999999/role/x")
    }
    assert len(said) == 1
    for number in ("0", "999999", "99999999999999999999"):
        answer = admin.post(f"/admin/users/{number}/disable")
        assert answer.status_code == 404, number
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc",
    ):
        assert admin.get(path).status_code == 404


# --- forms of others -----------------------------------------------------------------------------


def test_a_form_without_the_right_token_changes_nothing(site: Site) -> None:
    admin, other = site.signed_in("admin"), site.signed_in("admin")
    fields = {"name": "mallory", "password": PASSWORD, "role": "admin"}
    for token in ("", "0" * 64, other.csrf, "\u00e9"):
        answer = admin.client.post("/admin/users", data={**fields, "csrf": token})
        assert answer.status_code == 403
    assert admin.client.post("/admin/users", json=fields).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": admin.csrf}
    assert admin.client.post("/admin/users", data=fields, headers=foreign).status_code == 403
    assert "mallory" not in admin.get("/admin/users").text


def test_nothing_is_changed_by_following_a_link(site: Site) -> None:
    admin = site.signed_in("admin")
    assert admin.get("/sign-out").status_code == 405
    assert admin.get("/admin/users/1/disable").status_code == 405


# --- cookies -------------------------------------------------------------------------------------


def test_a_cookie_that_was_changed_or_made_up_is_nobodys(site: Site) -> None:
    real = site.signed_in().client.cookies["qa_session"]
    secret, _, signature = real.rpartition(".")
    for value in (
        secret,
        real[:-1],
        real + "x",
        f"x{secret}.{signature}",
        "",
        "\x7f",
        "a" * 60_000,
    ):
        answer = httpx.get(f"{site.url}/account", headers={"Cookie": f"qa_session={value}"})
        assert answer.status_code in {400, 401, 431}
    answer = httpx.get(f"{site.url}/account", headers={"Cookie": f"qa_session={real}"})
    assert answer.status_code == 200


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Site) -> None:
    client = site.client()
    token = csrf_in(client.get("/sign-in").text)
    given = {"name": "viewer", "password": PASSWORD, "csrf": token}
    cookie = client.post("/sign-in", data=given).headers["set-cookie"]
    assert "; Path=/; HttpOnly; SameSite=Lax" in cookie


def test_a_session_given_by_somebody_else_is_not_the_one_that_is_signed_in(site: Site) -> None:
    mallory = site.signed_in("viewer").client.cookies["qa_session"]
    victim = site.client()
    victim.cookies.set("qa_session", mallory, domain="127.0.0.1")
    mine = victim.get("/account")
    assert mine.status_code == 200
    fresh = site.client()
    before = fresh.get("/sign-in").cookies["qa_visit"]
    given = {"name": "admin", "password": PASSWORD, "csrf": csrf_in(fresh.get("/sign-in").text)}
    fresh.post("/sign-in", data=given)
    assert fresh.cookies["qa_session"] not in {before, mallory}
    assert "qa_visit" not in fresh.cookies


def test_who_signs_out_is_out_even_with_the_old_cookie(site: Site) -> None:
    session = site.signed_in()
    real = session.client.cookies["qa_session"]
    answer = session.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    again = httpx.get(f"{site.url}/account", headers={"Cookie": f"qa_session={real}"})
    assert again.status_code == 401


def test_an_ended_session_leads_back_to_where_it_was(copy_of: Path) -> None:
    site = started(copy_of, {"session_idle_s": 180})
    session = site.signed_in("admin")
    ago = datetime.now(UTC) - timedelta(seconds=181)
    with site.store.writing() as connection:
        connection.execute(update(sessions).values(seen_at=ago))
    assert session.get("/account").status_code == 401
    led = session.get("/account?x=1", headers=PAGE)
    assert led.headers["location"] == "/sign-in?next=%2Faccount%3Fx%3D1"
    assert session.post("/admin/users", {"name": "late"}).status_code == 401
    site.end()


# --- guessing ------------------------------------------------------------------------------------


def test_guessing_is_slowed_down_and_told_in_the_audit(copy_of: Path) -> None:
    site = started(copy_of)
    client = site.client()
    given = {"name": "viewer", "csrf": csrf_in(client.get("/sign-in").text)}
    for number in range(FAILURES_FREE + 4):
        assert (
            client.post("/sign-in", data={**given, "password": f"guess {number}"}).status_code
            == 401
        )
    assert client.post("/sign-in", data={**given, "password": PASSWORD}).status_code == 401
    failed = [each for each in audit_entries(site.store, 20) if each.outcome == 4]
    assert len(failed) == FAILURES_FREE + 5
    assert {each.address for each in failed} == {"127.0.0.1"}
    assert verdict(entries_after(site.store)).broken is None
    site.end()


# --- where a sign-in leads -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
     "/\t/evil.example", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "http:evil.example",
     "/" * 3000, "", "account"],
)  # fmt: skip
def test_a_sign_in_never_leads_to_another_site(site: Site, wanted: str) -> None:
    client = site.client()
    page = client.get("/sign-in", params={"next": wanted})
    given = {"name": "viewer", "password": PASSWORD, "csrf": csrf_in(page.text), "next": wanted}
    answer = client.post("/sign-in", data=given)
    assert answer.headers["location"] == "/"
    assert "a=b" not in answer.headers.get("set-cookie", "")


# --- requests ------------------------------------------------------------------------------------


def test_another_name_of_this_machine_is_refused(site: Site) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "", "a@b", "[::1"):
        answer = httpx.get(f"{site.url}/sign-in", headers={"Host": host})
        assert answer.status_code == 400, host
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.9.9.9"}
    answer = httpx.get(f"{site.url}/account", headers={**forwarded, **PAGE})
    assert answer.headers["location"].startswith("/sign-in")


def test_an_address_that_is_not_listed_is_refused(copy_of: Path) -> None:
    site = started(copy_of, {"addresses": ["10.0.0.0/8"]})
    assert site.client().get("/sign-in").status_code == 403
    assert site.client().get("/healthz").status_code == 200
    site.end()


def test_bodies_beyond_the_bound_are_not_read(site: Site) -> None:
    session = site.signed_in("admin")
    headers = {"X-CSRF-Token": session.csrf}
    large = b"a" * ((1 << 20) + 1)
    assert session.client.post("/admin/users", content=large, headers=headers).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"a" * (64 << 10)

    with contextlib.suppress(httpx.WriteError):  # it may close before all was sent
        answer = session.client.post("/admin/users", content=endless(), headers=headers)
        assert answer.status_code == 413
    many = "&".join(f"f{number}=" for number in range(6000))
    kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    assert session.client.post("/admin/users", content=many, headers=kind).status_code == 400


def test_a_request_that_dribbles_is_cut_off(copy_of: Path) -> None:
    site = started(copy_of, {"request_timeout_s": 0.5})
    port = int(site.url.rpartition(":")[2])
    head = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nabc"
    for begun in (b"", b"GET / HTTP/1.1\r\nHost: local", head):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
            begins = monotonic()
            slow.sendall(begun)
            with contextlib.suppress(ConnectionResetError):
                while slow.recv(4096):
                    pass
            assert monotonic() - begins < 20
    site.end()


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE[:3])
def test_a_hostile_name_is_shown_and_does_nothing(site: Site, page: Page, name: str) -> None:
    people.add_local(site.store, name[:64], PASSWORD, Role.VIEWER, BY)
    sign_in(page, "admin")
    page.goto("/admin/users")
    assert name[:64] in page.inner_text("table")
    assert page.title() == "Users"
    assert page.locator("table script, table img").count() == 0


def test_names_of_any_size_are_refused_in_words(site: Site) -> None:
    admin = site.signed_in("admin")
    for name in (*HOSTILE[3:], "a\0b", "x" * 65_536):
        fields = {"name": name, "password": PASSWORD, "role": "viewer"}
        answer = admin.post("/admin/users", fields)
        assert answer.status_code == 400, name[:20]
        assert "user name: " in answer.text
    client = site.client()
    given = {"name": "\0" * 70_000, "password": "\ud800".encode("utf-8", "surrogatepass") * 1000}
    answer = client.post("/sign-in", data={**given, "csrf": csrf_in(client.get("/sign-in").text)})
    assert answer.status_code == 401


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_reads_what_it_may_and_no_more(site: Site) -> None:
    user = people.named(site.store, "admin")
    wanted = Wanted(label="reader", scopes=(Scope.READ,), days=None)
    headers = {"Authorization": f"Bearer {tokens.issue(site.store, user, wanted, BY)}"}
    client = site.client()
    assert client.get("/account", headers=headers).status_code == 200
    assert client.get("/admin/users", headers=headers).status_code == 403
    for wrong in ("qad_x", "Bearer", headers["Authorization"][7:] + "x"):
        bad = {"Authorization": f"Bearer {wrong}"}
        assert client.get("/account", headers=bad).status_code == 401
    # A token that is wrong is not made good by a cookie beside it.
    session = site.signed_in("admin")
    assert session.get("/account", headers={"Authorization": "Bearer x"}).status_code == 401


# --- TLS -----------------------------------------------------------------------------------------


def test_over_tls_cookies_are_secure_and_bound_to_the_host(copy_of: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(  # noqa: S603  openssl of the system
        [system_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    site = started(copy_of, {"tls": {"certificate": str(certificate), "private_key": str(key)}})
    trusting = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(base_url=site.url, verify=trusting, timeout=60) as client:
        page = client.get("/sign-in")
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        given = {"name": "viewer", "password": PASSWORD, "csrf": csrf_in(page.text)}
        cookie = client.post("/sign-in", data=given).headers["set-cookie"]
        assert cookie.startswith("__Host-qa_session=")
        assert "; Secure" in cookie
        assert client.get("/account").status_code == 200
    site.end()
