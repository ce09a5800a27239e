"""A page in headless Chromium for the tests that look at it; skipped where no `chromium` is on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from membench.report import write_page
from membench.store import cell_folder
from tests.support.report_cells import for_a_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two views, with a sequence and a method whose label and answers try to be HTML."""
    root = tmp_path_factory.mktemp("browser")
    write_page(cell_folder.cells(for_a_browser(root / "cells")), root / "report.html")
    return (root / "report.html").as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH: apt-get install chromium")
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
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    assert wrong == []
    assert {url.partition("#")[0] for url in asked if not url.startswith(("data:", "blob:"))} == {address}
    page.close()
