"""Writes membench/estimates/measured.txt, from which `run --dry-run` estimates where nothing is stored: by method.

    python benchmarks/measured.py [--check]

They come from results/reference; `make tables` calls this. Exit status 1 with --check if the file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from membench.estimates.estimate import MEASURED, write_measured
from membench.store import cell_folder

MODEL, PARAMETERS = "smollm2-135m", 134_515_008


def main() -> None:
    root = Path(__file__).parent.parent / "results" / "reference"
    text = write_measured([cell.result for cell in cell_folder.cells(root)], MODEL, PARAMETERS)
    stale = not MEASURED.exists() or MEASURED.read_text(encoding="utf-8") != text
    if "--check" in sys.argv:
        sys.exit(f"{MEASURED} is stale: make tables" if stale else 0)
    MEASURED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
