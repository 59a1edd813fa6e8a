"""Signing in and out, by a browser and by hand."""

import httpx
from playwright.sync_api import Page

from tests.web.conftest import USERS, Site, csrf_in, sign_in


def test_nobody_sees_anything_but_health_before_the_sign_in(site: Site) -> None:
    client = site.client()
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").status_code == 200
    for path in ("/", "/account", "/nothing/of/the/kind"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
        assert client.get(path).status_code == 401


def test_a_person_signs_in_by_keyboard_comes_to_where_he_wanted_and_out(page: Page) -> None:
    page.goto("/account?x=1")
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("technician")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account?x=1")
    assert "technician" in page.inner_text("main")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.goto("/account")
    assert "/sign-in" in page.url


def test_each_role_signs_in(site: Site) -> None:
    for name in USERS:
        assert name in site.signed_in(name).get("/account").text


def test_a_wrong_password_and_an_unknown_name_are_answered_the_same(site: Site) -> None:
    def said(name: str, password: str) -> str:
        client = site.client()
        token = csrf_in(client.get("/sign-in").text)
        given = {"name": name, "password": password, "csrf": token}
        answer = client.post("/sign-in", data=given)
        assert answer.status_code == 401
        return answer.text.replace(csrf_in(answer.text), "").replace(name, "")

    assert said("viewer", "not the password") == said("nobody", "not the password")


def test_a_form_of_another_visit_is_refused(site: Site) -> None:
    one, other = site.client(), site.client()
    foreign = csrf_in(other.get("/sign-in").text)
    one.get("/sign-in")
    given = {"name": "viewer", "password": "x", "csrf": foreign}
    assert one.post("/sign-in", data=given).status_code == 403
    assert one.post("/sign-in", data={**given, "csrf": ""}).status_code == 403


def test_every_answer_tells_the_browser_what_to_refuse(site: Site) -> None:
    answers: list[httpx.Response] = [site.signed_in().get("/account")]
    with site.client() as client:
        answers += [
            client.get(path) for path in ("/sign-in", "/healthz", "/x", "/static/queue.css")
        ]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["server"] == "qa-daemon"


def test_the_sign_in_page_states_the_intended_use(page: Page) -> None:
    page.goto("/sign-in")
    assert "Not a medical device" in page.inner_text("main")
    sign_in(page)
