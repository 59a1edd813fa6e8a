"""A session that is about to end says so, goes on at a key press, and ends in words."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page
from sqlalchemy import update

from qa_daemon.store.accounts.tables import sessions
from tests.web.conftest import Site, sign_in


def seen(site: Site, seconds: float) -> None:
    """Let all sessions have been used last so long ago."""
    ago = datetime.now(UTC) - timedelta(seconds=seconds)
    with site.store.writing() as connection:
        connection.execute(update(sessions).values(seen_at=ago))


def test_a_session_warns_goes_on_and_ends_in_words(site: Site, page: Page) -> None:
    idle_s = site.settings.web.session_idle_s
    sign_in(page)
    page.goto("/account")
    page.wait_for_load_state("networkidle")  # whatever the inbox still asked for is a sign of life
    seen(site, idle_s - 100)
    # The page as it stands two minutes before the end; its own request keeps no session.
    page.set_extra_http_headers({"X-QA-Background": "1"})
    page.goto("/account")
    page.wait_for_selector("#session-notice[open]")
    assert "signed out in less than two minutes" in page.inner_text("#session-notice")
    page.set_extra_http_headers({})
    page.keyboard.press("Enter")
    page.wait_for_selector("#session-notice:not([open])", state="attached")
    assert page.request.get("/account/session").status == 200
    seen(site, idle_s - 100)
    page.set_extra_http_headers({"X-QA-Background": "1"})
    page.goto("/account?kept=1")
    page.wait_for_selector("#session-notice[open]")
    seen(site, idle_s + 1)
    page.wait_for_selector("#session-notice [data-when=ended]:not([hidden]) >> nth=0")
    assert "not sent" in page.inner_text("#session-notice")
    page.click("text=Sign in again")
    page.wait_for_url("**/sign-in?next=**")
