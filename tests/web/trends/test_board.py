"""Trends in the browser and over HTTP, on what the pipeline has really found."""

import csv
import io
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from qa_daemon.store.review import issue_rows
from qa_daemon.store.tables import issues
from tests.web.conftest import Session, Site, sign_in

HOSTILE = '"><script>alert(1)</script>=HYPERLINK("x")'


@pytest.fixture(scope="module")
def technician(site: Site) -> Session:
    return site.signed_in("technician")


def first_issue(site: Site) -> tuple[str, str]:
    """Return rule and station of an issue of the site."""
    with site.store.reading() as connection:
        row = connection.execute(issues.select().limit(1)).mappings().one()
    return row["rule"], row["station"]


def test_the_page_counts_what_was_found(page: Page, technician: Session) -> None:
    sign_in(page)
    page.goto("/trends?days=7")
    expect(page.get_by_role("heading", name="Trends")).to_be_visible()
    told = technician.get("/trends/export.csv?days=7")
    assert told.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(told.text.removeprefix("\ufeff"), newline="")))
    assert sum(int(row["findings"]) for row in rows) > 0
    for row in rows:
        expect(page.get_by_role("link", name=row["rule"], exact=True).first).to_be_visible()
    page.get_by_role("link", name="as table").click()
    expect(page.get_by_role("columnheader", name="Verdicts given")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/trends", "/trends?table=1", "/trends/digest"])
def test_the_pages_are_open_to_everybody(page: Page, scheme: str, path: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sign_in(page)
    page.goto(path)
    assert Axe().run(page).response["violations"] == []


def test_a_press_on_a_day_shows_its_hours(page: Page) -> None:
    sign_in(page)
    page.goto("/trends?days=7")
    page.locator("svg.plot a").last.click()
    page.wait_for_url("**/trends?from=*")
    expect(page.locator("svg.plot").first.locator("g, a")).to_have_count(24)


@pytest.mark.parametrize(
    "query",
    ["days=0", "days=5000", "days=%D9%A7", "from=yesterday", "from=2026-01-02&to=2026-01-01",
     "from=0001-01-01&to=9999-12-31", "by=weather"],
)  # fmt: skip
def test_a_period_that_cannot_be_is_refused(technician: Session, query: str) -> None:
    assert technician.get(f"/trends?{query}").status_code == 400


def test_whatever_is_asked_for_stays_text(technician: Session) -> None:
    asked = urlencode({"station": HOSTILE, "rule": HOSTILE, "by": "station"})
    answer = technician.get(f"/trends?{asked}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert technician.get(f"/trends/export.csv?{asked}").status_code == 200


def test_a_rule_is_muted_at_a_station_with_a_reason_and_an_end(
    site: Site, technician: Session
) -> None:
    rule, station = first_issue(site)
    asked = urlencode({"rule": rule, "station": station})
    assert technician.get(f"/trends/mute?{asked}").status_code == 200
    fields = {"rule": rule, "station": station, "days": "7", "reason": " "}
    assert technician.post("/trends/mute", fields).status_code == 400
    done = technician.post("/trends/mute", {**fields, "reason": "protocol is being mended"})
    assert done.status_code == 303
    for issue in issue_rows.issues_at(site.store, rule, station, 10):
        with site.store.reading() as connection:
            own = issues.select().where(issues.c.issue_key == issue.key)
            assert connection.execute(own).mappings().one()["muted_until"] is not None
    assert technician.get("/trends/mute?rule=NO-1&station=").status_code == 404
    viewer = site.signed_in("viewer")
    assert viewer.get(f"/trends/mute?{asked}").status_code == 403


def test_screenshots_at_all_widths_and_themes(page: Page, tmp_path: Path) -> None:
    sign_in(page)
    for width, height in ((1024, 768), (1280, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/trends")
        content = page.screenshot(path=tmp_path / f"trends-{width}.png")
        assert len(content) > 10_000
        overflow = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert overflow is False
