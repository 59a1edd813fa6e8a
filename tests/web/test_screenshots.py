"""The pages as they look, and that nothing of them runs off the screen.

QA_DAEMON_SCREENSHOTS=docs keeps the pictures of the README there. They show the demo's series: the
pip packages' pictures, and the drawn phantom, which says TEST IMAGE.
"""

import os
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from qa_daemon.store import result_rows
from qa_daemon.store.result_rows import FindingFilter
from tests.web.conftest import DEADLINE_S, Site, sign_in

SIZES: Final = ((1280, 800), (1024, 768))
#: The pictures that the README shows.
KEPT: Final = {("inbox", 1280, "light"): "queue.png", ("review", 1280, "dark"): "review.png"}


def reviewed(site: Site) -> str:
    """Return the place of a finding on the drawn phantom."""
    rows = result_rows.finding_list(site.store, FindingFilter(rule="ORIENT-005", is_open=True), 50)
    return f"/finding/{rows[0].id}"


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_fit_the_screen_in_both_themes(
    browser: Browser,
    site: Site,
    tmp_path: Path,
    size: tuple[int, int],
    theme: Literal["light", "dark"],
) -> None:
    folder = Path(os.environ.get("QA_DAEMON_SCREENSHOTS") or tmp_path)
    width, height = size
    context = browser.new_context(
        base_url=site.url, viewport={"width": width, "height": height}, color_scheme=theme
    )
    context.set_default_timeout(DEADLINE_S * 1000 / 2)
    page = context.new_page()
    sign_in(page)
    for name, place in (("inbox", "/inbox"), ("review", reviewed(site)), ("trends", "/trends")):
        page.goto(place)
        expect(page.locator("#main")).to_be_visible()
        page.locator("img").evaluate_all("all => Promise.all(all.map(each => each.decode()))")
        assert overflow(page) <= 0, name
        kept = KEPT.get((name, width, theme))
        shown = folder / kept if kept else tmp_path / f"{name}.png"
        page.screenshot(path=shown)
        assert shown.stat().st_size > 10_000
    context.close()
