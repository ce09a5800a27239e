"""Whether text and weights together answer more than text alone, and what they do where text is retained in part.

    python benchmarks/text_and_weights.py

draws docs/text_and_weights.png from the stored reference run and from results/retained, which has what retains a part
of the text; the table of docs/combined.md comes by benchmarks/tables.py. A share that was not played has no point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.formats.markdown import markdown_grid
from membench.store import cell_folder
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table, tables

ROOT = Path(__file__).parent.parent
SWEEP = ROOT / "results" / "retained"
FIGURE = ROOT / "docs" / "text_and_weights.png"
SHOWN = {"task": "batch", "data": "worlds", "model": "smollm2-135m", "limit": 20}
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
VIEWS = ("rehearsed", "unrehearsed")
_WEIGHTS = {"epochs": 24}
_BOTH = {"selfparam_epochs": 24}


@dataclass(frozen=True)
class Arm:
    """A memory at all shares of the text: the same with none of it and with all of it are cells of simpler methods."""

    title: str
    method: str
    settings: Mapping[str, Any]
    none: tuple[str, Mapping[str, Any]]
    whole: tuple[str, Mapping[str, Any]]

    def at(self, share: float) -> tuple[str, Mapping[str, Any]]:
        """The method and the settings, beside its defaults, of the cell at a share."""
        ends = {0.0: self.none, 1.0: self.whole}
        return ends.get(share, (self.method, {**self.settings, "retained": share}))


DECODE = {**_BOTH, "adapter_scope": "decode"}
ARMS = (
    Arm("text alone", "bm25+base", {}, ("base", {}), ("bm25", {})),
    Arm("text + weights, all", "bm25+selfparam", _BOTH, ("selfparam", _WEIGHTS), ("bm25+selfparam", _BOTH)),
    Arm("text + weights, decode", "bm25+selfparam", DECODE, ("selfparam", _WEIGHTS), ("bm25+selfparam", DECODE)),
)


def shown(cells: Sequence[cell_folder.Cell]) -> Table:
    """The table that all of it stands in. Raises MembenchError where it is not stored."""
    for table in tables(cells):
        if all(table.recipe[name] == value for name, value in SHOWN.items()):
            return table
    raise MembenchError(f"nothing is stored of {' '.join(map(str, SHOWN.values()))}: play benchmarks/reference.sh")


def swept() -> list[cell_folder.Cell]:
    """The cells that retain a part of the text."""
    return cell_folder.cells(SWEEP)


def found(table: Table, arm: Arm, share: float) -> Entry | None:
    """The line of an arm at a share, if it was played."""
    method, settings = arm.at(share)
    return next((e for e in table.entries if e.method == method and dict(e.settings) == dict(settings)), None)


def grid(table: Table) -> str:
    """A line a share: each arm's share answered right, of the rehearsed facts and of the others, as markdown."""
    head = ["text retained", *(f"{arm.title}: {view}" for arm in ARMS for view in VIEWS)]
    lines = [
        [f"{share:.2f}", *(_said(found(table, arm, share), view) for arm in ARMS for view in VIEWS)]
        for share in SHARES
        if any(found(table, arm, share) for arm in ARMS)
    ]
    return markdown_grid([head, *lines])


def _said(entry: Entry | None, view: str) -> str:
    interval = entry and entry.interval(f"contains/{view}")
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]" if interval else ""


def draw(table: Table, path: Path) -> None:
    """Two panels, rehearsed and unrehearsed facts; an arm each a line over the share, with 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    panels = figure.subplots(1, len(VIEWS), sharey=True)
    for panel, view in zip(panels, VIEWS, strict=True):
        for k, arm in enumerate(ARMS):
            entries = [(share, e.interval(f"contains/{view}")) for share in SHARES if (e := found(table, arm, share))]
            points = [(share, i) for share, i in entries if i is not None]
            at = [share + 0.01 * (k - 1) for share, _ in points]  # side by side, so that no interval hides another
            values = [i.value for _, i in points]
            ends = [[i.value - i.low for _, i in points], [i.high - i.value for _, i in points]]
            panel.errorbar(at, values, yerr=ends, marker="os^"[k], fillstyle="none", capsize=3, label=arm.title)
        panel.set(title=f"{view} facts", xlabel="share of the text's sentences retained", ylim=(0, 1), xticks=SHARES)
        panel.grid(color="0.93")
        panel.set_axisbelow(True)
    panels[0].set_ylabel("share answered right")
    panels[0].legend(fontsize=8, frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    draw(shown([*cell_folder.cells(ROOT / "results" / "reference"), *swept()]), FIGURE)


if __name__ == "__main__":
    main()
