"""A technician reviews findings: pictures and letters, verdicts, other people, and trouble."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select, update

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.letters import edge_letters
from qa_daemon.geometry.orientation import compose
from qa_daemon.geometry.placement import turned_cosines
from qa_daemon.queue.reviewing.hanging import VIEW_TURNS
from qa_daemon.records.finding import Change
from qa_daemon.store import result_rows
from qa_daemon.store.audit.entries import audit_entries
from qa_daemon.store.result_rows import FindingFilter, FindingRow
from qa_daemon.store.review import decision_rows
from qa_daemon.store.tables import instances, series
from tests.web.conftest import Site, sign_in

EDGES: Final = {"left": 0, "right": 1, "top": 2, "bottom": 3}
ORIENTATION: Final = "ORIENT-005"


def findings(site: Site, rule: str) -> list[FindingRow]:
    """Return the open findings of a rule, with their suggestions."""
    rows = result_rows.finding_list(site.store, FindingFilter(rule=rule, is_open=True), 100)
    whole = [result_rows.finding_row(site.store, row.id) for row in rows]
    return [row for row in whole if row is not None]


def flipped(site: Site) -> FindingRow:
    """Return an open finding whose picture hangs otherwise than its tag says."""
    return findings(site, ORIENTATION)[0]


def cosines_of(change: Change, *, proposed: bool) -> Cosines:
    values = change.proposed if proposed else change.current
    numbers = [float(str(value)) for value in values or ()]
    x, y, z, a, b, c = numbers
    return Cosines((x, y, z), (a, b, c))


def drawn(page: Page, side: str) -> tuple[int, dict[str, str]]:
    """Return the turn of a picture on the page, and the letters at its edges."""
    film = page.locator(f".film[data-side={side}]")
    turn = int(film.locator(".turn").get_attribute("data-turn") or "-1")
    letters = {
        edge: film.locator(f".lt[data-edge='{at}']").inner_text() for edge, at in EDGES.items()
    }
    return turn, letters


def expected(cosines: Cosines, turn: int) -> dict[str, str]:
    """Return the letters that geometry puts at the edges of a turned picture."""
    turned = turned_cosines(cosines, turn)
    letters = edge_letters(turned.row, turned.column)
    return {edge: getattr(letters, edge) for edge in EDGES}


def opened(page: Page, row: FindingRow, name: str = "technician") -> None:
    if page.url == "about:blank":
        sign_in(page, name)
    page.goto(f"/finding/{row.id}")
    page.wait_for_load_state("networkidle")


def iop(row: FindingRow) -> Change:
    assert row.finding.suggestion is not None
    return next(
        change
        for change in row.finding.suggestion.changes
        if change.attribute == "ImageOrientationPatient"
    )


def test_the_letters_of_both_pictures_are_those_of_the_geometry(site: Site, page: Page) -> None:
    for row in findings(site, ORIENTATION)[:3]:
        opened(page, row)
        for side, proposed in (("tagged", False), ("suggested", True)):
            turn, letters = drawn(page, side)
            assert letters == expected(cosines_of(iop(row), proposed=proposed), turn)
            assert (letters["top"][0], letters["left"][0]) == ("A", "R")
        assert drawn(page, "tagged")[0] != drawn(page, "suggested")[0]


def test_view_turns_move_the_letters_with_the_picture_and_are_gone_with_the_next_item(
    site: Site, page: Page
) -> None:
    row = flipped(site)
    opened(page, row)
    base, _ = drawn(page, "suggested")
    view = 0
    for key in "vhrlrrhv":
        page.keyboard.press(key)
        view = compose(VIEW_TURNS[key], view)
        turn, letters = drawn(page, "suggested")
        assert turn == compose(view, base)
        assert letters == expected(cosines_of(iop(row), proposed=True), turn)
        assert page.locator("[data-view]").first.is_visible() == (view != 0)
    page.keyboard.press("h")
    assert page.locator("[data-view]").first.is_visible()
    page.keyboard.press("j")
    page.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    assert not page.locator("[data-view]").first.is_visible()


def test_stored_blink_window_and_zoom_change_what_is_seen_and_nothing_else(
    site: Site, page: Page
) -> None:
    row = flipped(site)
    opened(page, row)
    hung = drawn(page, "suggested")
    page.keyboard.press("o")
    turn, letters = drawn(page, "suggested")
    assert turn == 0
    assert letters == expected(cosines_of(iop(row), proposed=True), 0)
    page.keyboard.press("o")
    assert drawn(page, "suggested") == hung
    page.keyboard.press("Space")
    assert drawn(page, "tagged") == hung
    page.keyboard.press("Space")
    assert drawn(page, "tagged") != hung
    page.keyboard.press("+")
    assert "scale(1.25)" in str(page.locator(".pan").first.get_attribute("style"))
    page.keyboard.press("=")
    assert "scale(1)" in str(page.locator(".pan").first.get_attribute("style"))
    assert result_rows.finding_row(site.store, row.id) == row


def test_a_stack_is_walked_by_keys_wheel_and_slider_and_ticks_stay_in_it(
    site: Site, page: Page
) -> None:
    row = findings(site, "GEOM-006")[0]
    opened(page, row)
    pictures = json.loads(page.locator("#review").get_attribute("data-stack") or "")["pictures"]
    assert len(pictures) > 12
    place = page.locator("[data-place]").first

    def position() -> int:
        found = re.search(r"\d+", place.inner_text())
        assert found is not None
        return int(found[0])

    first = position()
    page.keyboard.press("]")
    assert position() == first + 1
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert position() == first - 1
    page.locator(".film .box").first.hover()
    page.mouse.wheel(0, 100)
    expect(place).to_contain_text(f"{first} ")
    page.keyboard.press("Shift+}")
    assert position() == min(first + 10, pictures[-1]["position"])
    page.locator("#track").focus()
    page.keyboard.press("Home")
    assert position() == pictures[0]["position"]


def test_accepting_goes_on_and_can_be_undone(site: Site, page: Page) -> None:
    row = flipped(site)
    opened(page, row)
    page.keyboard.press("a")
    page.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    said = decision_rows.decision_of(site.store, row.id)
    assert said is not None
    assert (said.decision.verb.value, said.decision.who) == ("accept", "technician")
    assert said.decision.revision == row.revision
    (noted,) = [each for each in audit_entries(site.store, 20) if each.action == "accept"][:1]
    assert (noted.who, noted.address) == ("technician", "127.0.0.1")
    expect(page.locator("#toast")).to_contain_text("Accepted")
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.press("u")
    page.wait_for_url(f"**/finding/{row.id}")
    assert decision_rows.decision_of(site.store, row.id) is None


def test_rejecting_needs_one_digit_and_keeps_its_reason(site: Site, page: Page) -> None:
    row = flipped(site)
    opened(page, row)
    page.keyboard.press("x")
    expect(page.locator("#reasons")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#reasons")).to_be_hidden()
    assert decision_rows.decision_of(site.store, row.id) is None
    page.keyboard.press("x")
    page.keyboard.press("3")
    page.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    said = decision_rows.decision_of(site.store, row.id)
    assert said is not None
    assert said.decision.reason is not None
    assert said.decision.reason.value == "anatomy"
    page.keyboard.press("u")
    page.wait_for_url(f"**/finding/{row.id}")


def test_another_class_gets_its_exact_tags_before_anything_is_written(
    site: Site, page: Page
) -> None:
    row = flipped(site)
    opened(page, row)
    before = page.locator("#tags").inner_text()
    suggested = drawn(page, "suggested")
    stack = json.loads(page.locator("#review").get_attribute("data-stack") or "")
    tagged = stack["pictures"][stack["start"]]["tagged"]["turn"]
    label = next(
        each for each in (0, 2, 4, 6)
        if stack["classes"][each]["turn"] not in {tagged, suggested[0]}
    )  # fmt: skip
    page.keyboard.press(str(label + 1))
    expect(page.locator("#tags")).to_contain_text("What would be written")
    turn, letters = drawn(page, "suggested")
    assert turn == stack["classes"][label]["turn"]
    assert (letters["top"][0], letters["left"][0]) == ("A", "R")
    assert decision_rows.decision_of(site.store, row.id) is None
    page.keyboard.press("Escape")
    assert page.locator("#tags").inner_text() == before
    page.keyboard.press(str(label + 1))
    page.locator("#tags button").first.click()
    page.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    said = decision_rows.decision_of(site.store, row.id)
    assert said is not None
    assert said.decision.suggestion is not None
    assert said.decision.suggestion != row.finding.suggestion
    page.keyboard.press("u")
    page.wait_for_url(f"**/finding/{row.id}")


def test_values_are_edited_and_what_may_not_be_written_is_refused_with_its_reason(
    site: Site, page: Page
) -> None:
    row = findings(site, "REGION-001")[0]
    opened(page, row)
    page.keyboard.press("e")
    value = page.locator("#edit input[name^='value:']").first
    value.fill("not a code string")
    page.locator("#edit button.pri").click()
    expect(page.locator("#edit .err")).not_to_be_empty()
    assert decision_rows.decision_of(site.store, row.id) is None
    value.fill("SKULL")
    page.locator("#edit button.pri").click()
    page.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    said = decision_rows.decision_of(site.store, row.id)
    assert said is not None
    assert said.decision.suggestion is not None
    assert said.decision.suggestion.changes[0].proposed == ("SKULL",)
    page.keyboard.press("u")
    page.wait_for_url(f"**/finding/{row.id}")


def revised(site: Site, row: FindingRow, revision: int) -> None:
    with site.store.writing() as connection:
        own = series.c.series_key == row.series_key
        connection.execute(update(series).where(own).values(revision=revision))


def test_a_verdict_on_an_old_revision_is_not_sent(site: Site, page: Page) -> None:
    row = flipped(site)
    opened(page, row)
    try:
        revised(site, row, row.revision + 1)
        page.keyboard.press("a")
        expect(page.locator("#banner [role=alert]")).to_contain_text("Revision")
        assert decision_rows.decision_of(site.store, row.id) is None
        page.goto(f"/finding/{row.id}")
        expect(page.locator(".stage .ban")).to_contain_text("has come")
    finally:
        revised(site, row, row.revision)


def test_two_people_see_each_other_and_the_second_verdict_writes_nothing(
    site: Site, page: Page, context: BrowserContext
) -> None:
    row = flipped(site)
    opened(page, row)
    browser = context.browser
    assert browser is not None
    other_context = browser.new_context(base_url=site.url)
    other = other_context.new_page()
    opened(other, row, "approver")
    expect(other.locator("#others")).to_contain_text("technician")
    page.reload()
    expect(page.locator("#others")).to_contain_text("approver")
    other.keyboard.press("a")
    other.wait_for_url(re.compile(rf"/finding/(?!{row.id}$)"))
    page.keyboard.press("x")
    page.keyboard.press("1")
    expect(page.locator("#banner [role=alert]")).to_contain_text("approver")
    said = decision_rows.decision_of(site.store, row.id)
    assert said is not None
    assert said.decision.who == "approver"
    other.keyboard.press("u")
    other.wait_for_url(f"**/finding/{row.id}")
    other_context.close()


def test_a_viewer_looks_and_cannot_decide(site: Site, page: Page) -> None:
    row = flipped(site)
    opened(page, row, "viewer")
    assert page.locator(".verdict form").count() == 0
    assert "You may look" in page.locator(".verdict").inner_text()
    assert "Patient " in page.locator(".patient").inner_text()
    viewer = site.signed_in("viewer")
    seen = {"seen": f"{row.id}@{row.revision}", "verb": "accept"}
    assert viewer.post(f"/finding/{row.id}/verdict", seen).status_code == 403
    assert decision_rows.decision_of(site.store, row.id) is None


def test_unknown_findings_and_pictures_are_all_answered_the_same(site: Site) -> None:
    someone = site.signed_in()
    row = flipped(site)
    paths = ["/finding/999999", "/finding/0x1", "/finding/" + "9" * 40, "/finding/-1",
             f"/picture/{row.series_key}/{'0' * 40}.webp",
             f"/picture/{'0' * 24}/x.webp"]  # fmt: skip
    answers = [someone.get(path, headers={"Accept": "application/json"}) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


def test_a_picture_is_private_and_never_changes(site: Site, page: Page) -> None:
    row = flipped(site)
    opened(page, row)
    address = page.locator(".film img").first.get_attribute("src") or ""
    answer = site.signed_in().get(address)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/webp"
    assert site.client().get(address).status_code == 401


def test_a_picture_that_is_missing_says_so_and_the_verdict_stays(site: Site, page: Page) -> None:
    row = flipped(site)
    folder = site.settings.preview_folder / row.series_key
    aside = folder.with_name("aside")
    folder.rename(aside)
    try:
        opened(page, row)
        expect(page.locator(".film .box.gone").first).to_be_visible()
        assert page.locator("[data-key=accept]").is_enabled()
    finally:
        aside.rename(folder)


def test_a_session_that_ended_is_told_over_the_page_and_nothing_is_sent(
    site: Site, page: Page
) -> None:
    row = flipped(site)
    opened(page, row)
    page.context.clear_cookies()
    page.keyboard.press("a")
    expect(page.locator("#session-ended")).to_be_visible()
    assert decision_rows.decision_of(site.store, row.id) is None


HOSTILE: Final = "<script>alert(1)</script>\u202e\u0000=cmd" + "x" * 65_000


@pytest.fixture
def hostile(site: Site) -> Iterator[FindingRow]:
    """Give one series hostile texts wherever a person would read them."""
    row = flipped(site)
    of_series = instances.c.series_key == row.series_key
    with site.store.writing() as connection:
        kept = connection.execute(
            select(instances.c.spool_key, instances.c.header).where(of_series)
        ).all()
        for spool_key, text in kept:
            header = json.loads(text)
            for keyword in ("PatientName", "PatientID", "StudyDescription", "AccessionNumber"):
                header["elements"][keyword] = ["LO", [HOSTILE]]
            own = update(instances).where(instances.c.spool_key == spool_key)
            connection.execute(own.values(header=json.dumps(header)))
    yield row
    with site.store.writing() as connection:
        for spool_key, text in kept:
            own = update(instances).where(instances.c.spool_key == spool_key)
            connection.execute(own.values(header=text))


def test_hostile_names_are_shown_and_do_nothing(hostile: FindingRow, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    opened(page, hostile)
    assert "<script>alert(1)</script>" in page.locator(".patient").inner_text()
    assert "\u202e" not in page.locator(".patient").inner_text()
    assert dialogs == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("rule", [ORIENTATION, "REGION-001", "GEOM-006", "ORDER-003"])
def test_axe_finds_nothing(site: Site, page: Page, scheme: Any, rule: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  the script is 1 MB

    page.emulate_media(color_scheme=scheme)
    opened(page, findings(site, rule)[0])
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []


def test_everything_is_reached_by_tab_with_letters_switched_off(site: Site, page: Page) -> None:
    opened(page, flipped(site))
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim().slice(0, 24)"))
    assert any("Yes, change" in each for each in reached)
    assert any("No…" in each for each in reached)
    assert any("Ask" in each for each in reached)
