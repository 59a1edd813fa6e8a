"""The inbox in a real browser: worked by keyboard, by two at once, with hostile names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select, update

from qa_daemon.store.listing.listed_rows import sought
from qa_daemon.store.listing.tables import listed
from tests.web.conftest import DEADLINE_S, Site, sign_in

#: What WCAG 2.2 asks for, as axe names it.
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OPTIONS = {"runOnly": {"type": "tag", "values": STANDARDS}}
HOSTILE = (
    "<script>document.title='taken'</script>",
    "\u202eDoe^Reversed\u202c <img src=x onerror=alert(1)>",
    "A\x1b[31mB\x07C",
    "عبد^الله",
    "W" * 250,
)
#: Pages that are there without a finding's own.
PAGES = (
    "/inbox",
    "/inbox?view=safety&modality=CT&sort=count",
    "/muted",
    "/history",
    "/preferences",
)


@pytest.fixture
def inbox(page: Page) -> Page:
    sign_in(page)
    page.goto("/inbox")
    return page


@pytest.fixture
def colleague(browser: Browser, site: Site) -> Iterator[Page]:
    """A second person, in a browser of their own."""
    made: BrowserContext = browser.new_context(base_url=site.url)
    made.set_default_timeout(DEADLINE_S * 1000 / 2)
    page = made.new_page()
    sign_in(page, "approver")
    page.goto("/inbox")
    yield page
    made.close()


def lines(page: Page) -> int:
    return page.locator("#rows tr.line").count()


def in_hand(page: Page) -> str:
    return str(page.locator("#rows tr.line[aria-current]").get_attribute("data-line"))


def dialog(page: Page) -> None:
    page.locator("dialog#dialog[open]").wait_for()


def test_the_list_says_what_is_wrong_how_badly_and_counts_it(inbox: Page) -> None:
    assert lines(inbox) > 3
    first = inbox.locator("#rows tr.line").first
    expect(first.locator("svg.sev")).to_have_attribute("aria-label", re.compile("Critical|Major"))
    head = inbox.locator("#lhead").inner_text()
    assert int(re.findall(r"(\d+) lines?", head)[0]) == lines(inbox)
    shown = inbox.locator("[data-view=open]").inner_text()
    assert f"{shown} finding" in head


def test_a_line_shows_a_picture_of_its_series(inbox: Page) -> None:
    picture = inbox.locator("#rows tr.line img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 96)


def test_the_keys_walk_down_the_list_and_open_what_is_in_hand(inbox: Page) -> None:
    first = in_hand(inbox)
    inbox.keyboard.press("j")
    second = in_hand(inbox)
    assert first != second
    inbox.keyboard.press("k")
    assert in_hand(inbox) == first
    inbox.keyboard.press("ArrowDown")
    assert in_hand(inbox) == second
    inbox.keyboard.press("Enter")
    inbox.wait_for_url("**/finding/*")
    inbox.go_back()
    inbox.wait_for_url("**/inbox")
    assert in_hand(inbox) == second


def test_a_letter_does_nothing_in_a_field_or_with_a_modifier(inbox: Page) -> None:
    first = in_hand(inbox)
    inbox.keyboard.press("Control+j")
    inbox.keyboard.press("Alt+j")
    assert in_hand(inbox) == first
    inbox.keyboard.press("/")
    inbox.keyboard.type("jjj")
    assert in_hand(inbox) == first
    assert inbox.input_value("input[type=search]") == "jjj"


def test_g_and_a_letter_lead_to_another_page(inbox: Page) -> None:
    inbox.keyboard.press("g")
    inbox.keyboard.press("m")
    inbox.wait_for_url("**/muted")
    inbox.keyboard.press("g")
    inbox.keyboard.press("i")
    inbox.wait_for_url("**/inbox")


def test_the_sheet_shows_all_keys_and_finds_one(inbox: Page) -> None:
    inbox.keyboard.press("?")
    sheet = inbox.locator("#keysheet")
    expect(sheet).to_be_visible()
    everything = sheet.locator("li:visible").count()
    inbox.keyboard.type("undo")
    expect(sheet.locator("li", has_text="next").first).not_to_be_visible()
    assert 0 < sheet.locator("li:visible").count() < everything
    inbox.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()


def test_a_filter_lives_in_the_address_and_is_taken_away_again(inbox: Page) -> None:
    everything = lines(inbox)
    inbox.locator("summary", has_text="Severity").click()
    inbox.locator("details[open] a", has_text="Minor").click()
    inbox.wait_for_url("**severity=minor")
    assert 0 < lines(inbox) < everything
    inbox.reload()
    assert "severity=minor" in inbox.url
    inbox.locator("a.chip.on", has_text="Severity").click()
    inbox.wait_for_url("**/inbox")
    assert lines(inbox) == everything


def test_a_search_finds_a_part_of_the_name_and_says_when_nothing_fits(
    inbox: Page, site: Site
) -> None:
    with site.store.reading() as connection:
        name = connection.scalar(select(listed.c.patient_name).where(listed.c.patient_name != ""))
    assert name
    inbox.fill("input[type=search]", name.split("^")[0].lower())
    inbox.keyboard.press("Enter")
    inbox.wait_for_url("**q=*")
    assert lines(inbox) > 0
    inbox.goto("/inbox?q=nobody+is+called+so")
    expect(inbox.locator("#rows")).to_contain_text("Nothing fits this filter.")


def test_a_view_is_saved_counted_and_removed(inbox: Page) -> None:
    inbox.goto("/inbox?severity=major")
    inbox.click("text=Save this view")
    inbox.keyboard.type("The worst")
    inbox.keyboard.press("Enter")
    view = inbox.locator(".views a", has_text="The worst")
    expect(view).to_have_attribute("aria-current", "true")
    assert int(view.locator(".tally").inner_text()) > 0
    inbox.click("text=Remove this view")
    inbox.wait_for_url("**/inbox")
    expect(view).to_have_count(0)


def test_lines_are_accepted_at_one_blow_and_one_undo_brings_them_back(inbox: Page) -> None:
    before = lines(inbox)
    inbox.keyboard.press("Shift+J")
    expect(inbox.locator("#picked")).to_have_text("2 lines selected")
    inbox.keyboard.press("a")
    dialog(inbox)
    expect(inbox.locator("dialog#dialog")).to_contain_text("The list was frozen at")
    inbox.keyboard.press("a")
    expect(inbox.locator("#toast")).to_contain_text("accepted")
    expect(inbox.locator("#rows tr.line")).to_have_count(before - 2)
    inbox.keyboard.press("u")
    expect(inbox.locator("#toast")).to_contain_text("open again")
    expect(inbox.locator("#rows tr.line")).to_have_count(before)


def test_a_line_is_rejected_with_a_reason_by_its_digit(inbox: Page) -> None:
    before = lines(inbox)
    inbox.keyboard.press("x")
    dialog(inbox)
    inbox.keyboard.press("1")
    inbox.locator("dialog#dialog button.pri").click()
    expect(inbox.locator("#rows tr.line")).to_have_count(before - 1)
    inbox.goto("/history")
    expect(inbox.locator("table")).to_contain_text("The tags are right")
    inbox.locator("button", has_text="Undo").first.click()
    expect(inbox.locator("table")).to_contain_text("undone")
    inbox.goto("/inbox")
    assert lines(inbox) == before


def test_a_mute_names_its_matcher_hides_its_lines_and_ends(inbox: Page) -> None:
    before = lines(inbox)
    inbox.keyboard.press("z")
    dialog(inbox)
    expect(inbox.locator("dialog#dialog")).to_contain_text(re.compile("Rule [A-Z]+-[0-9]+ on"))
    expect(inbox.locator("dialog#dialog")).to_contain_text("Hides 1 line")
    inbox.keyboard.type("vendor ticket 4711")
    inbox.keyboard.press("Enter")
    expect(inbox.locator("#toast")).to_contain_text("1 line muted.")
    expect(inbox.locator("#rows tr.line")).to_have_count(before - 1)
    inbox.goto("/muted")
    expect(inbox.locator("table")).to_contain_text("vendor ticket 4711")
    inbox.click("text=End the mute")
    inbox.wait_for_url("**/issue/*")
    inbox.goto("/inbox")
    assert lines(inbox) == before


def test_of_two_people_the_slower_is_told_and_writes_nothing(inbox: Page, colleague: Page) -> None:
    inbox.keyboard.press("a")
    dialog(inbox)
    colleague.keyboard.press("a")
    dialog(colleague)
    colleague.keyboard.press("a")
    expect(colleague.locator("#toast")).to_contain_text("accepted")
    inbox.keyboard.press("a")
    expect(inbox.locator("dialog#dialog")).to_contain_text("approver was faster")
    colleague.keyboard.press("u")
    expect(colleague.locator("#toast")).to_contain_text("open again")


def test_what_a_colleague_decides_changes_the_counts_without_moving_a_line(
    inbox: Page, colleague: Page
) -> None:
    before, shown = inbox.locator("[data-view=open]").inner_text(), lines(inbox)
    colleague.keyboard.press("a")
    dialog(colleague)
    colleague.keyboard.press("a")
    expect(colleague.locator("#toast")).to_contain_text("accepted")
    expect(inbox.locator("[data-view=open]")).not_to_have_text(before)
    assert lines(inbox) == shown
    colleague.keyboard.press("u")
    expect(inbox.locator("[data-view=open]")).to_have_text(before)


def test_a_viewer_sees_pseudonyms_and_may_decide_nothing(page: Page, site: Site) -> None:
    sign_in(page, "viewer")
    page.goto("/inbox")
    with site.store.reading() as connection:
        names = set(connection.scalars(select(listed.c.patient_name)))
    text = page.inner_text("#rows")
    assert "Patient " in text
    assert not [name for name in names if name and name in text]
    page.keyboard.press("Shift+J")
    expect(page.locator("#pickbar")).to_contain_text("You may look, but not decide.")
    refused = site.signed_in("viewer").post("/inbox/decide", {"selection": "1@1"})
    assert refused.status_code == 403


def test_a_patient_has_the_same_pseudonym_in_the_list_and_on_the_page(page: Page) -> None:
    sign_in(page, "viewer")
    page.goto("/inbox")
    listed_as = page.locator("#rows tr.line .c-patient").first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/finding/*")
    expect(page.locator(".patient b")).to_have_text(listed_as)


def test_hostile_names_are_shown_and_do_nothing(inbox: Page, site: Site) -> None:
    with site.store.writing() as connection:
        ids = connection.scalars(select(listed.c.finding_id)).all()
        for number, finding_id in enumerate(ids):
            name = HOSTILE[number % len(HOSTILE)][:256]
            values = {"patient_name": name, "station": name, "sought": sought(name)}
            own = listed.c.finding_id == finding_id
            connection.execute(update(listed).where(own).values(values))
    inbox.goto("/inbox")
    assert inbox.title() != "taken"
    assert inbox.locator("#rows img[src=x]").count() == 0
    text = inbox.inner_text("#rows")
    assert "<script>" in text
    assert not re.search("[\x00-\x08\x1b\u202e]", text)
    row = inbox.locator("#rows tr.line").first.bounding_box()
    assert row is not None
    assert row["height"] <= 42
    width = inbox.evaluate("document.documentElement.scrollWidth")
    assert width == 1280
    inbox.goto("/inbox?q=%3Cscript%3E")
    assert lines(inbox) > 0
    assert inbox.title() != "taken"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(page: Page, language: str, theme: str) -> None:
    sign_in(page, "admin")  # whose language no other test reads
    page.goto("/preferences")
    page.check(f"input[name=language][value={language}]", force=True)
    page.check(f"input[name=theme][value={theme}]", force=True)
    page.locator("form[action='/preferences'] button[type=submit]").click()
    for path in PAGES:
        page.goto(path)
        assert page.get_attribute("html", "lang") == language
        assert page.get_attribute("html", "data-theme") == theme
        found = Axe().run(page, options=OPTIONS).response["violations"]
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in found] == []
    page.goto("/inbox")
    page.keyboard.press("z")
    dialog(page)
    found = Axe().run(page, options=OPTIONS).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


@pytest.mark.parametrize("size", [(1024, 768), (640, 800), (320, 640)])
def test_smaller_screens_and_larger_text_scroll_one_way_only(
    page: Page, size: tuple[int, int]
) -> None:
    """640 is 1280 at 200 % text, 320 the same at 400 %."""
    sign_in(page)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/inbox")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    box = page.locator("#rows tr.line").first.bounding_box()
    assert box is not None
    assert box["height"] >= 40


def test_a_key_that_a_person_has_changed_works_and_letters_can_be_switched_off(
    inbox: Page,
) -> None:
    inbox.goto("/preferences")
    inbox.fill("#key-next", "n")
    inbox.locator("form[action='/preferences'] button[type=submit]").click()
    inbox.goto("/inbox")
    first = in_hand(inbox)
    inbox.keyboard.press("j")
    assert in_hand(inbox) == first
    inbox.keyboard.press("n")
    assert in_hand(inbox) != first
    inbox.goto("/preferences")
    inbox.fill("#key-next", "k")
    inbox.locator("form[action='/preferences'] button[type=submit]").click()
    expect(inbox.locator("[role=alert].ban.c")).to_contain_text("Two acts would have one key")
    inbox.goto("/preferences")
    inbox.fill("#key-next", "j")
    inbox.uncheck("input[name=single_keys]")
    inbox.locator("form[action='/preferences'] button[type=submit]").click()
    inbox.goto("/inbox")
    first = in_hand(inbox)
    inbox.keyboard.press("j")
    assert in_hand(inbox) == first
    inbox.keyboard.press("ArrowDown")
    assert in_hand(inbox) != first
    inbox.goto("/preferences")
    inbox.check("input[name=single_keys]")
    inbox.locator("form[action='/preferences'] button[type=submit]").click()


def test_an_issue_shows_its_findings_and_comes_back_after_it_was_called_mended(
    inbox: Page, site: Site
) -> None:
    key = in_hand(inbox)
    inbox.goto(f"/issue/{key}")
    expect(inbox.locator("h1")).not_to_be_empty()
    inbox.click("text=Resolved…")
    inbox.keyboard.type("protocol revision 12")
    inbox.keyboard.press("Enter")
    expect(inbox.locator(".pagehead .tag")).to_have_text("Resolved")
    expect(inbox.locator(".facts")).to_contain_text("protocol revision 12")
    assert site.signed_in().get("/issue/nothing").status_code == 404


def test_events_hold_ids_and_counts_and_no_patient(site: Site) -> None:
    session = site.signed_in()
    with session.client.stream("GET", "/inbox/events?since=0") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        said = ""
        for part in answer.iter_text():
            said += part
            if "data: " in said and said.endswith("\n\n"):
                break
    assert re.search(r"id: \d+-\d+\nevent: queue\n", said)
    with site.store.reading() as connection:
        names = connection.scalars(select(listed.c.patient_name)).all()
    assert not [name for name in names if name and name in said]


def test_the_script_is_small_and_comes_from_here(site: Site) -> None:
    folder = Path(__file__).parents[2] / "qa_daemon" / "web" / "static"
    scripts = list(folder.glob("*.js"))
    assert sum(path.stat().st_size for path in scripts) < 80_000
    assert max(path.stat().st_size for path in scripts) < 40_000
    assert not [
        path for path in scripts if "http:" in path.read_text() or "https:" in path.read_text()
    ]
    assert site.client().get("/static/queue.js").status_code == 200
