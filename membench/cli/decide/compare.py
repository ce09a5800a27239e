"""The command that compares two methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from membench.cli.shared import completion
from membench.cli.shared.filters import filters as filter_options
from membench.cli.shared.folders import folders_behind, nothing_in, refuse_unknown_names, sound_cells
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_line, print_table
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.analysis.compare import Comparison
    from membench.statistics.break_even import BreakEven


@command()
@click.argument("a", shell_complete=completion.plugins("methods"))
@click.argument("b", shell_complete=completion.plugins("methods"))
@folders_behind
@filter_options
@click.option("--metric", help="What to compare by, e.g. f1, margin/rehearsed; else what leads the table (contains).")
@click.option("--declared", is_flag=True, help="The pair was chosen before the results were seen: a family of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def compare(
    a: str, b: str, folders: tuple[Path, ...], metric: str | None, declared: bool, as_json: bool, **filters: Any
) -> None:
    """Compare two methods question by question.

    In every table that has both, of the cells stored in FOLDERS. A and B are methods, or labels as tables print them
    ("ft-c lr=0.01"). A pair that was picked from a table is judged as one of all its pairs; with --declared it stands
    alone.
    """
    refuse_unknown_names(folders, filters, a, b)
    from membench.analysis.compare import compare as compared

    cells = sound_cells(*folders)
    if not cells:
        raise MembenchError(nothing_in(folders))
    found = compared(cells, a, b, metric, declared, **filters)
    if as_json:
        print_json([comparison.plain() for comparison in found])
        return
    for comparison in found:
        print_line(comparison.title)
        print_table(["", comparison.metric], _lines(comparison))
        click.echo()


def _lines(c: Comparison) -> list[list[str]]:
    from membench.statistics.intervals import FEWEST

    none = "one seed says nothing about training" if c.p is None else "such data resolve no difference of shares"
    mde = f"none: {none}" if c.mde is None else f"{c.mde:.3f} with 80 % power"
    ends = f"[{c.low:+.3f}, {c.high:+.3f}]" if c.contexts >= FEWEST else "(too few contexts for an interval)"
    outside = f"; {c.outside} more are outside the metric" if c.outside else ""
    alone = f"alone {c.p_t:.2g} by Student's t, {c.p_flip:.2g} by sign flips"
    decides = "none: one seed" if c.p is None else f"{c.p:.2g}"
    return [
        [c.a, f"{c.score_a:.3f}"],
        [c.b, f"{c.score_b:.3f}"],
        ["difference", f"{c.difference:+.3f} {ends}"],
        ["verdict", c.verdict],
        ["p", f"{decides}; {alone}, over {c.contexts} contexts"],
        ["minimum detectable effect", mde],
        ["questions won, lost, tied", f"{c.wins}, {c.losses}, {c.ties}{outside}"],
        *([f"{name}, ratio", f"{ratio:.3g}"] for name, ratio in c.cost_ratios.items()),
        ["break-even, questions a context", _break_even(c.break_even)],
    ]


def _break_even(found: BreakEven) -> str:
    even = found.questions
    if even is None:
        return f"none: {found.why}"
    if even.low is None:
        return f"{even.value:.3g}, no interval: the costs were measured over one stretch of writing and asking"
    return f"{even.value:.3g} [{even.low:.3g}, {even.high:.3g}]"
