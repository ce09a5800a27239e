"""Whether the order of methods depends on `contains`: other scores of the same stored answers beside it.

    python benchmarks/fair_metrics.py

draws docs/fair_metrics.png from the stored reference run; the tables of docs/scores.md come by benchmarks/tables.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from membench.errors import MembenchError
from membench.formats.markdown import Grid, markdown_grid
from membench.statistics.paired_tests import ALPHA, contrasts
from membench.store import cell_folder
from membench.tables.catalogue import METRICS
from membench.tables.entry import Entry, in_order, shared_keys
from membench.tables.leaderboard import Table, tables
from membench.tables.ranking_metric import is_share

ROOT = Path(__file__).parent.parent
FIGURE = ROOT / "docs" / "fair_metrics.png"
SHOWN = {"task": "batch", "data": "worlds", "model": "smollm2-135m"}  # whose methods stand in the figure
LEAD, OTHERS = "contains", ("contains_capped", "exclusive", "f1", "margin")
FEWEST = 4  # methods of a table that has an order to speak of


def fair(cells: Sequence[cell_folder.Cell]) -> str:
    """Both tables as markdown, with what they count. Raises MembenchError where what is shown is not stored."""
    found = [table for table in tables(cells) if len(ranked(table)) >= FEWEST]
    shown = _shown(found)
    taus = {metric: [tau(table, metric) for table in found] for metric in ("words", *OTHERS)}
    agreed = [_agreed(table) for table in found]
    head = ["table", "methods", *(f"τ_b {_head(m)}" for m in taus), "pairs resolved", "the same by all", "reversed"]
    lines = [
        [_name(table), str(len(ranked(table))), *(f"{taus[m][k]:+.2f}" for m in taus), *map(str, agreed[k])]
        for k, table in enumerate(found)
    ]
    pairs, same, turned = (sum(column) for column in zip(*agreed, strict=True))
    ends = ", ".join(f"{_head(m)} {min(taus[m]):+.2f} to {max(taus[m]):+.2f}" for m in OTHERS)
    said = (
        f"Of {pairs} pairs that contains tells apart all four others tell {same} apart in the same order, and any of "
    )
    said += f"them {turned} in the other. Kendall's τ_b with contains: {ends}."
    return "\n\n".join((f"**{shown.title}**", markdown_grid(side_by_side(shown)), said, markdown_grid([head, *lines])))


def _shown(found: Sequence[Table]) -> Table:
    for table in found:
        if all(table.recipe[name] == value for name, value in SHOWN.items()):
            return table
    raise MembenchError(f"nothing is stored of {' '.join(SHOWN.values())}: play benchmarks/reference.sh")


def ranked(table: Table) -> list[Entry]:
    """The methods of a table that have all of these scores, as `contains` ranks them."""
    rivals = [e for e in table.entries if not e.mark and all(e.value(m) is not None for m in (LEAD, *OTHERS))]
    return sorted(rivals, key=lambda e: -(e.value(LEAD) or 0.0))


def side_by_side(table: Table) -> Grid:
    """A line a method: words an answer, then its scores."""
    names = ("words", LEAD, *OTHERS)
    lines = [[e.label, *(f"{e.value(m):.2f}" for m in names)] for e in ranked(table)]
    return [["method", *map(_head, names)], *lines]


def tau(table: Table, metric: str) -> float:
    """Kendall's tau-b between the order of methods by a score and that by `contains`."""
    found = ranked(table)
    return float(kendalltau([e.value(LEAD) for e in found], [e.value(metric) for e in found]).statistic)


def _agreed(table: Table) -> tuple[int, int, int]:
    """Pairs that contains resolves; how many of them all others resolve so too; how many any resolves reversed."""
    lead, others = resolved(table, LEAD), [resolved(table, metric) for metric in OTHERS]
    same = sum(all(signs.get(pair) == sign for signs in others) for pair, sign in lead.items())
    turned = sum(any(signs.get(pair) == -sign for signs in others) for pair, sign in lead.items())
    return len(lead), same, turned


def _name(table: Table) -> str:
    asked = " ".join(f"{k}={v}" for k, v in table.recipe["task_settings"].items())
    data = table.recipe["data"].partition(":")[0]
    parts = (table.recipe["task"], data, table.recipe["model"], asked if "task_settings" in table.differs else "")
    return " · ".join(filter(None, parts))


def resolved(table: Table, metric: str) -> Mapping[tuple[str, str], int]:
    """The pairs that a table sorted by this score tells apart, by their labels, with the sign of the difference."""
    found = [e for e in ranked(table) if not e.unseeded and e.by_context(metric)]
    contexts = shared_keys([scores for e in found for scores in e.by_context(metric)])
    samples = [np.array([in_order(scores, contexts) for scores in e.by_context(metric)]) for e in found]
    pairs = [(i, j) for i in range(len(found)) for j in range(i + 1, len(found))]
    if not pairs:
        return {}
    judged = contrasts(samples, pairs, is_share(metric, found))
    return {
        (found[i].label, found[j].label): int(np.sign(difference))
        for (i, j), difference, p in zip(pairs, judged.difference, judged.p, strict=True)
        if p <= ALPHA
    }


def _head(metric: str) -> str:
    return METRICS[metric].title


def draw(table: Table, path: Path) -> None:
    """Words an answer, the scores of its text, and the likelihood margin, side by side, a line a method."""
    from matplotlib.figure import Figure

    methods = ranked(table)
    lines = range(len(methods))
    figure = Figure(figsize=(10, 0.34 * len(methods) + 1.4), dpi=110, layout="constrained")
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(1, 2.2, 1))
    panels[0].barh(lines, [e.value("words") for e in methods], color="0.75")
    for metric, marker in zip((LEAD, *OTHERS[:3]), "os^D", strict=True):
        values = [e.value(metric) for e in methods]
        panels[1].plot(values, lines, marker, fillstyle="none", label=_head(metric))
    panels[1].legend(fontsize=8, frameon=False)
    panels[2].plot([e.value("margin") for e in methods], lines, "v", color="0.2")
    panels[2].axvline(0, color="0.6", linewidth=0.8)
    for panel, words in zip(panels, ("words an answer", "score of the answer", "margin, nats/token"), strict=True):
        panel.set(xlabel=words)
        panel.grid(axis="y", color="0.93")
        panel.set_axisbelow(True)
    panels[0].set_yticks(lines, [e.label for e in methods])
    panels[0].invert_yaxis()
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    draw(_shown(tables(cell_folder.cells(ROOT / "results" / "reference"))), FIGURE)


if __name__ == "__main__":
    main()
