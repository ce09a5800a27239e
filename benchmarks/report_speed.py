"""How long `membench report` takes over many stored cells, imports included, how large its page is, and how long a
Chromium, where there is one, takes to show it.

    python -m benchmarks.report_speed [CELLS]

200 cells by default: single, batch and sequential, 20 contexts of 5 questions (sequential: 2, asked after each write).
"""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.stored_cells import put_cell, recipe

TASKS = {"single": 5, "batch": 5, "sequential": 2}


def generate(root: Path, count: int) -> int:
    """Store the cells; returns how many answers they have."""
    answers = 0
    for name in ("base", "in-context"):
        put_cell(root, recipe("gold", name, limit=20), 20, 5, 0.02 if name == "base" else 0.9)
    plan = itertools.product(range(-(-count // 60)), TASKS, range(20))
    for setting, task, number in itertools.islice(plan, count):
        method = "memoryllm" if number == 0 else f"method-{number}"
        what = recipe(task, method, limit=20, settings={"size": 1024, "new": 32 * (setting + 1)})
        result = put_cell(root, what, 20, TASKS[task], number / 20, drift=4 if task == "sequential" else 0)
        answers += result["counts"]["answered"]
    return answers


def shown(page_path: Path) -> str:
    """Seconds until the page is ready, those of its main thread beside them; the height of its first screen."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return "no chromium on the PATH: not opened"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(page_path.resolve().as_uri())
        page.locator("#scatter .annotation-text").first.wait_for()
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        height = page.evaluate("document.documentElement.scrollHeight")
        browser.close()
    return f"ready in {ready:.1f} s ({metrics['TaskDuration']:.1f} s of processor), {height} pixels tall at 1400"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        answers = generate(Path(folder) / "cells", count)
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "membench", "report", str(Path(folder) / "cells"), "-o", str(page)]
        started = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        took = f"{seconds:.1f} s ({used:.1f} s of processor)"
        print(f"{took} for {count} cells with {answers:,} answers, {page.stat().st_size:,} bytes")
        print(shown(page))


if __name__ == "__main__":
    main()
