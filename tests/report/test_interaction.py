"""What a reader does with the page: tabs, filters, figures, sliders, the address that keeps it all, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.report_cells import RENAMING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long
PHONE = {"width": 390, "height": 800}
VIOLATIONS = {"resultTypes": ["violations"]}  # what passes is counted and not listed
TABS = ("Overview", "Over time", "Risks", "Costs", "Answers", "Provenance")


def drawn(page: Page, figure: str) -> Any:
    """The data and the names beside the points of a figure."""
    script = "e => ({ data: e.data, names: (e.layout.annotations || []).map((a) => a.text) })"
    return page.locator(f"#{figure} .drawing").evaluate(script)


def names(page: Page) -> list[str]:
    """The methods in sight in the short table."""
    found: list[str] = page.locator("table.short:visible tbody tr:visible th").all_inner_texts()
    return found


def height(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollHeight")
    return found


def test_the_first_screen_is_answer_scatter_and_short_table(page: Page) -> None:
    said = page.locator(".said:visible p:visible").all_inner_texts()
    assert len(said) == 4  # three sentences, and the table that they are from
    assert "bm25 answers best (share right" in said[0]
    assert "selfparam answers most" in said[1]
    assert "one seed, so not ranked" in said[1]
    assert len(page.locator("table.short:visible thead th").all_inner_texts()) <= 8
    assert height(page) <= 2 * 900
    figure = drawn(page, "scatter")
    assert set(figure["names"]) >= {"bm25", "dpr", "selfparam", "ft-c"}
    assert len(figure["names"]) == len(figure["data"][1]["x"]) <= 12
    assert page.locator("table.short:visible td.bar").count() > 0


def test_names_in_the_scatter_cover_neither_one_another_nor_points(page: Page) -> None:
    script = (
        "all => all.map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    )
    boxes = page.locator("#scatter .annotation-text").evaluate_all(script)
    dots = page.locator("#scatter .scatterlayer .point").evaluate_all(script)
    assert len(boxes) >= 4
    pairs = [(a, b) for k, a in enumerate(boxes) for b in [*boxes[k + 1 :], *dots]]
    covered = [
        (a, b) for a, b in pairs if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
    ]
    assert covered == []


def test_tabs_are_worked_by_the_keyboard_and_show_one_part(page: Page) -> None:
    page.get_by_role("tab", name="Overview").focus()
    for name in (*TABS[1:], TABS[0]):
        page.keyboard.press("ArrowRight")
        assert page.locator(":focus").inner_text() == name
        assert page.get_by_role("tab", selected=True).inner_text() == name
        assert page.locator(".panel:visible").count() == 1
        assert page.get_by_role("tabpanel", name=name).is_visible()
    page.keyboard.press("End")
    assert page.locator(":focus").inner_text() == "Provenance"


def test_a_filter_shortens_the_page_and_figures_follow(page: Page) -> None:
    before = height(page)
    page.locator("#search").fill("BM2")
    assert names(page) == ["bm25 ‡"]
    assert page.locator("#count").inner_text().startswith("1 of ")
    assert height(page) < before
    assert drawn(page, "scatter")["names"] == ["bm25"]
    page.get_by_role("tab", name="Over time").click()
    assert page.locator("#strip tbody th").all_inner_texts() == ["bm25 size=9 new=1"]
    assert [line["name"] for line in drawn(page, "curves")["data"]] == ["bm25 size=9 new=1"]
    page.get_by_role("tab", name="Costs").click()
    assert page.locator("#bills tbody th").all_inner_texts() == ["bm25"]
    page.locator("#search").fill("nothing is called so")
    page.get_by_role("tab", name="Overview").click()
    assert page.locator("#count").inner_text().startswith("0 of ")


def test_another_view_shows_its_own_tables(page: Page) -> None:
    view = page.locator("#view option").nth(1).get_attribute("value")
    page.locator("#view").select_option(view)
    assert "movie-worlds" in page.locator(".said:visible h2:visible").inner_text()
    assert set(drawn(page, "scatter")["names"]) == {"bm25", "cartridge"}
    page.get_by_role("tab", name="Over time").click()
    assert page.locator("#time-none").is_visible()
    assert not page.locator("#time-shown").is_visible()


def test_the_address_keeps_what_was_chosen(page: Page, browser: Browser) -> None:
    page.locator("#search").fill("bm")
    page.locator("#scatter-cost").select_option("bytes")
    page.locator("#chooser summary").click()
    page.locator("#choices label", has_text="F1").first.click()
    page.locator("table.short:visible thead button", has_text="read s").click()
    page.get_by_role("tab", name="Costs").click()
    page.locator("#questions").fill("12")
    page.locator("#questions").dispatch_event("input")
    again = browser.new_page(viewport={"width": 1400, "height": 900})
    again.goto(page.url)
    assert again.get_by_role("tab", selected=True).inner_text() == "Costs"
    assert again.locator("#questions-shown").inner_text() == "10"
    assert again.locator("#bills").inner_text() == page.locator("#bills").inner_text()
    again.get_by_role("tab", name="Overview").click()
    assert again.locator("#scatter-cost").input_value() == "bytes"
    assert again.locator("table.short:visible thead th").last.inner_text().endswith("F1")
    head = again.locator("table.short:visible thead th", has_text="read s")
    assert head.get_attribute("aria-sort") == "descending"
    again.close()


def test_a_link_to_a_cell_opens_its_part(page: Page) -> None:
    page.locator("details.all:visible summary").click()
    link = page.locator("table[data-board]:visible tbody a", has_text="dpr").first
    cell = str(link.get_attribute("href"))
    link.click()
    assert page.get_by_role("tab", selected=True).inner_text() == "Provenance"
    assert page.locator(cell).is_visible()


def test_sliders_say_live_from_when_on_which_memory_costs_least(page: Page) -> None:
    page.get_by_role("tab", name="Costs").click()
    texts = int(page.locator("#texts-shown").inner_text())
    even = round(texts * (10 - 1) / (3 - 1))  # bm25 writes a text in 1 s and reads in 3, selfparam in 10 and 1
    said = page.locator("#even")
    assert said.inner_text() == (
        f"To write {texts} texts: bm25 costs least up to {even} questions, selfparam from {even} on."
    )
    bill = page.locator("#bills tbody tr", has_text="selfparam").locator("td").first
    asked = int(page.locator("#questions-shown").inner_text().replace(",", ""))
    assert float(bill.inner_text().replace(",", "")) == pytest.approx(texts * 10 + asked, rel=0.01)
    page.locator("#texts").fill("0")
    page.locator("#texts").dispatch_event("input")
    assert said.inner_text().startswith("To write 1 text: bm25 costs least up to 5 questions, selfparam from 5 on")
    page.locator("#least").fill("0.8")
    page.locator("#least").dispatch_event("input")
    assert page.locator("#bills tbody th").all_inner_texts() == ["bm25"]


def test_figures_and_table_are_taken_away_as_files(page: Page, tmp_path: Path) -> None:
    for form, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as waiting:
            page.locator("#scatter").get_by_role("button", name=form).click()
        assert waiting.value.suggested_filename == f"membench-scatter.{form.lower()}"
        waiting.value.save_as(tmp_path / form)
        assert (tmp_path / form).read_bytes().startswith(start)
    page.locator("table.short:visible tbody th", has_text="dpr").first.evaluate("e => { e.textContent = '=1+1'; }")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table as CSV").click()
    waiting.value.save_as(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(names(page))
    assert any(line.startswith('"\'=1+1",') for line in lines)  # no formula of a spreadsheet


def test_on_a_phone_each_method_is_a_card_and_nothing_scrolls_sideways(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(address)
    cards = page.locator("table.short:visible tbody tr:visible")
    boxes = cards.evaluate_all("all => all.map((e) => [e.getBoundingClientRect().left, e.getBoundingClientRect().top])")
    assert len({left for left, _ in boxes}) == 1
    assert [top for _, top in boxes] == sorted({top for _, top in boxes})
    first = cards.first.locator("td").first
    assert first.evaluate("e => getComputedStyle(e, '::before').content") == json.dumps(
        first.get_attribute("data-head"), ensure_ascii=False
    )
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], name
    page.close()


@pytest.mark.parametrize(
    ("width", "scheme", "names"),
    [(1400, "light", TABS), (800, "dark", ("Overview", "Costs", "Answers")), (390, "light", ("Overview", "Over time"))],
)
def test_no_rule_of_accessibility_is_broken(
    browser: Browser, address: str, width: int, scheme: Any, names: tuple[str, ...]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(address)
    found = []
    for name in names:
        page.get_by_role("tab", name=name).click()
        if name == "Answers":
            page.locator("#answer-method").select_option("bm25")
        for broken in Axe().run(page, options=VIOLATIONS).response["violations"]:
            found.append((name, broken["id"], broken["nodes"][0]["html"]))
    page.close()
    assert found == []


def test_a_reader_who_tabs_comes_first_to_the_answer(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert RENAMING in "".join(names(page)) or "ft-c ‡" in names(page)
