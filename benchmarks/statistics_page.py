"""Rewrites the tables of docs/statistics.md by simulation: error rates and power, and coverage of intervals.

    python benchmarks/statistics_page.py [errors] [coverage]

Without a name both are made: about 25 minutes of one core, of which coverage takes three. A table stands between
`<!-- simulated: NAME -->` and `<!-- end -->`. Nothing is drawn at random but by the seeds in the scripts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import interval_coverage
import simulation

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
TABLES: Mapping[str, Callable[[], str]] = {"errors": simulation.table, "coverage": interval_coverage.table}
_BLOCK = re.compile(r"^<!-- simulated: (\w+) -->\n(.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE)


def rewritten(text: str, made: Mapping[str, str]) -> str:
    """The page with these tables in their blocks, all else as it was."""

    def block(found: re.Match[str]) -> str:
        return f"<!-- simulated: {found[1]} -->\n\n{made[found[1]]}\n\n<!-- end -->" if found[1] in made else found[0]

    return _BLOCK.sub(block, text)


def main(names: Sequence[str]) -> None:
    """Make these tables, or all, and write them into the page."""
    if unknown := [name for name in names if name not in TABLES]:
        sys.exit(f"no table {unknown[0]!r}: name {' or '.join(TABLES)}, or nothing for both")
    made = {name: make() for name, make in TABLES.items() if name in (names or TABLES)}
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
