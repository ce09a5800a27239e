"""The report page in headless Chromium: it opens without errors, sorts, filters, searches, and asks no other machine.

Skipped where no `chromium` is on the PATH; `make test` installs Debian's where it can.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from membench.report import write_page
from membench.store import cell_folder
from tests.support.stored_cells import put_cell, recipe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"),
]
NASTY = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with two tables, one of a sequence, and a method whose label and answers try to be HTML."""
    root = tmp_path_factory.mktemp("browser")
    cells = root / "cells"
    played = {
        name: put_cell(cells, recipe("gold", name), 12, skill=skill)["summary"]
        for name, skill in (("base", 0.1), ("in-context", 0.9))
    }
    put_cell(cells, recipe("single", "bm25"), 12, skill=0.9, yardsticks=played)
    put_cell(cells, recipe("single", "dpr"), 12, skill=0.4, yardsticks=played)
    put_cell(cells, recipe("single", "ft-c", settings={"note": NASTY}), 12, answer=NASTY, yardsticks=played)
    for method in ("bm25", "memoryllm"):
        pool = recipe("sequential", method, settings={"size": 9, "new": 1})
        put_cell(cells, pool, 6, drift=2, yardsticks=played)
    write_page(cell_folder.cells(cells), root / "report.html")
    return (root / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, as which containers run.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, freshly opened; at the end nothing may have gone wrong or been asked of another machine."""
    page = browser.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    assert wrong == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    page.close()


def table_with(page: Page, *heads: str) -> tuple[Any, list[int]]:
    """The first leaderboard that has these columns, and their places."""
    for table in page.locator("table.sortable").all():
        found = table.locator("thead th").all_inner_texts()
        if set(heads) <= set(found):
            return table, [found.index(head) for head in heads]
    raise AssertionError(heads)


def column(table: Any, number: int) -> list[str]:
    found: list[str] = table.locator(f"tbody tr > :nth-child({number + 1})").all_inner_texts()
    return found


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
    assert len(fill(table, place, texts)) == len(texts)
    down, up = sorted_twice(table, place)
    assert down == ["20", ">19", "19 [3, >19]", "–"]
    assert up == ["19 [3, >19]", ">19", "20", "–"]


def test_dates_sort_by_time(page: Page) -> None:
    table, (place,) = table_with(page, "played")
    days = [f"2026-{month}-03T10:00:00+00:00" for month in ("02", "11", "01", "12")]
    put = fill(table, place, [*days, ""])
    down, up = sorted_twice(table, place)
    whole = sorted(text for text in put if text)
    assert len(set(whole)) == 4
    assert down == [*reversed(whole), *[""] * put.count("")]
    assert up == [*whole, *[""] * put.count("")]


def test_filters_hide_rows_and_tables_and_say_how_many_are_left(page: Page) -> None:
    page.get_by_label("Method").first.fill("BM2")
    rows = page.locator(".board table.sortable tbody tr:visible").all_inner_texts()
    assert rows
    assert all("bm25" in row for row in rows)
    page.get_by_label("Task").select_option("sequential")
    assert page.locator(".board:visible").count() == 1
    assert page.locator("#filter-count").inner_text() == "1 of 2 tables, 1 rows"


def test_answers_are_searched_filtered_and_paged(page: Page) -> None:
    page.locator("#answers").scroll_into_view_if_needed()
    page.locator("#answer-table").select_option(label=page.locator("#answer-table option").nth(1).inner_text())
    assert page.locator("#answer-count").inner_text() == "questions 1 to 20 of 24"
    page.get_by_role("button", name="Next").click()
    assert page.locator("#answer-count").inner_text() == "questions 21 to 24 of 24"
    page.locator("#answer-search").fill("What 7?")
    assert page.locator("#answer-list > li").count() == 2
    page.locator("#answer-method").select_option(label="bm25")
    page.locator("#answer-search").fill("")
    page.locator("#answer-outcome").select_option("wrong")
    marks = page.locator("#answer-list td:nth-child(3)").all_inner_texts()
    assert set(marks) == {"✗ 0"}


def test_an_answer_that_is_html_stays_text(page: Page) -> None:
    page.locator("#answers").scroll_into_view_if_needed()
    page.locator("#answer-table").select_option("1")
    page.locator("#answer-search").fill("onerror")
    assert NASTY in page.locator("#answer-list td.answer").all_inner_texts()
    assert page.locator("#answer-list img, #answer-list script").count() == 0
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
    drawn = light.locator("svg text").first
    assert drawn.evaluate("e => getComputedStyle(e).fill") == dark.locator("svg text").first.evaluate(
        "e => getComputedStyle(e).fill"
    )
    for page in (dark, light):
        page.close()


def test_on_a_phone_only_tables_and_figures_scroll_sideways(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(address)
    page.locator("#answers").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.close()


def test_names_roles_and_focus_are_there_for_those_who_do_not_see_the_page(page: Page) -> None:
    unnamed = "e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()"
    assert page.locator("button, input, select").evaluate_all(f"all => all.filter({unnamed}).length") == 0
    for role, count in (("main", 1), ("banner", 1), ("navigation", 1), ("contentinfo", 1)):
        assert page.get_by_role(role).count() == count  # type: ignore[arg-type]
    assert page.locator("figure").count() == page.locator("figure svg[role=img][aria-labelledby]").count()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the tables"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
