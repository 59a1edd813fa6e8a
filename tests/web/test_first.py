"""A service without users prints a link that makes the first administrator, once."""

import re
from pathlib import Path

from playwright.sync_api import Browser

from qa_daemon.queue.accounts import people
from tests.web.conftest import PASSWORD, eventually, started


def test_the_first_start_prints_a_link_that_makes_the_administrator_once(
    tmp_path: Path, browser: Browser
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    site = started(state)
    eventually(lambda: "/first/" in site.log.read_text(), "the link is printed")
    found = re.search(rf"{site.url}(/first/\S+)", site.log.read_text())
    assert found is not None
    place = found[1]
    assert site.client().get("/first/made-up").status_code == 404
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto(place)
    page.fill("#name", "Root")
    page.fill("#password", "short")
    page.eval_on_selector("#password", "field => field.removeAttribute('minlength')")
    page.press("#password", "Enter")
    page.wait_for_selector("[role=alert]")
    assert "too short" in page.inner_text("[role=alert]")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/first/" not in url)
    assert people.named(site.store, "root").role == "admin"
    assert site.client().get(place).status_code == 404
    context.close()
    site.end()
