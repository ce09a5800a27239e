"""Takes the picture of a report's first screen that the README shows, with the Chromium on the PATH, if there is one.

python benchmarks/report_picture.py PAGE PICTURE
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

WIDTH = 1400  # in CSS pixels; as tall as the first screen is
COLOURS = 128  # enough for lines and letters; keeps the file small


def main() -> None:
    page_path, picture = (Path(argument) for argument in sys.argv[1:3])
    chromium = shutil.which("chromium")
    if chromium is None:
        print(f"no chromium on the PATH: {picture} stays as it is")
        return
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(page_path.resolve().as_uri())
        page.locator("#scatter .annotation-text").first.wait_for()
        bottom = page.locator("table.short:visible").bounding_box()
        assert bottom is not None
        height = round(bottom["y"] + bottom["height"]) + 24
        shot = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        browser.close()
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(picture, optimize=True)
    print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
