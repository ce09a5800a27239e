"""The report page in headless Chromium: its tables sort, its answers are searched, nothing is read as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.report_cells import RENAMING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DRAWING = "document.querySelector('#scatter .drawing')"
pytestmark = pytest.mark.long


def table_with(page: Page, *heads: str) -> tuple[Any, list[int]]:
    """The first full leaderboard that has these columns, in sight, and their places."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    for table in page.locator("table[data-board]:visible").all():
        found = table.locator("thead th").all_inner_texts()
        if set(heads) <= set(found):
            return table, [found.index(head) for head in heads]
    raise AssertionError(heads)


def column(table: Any, number: int) -> list[str]:
    found: list[str] = table.locator(f"tbody tr > :nth-child({number + 1})").all_inner_texts()
    return found


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_column_sorts_both_ways_from_the_keyboard(page: Page) -> None:
    table, (place,) = table_with(page, "contains")
    head = table.locator("thead th").nth(place)
    button = head.locator("button")
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    values = [float(text.split()[0]) for text in column(table, place)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 2
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    values = [float(text.split()[0]) for text in column(table, place)]
    assert values == sorted(values)
    table.locator("thead button").first.click()
    assert head.get_attribute("aria-sort") == "none"
    assert column(table, 0) == sorted(column(table, 0), key=str.lower)


def test_bytes_sort_by_size_and_what_is_missing_stands_last(page: Page) -> None:
    table, (place,) = table_with(page, "state")
    table.locator("thead button").nth(place).click()
    units = {"B": 1, "kB": 1e3, "MB": 1e6}
    sizes = [float(t.split()[0]) * units[t.split()[1]] for t in column(table, place) if t != "–"]
    assert sizes == sorted(sizes, reverse=True)
    table, (gain,) = table_with(page, "gain")
    for _ in range(2):
        table.locator("thead button").nth(gain).click()
        shown = column(table, gain)
        assert "–" in shown
        assert "–" not in shown[: len(shown) - shown.count("–")]


def fill(table: Any, place: int, texts: list[str]) -> list[str]:
    """Put texts into a column, and return those that there were rows for."""
    script = "(rows, [k, texts]) => rows.forEach((row, n) => { row.cells[k].textContent = texts[n % texts.length]; })"
    table.locator("tbody tr").evaluate_all(script, [place, texts])
    return column(table, place)


def sorted_twice(table: Any, place: int) -> list[list[str]]:
    """The column after a first and a second click on its head."""
    found = []
    for _ in range(2):
        table.locator("thead button").nth(place).click()
        found.append(column(table, place))
    return found


def test_beyond_a_number_sorts_just_above_it(page: Page) -> None:
    table, (place,) = table_with(page, "contains")
    texts = ["19 [3, >19]", "20", ">19", "–"]
    put = fill(table, place, texts)
    assert set(put) == set(texts)
    down, up = ([*dict.fromkeys(found)] for found in sorted_twice(table, place))
    assert down == ["20", ">19", "19 [3, >19]", "–"]
    assert up == ["19 [3, >19]", ">19", "20", "–"]


def test_dates_sort_by_time(page: Page) -> None:
    tab(page, "Provenance")
    table = page.locator("#provenance table").first
    place = table.locator("thead th").all_inner_texts().index("played")
    days = [f"2026-{month}-03T10:00:00+00:00" for month in ("02", "11", "01", "12")]
    put = fill(table, place, [*days, ""])
    down, up = sorted_twice(table, place)
    whole = sorted(text for text in put if text)
    assert len(set(whole)) == 4
    assert down == [*reversed(whole), *[""] * put.count("")]
    assert up == [*whole, *[""] * put.count("")]


def test_answers_are_searched_filtered_and_paged(page: Page) -> None:
    tab(page, "Answers")
    count = page.locator("#answer-count")
    assert count.inner_text() == "questions 1 to 20 of 24"
    page.get_by_role("button", name="Next").click()
    assert count.inner_text() == "questions 21 to 24 of 24"
    page.locator("#answer-search").fill("context 7?")
    assert page.locator("#answer-list > li").count() == 2
    page.locator("#answer-method").select_option(label="bm25")
    page.locator("#answer-search").fill("")
    page.locator("#answer-outcome").select_option("wrong")
    marks = page.locator("#answer-list td:nth-child(3)").all_inner_texts()
    assert set(marks) == {"✗ 0"}


def test_what_tries_to_be_html_stays_text_in_answers_and_figures(page: Page) -> None:
    assert page.locator("svg a, svg image[href^='x'], svg foreignObject").count() == 0
    place = page.evaluate(f"{DRAWING}.data[1].text.findIndex((text) => text.includes('img'))")
    assert place >= 0
    page.evaluate(f"Plotly.Fx.hover({DRAWING}, [{{ curveNumber: 1, pointNumber: {place} }}])")
    assert "<img src=x" in page.locator("#scatter .hoverlayer").text_content().replace("\n", "")  # type: ignore[union-attr]
    for name in ("Over time", "Costs"):
        tab(page, name)
    tab(page, "Answers")
    page.locator("#answer-search").fill("onerror")
    assert RENAMING in page.locator("#answer-list td.answer").all_inner_texts()
    assert page.locator("#answer-list img, #answer-list script, .panel img, .panel svg script").count() == 0
    assert page.title() == "membench report"


def test_dark_light_and_the_readers_wish(browser: Browser, address: str) -> None:
    def paper(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark, light = (browser.new_page(color_scheme=scheme) for scheme in ("dark", "light"))
    for page in (dark, light):
        page.goto(address)
    before = paper(dark), paper(light)
    assert before[0] != before[1]
    light.get_by_role("button", name="Dark theme").click()
    assert paper(light) == before[0]
    drawn = "e => getComputedStyle(e).fill"
    inks = [page.locator("#scatter .xtick text").first.evaluate(drawn) for page in (light, dark)]
    assert inks[0] == inks[1]
    for page in (dark, light):
        page.close()
