"""Takes the picture of a report page that the README shows, with the Chromium on the PATH; without one, says so.

python benchmarks/report_picture.py PAGE PICTURE
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

WIDTH, HEIGHT = 1240, 2650  # in CSS pixels
LAST_SEQUENCE = "[...document.querySelectorAll('.board:has(figure.retention)')].at(-1)"
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
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(page_path.resolve().as_uri())
        # The table that has most to show: of those of a sequence, if there are any, the last.
        for _ in range(3):  # what comes into sight is laid out only then, and moves what stands below
            page.evaluate(f"({LAST_SEQUENCE} ?? document.body).scrollIntoView()")
            page.wait_for_timeout(500)
        shot = page.screenshot()
        browser.close()
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(picture, optimize=True)
    print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
