"""Rewrites the marked blocks of the documents from stored results and from the code: none of it was typed by hand.

    python benchmarks/tables.py [--check] [--results FOLDER] [FILE...]

A block stands between `<!-- table: NAME -->` and `<!-- end -->`, each on a line of its own. NAME is one of

    TASK DATA MODEL          the columns of COMPACT, a table for each limit and each setting of the task
    full TASK DATA MODEL     all columns, as `membench leaderboard --format md` prints them
    card TASK DATA MODEL     the risk card alone
    short [TASK] DATA MODEL  the short table of `membench leaderboard`, without seconds to read
    curves TASK DATA MODEL   what the figures of retention and drift along a sequence show, with theory, as tables
    kept TASK DATA MODEL METHOD,METHOD  of these methods what is left of rehearsed facts along a sequence, and its cost
    columns                  how to read the columns
    fair                     other scores of the same answers beside contains
    shares                   text alone, and text with weights, at each share of the text that is retained
    tuning                   the rows of the tuning grid, and each method's best one (benchmarks/tune_rows.py)
    ladder                   how well and how fast retrievers find the passage asked about (benchmarks/ladder_rows.py)
    settings METHOD,METHOD   the defaults of these methods
    findings N               the first N sentences of what the run says (benchmarks/findings.py)

A block for which nothing is stored is left empty. Exit status 1 with --check if a file is stale (nothing is written), 2
if a block is malformed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from fair_metrics import fair
from findings import sentences
from ladder_rows import ladder_table
from text_and_weights import grid, shown, swept
from tune_rows import tuning_table

from membench.api import settings_of
from membench.errors import MembenchError
from membench.figures.plot_curves import drift_plots, retention_plot
from membench.formats.markdown import Grid, markdown_grid
from membench.overview.lines import overviews
from membench.overview.short_text import short_text
from membench.plugins import registry
from membench.store import cell_folder
from membench.tables.columns import RISK, columns_help
from membench.tables.leaderboard import Table, tables
from membench.tables.render import grids, notes, render

ROOT = Path(__file__).parent.parent
FILES = (
    "README.md", "docs/findings.md", "docs/reference.md", "docs/results.md", "docs/columns.md", "docs/methods.md",
    "docs/scores.md", "docs/tuning.md", "docs/combined.md", "docs/deletion.md", "docs/composition.md",
    "docs/conversation.md", "docs/retrieval.md",
)  # fmt: skip
COMPACT = (
    "recall@1", "recall@5", "placebo@5", "valid", "titles", "mrr mc", "contains", "recovery", "group", "MDE",
    "rehearsed", "recovery rehearsed", "unrehearsed", "margin recovery rehearsed", "placebo",
    "gain", "final rehearsed", "kept", "half-life", "F1",
    "fid F1", "fid KL", "drift_ppl", "flips", "write s", "read s", "state", "coverage",
)  # fmt: skip
KEPT = ("rehearsed", "final rehearsed", "kept", "half-life", "write s", "read s")
FORMS = ("full", "card", "curves", "short", "kept")

_OPEN, _END = "<!-- table: ", "<!-- end -->"
_BLOCK = re.compile(r"^<!-- table: ([^\n]+) -->\n(.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE)


def rewritten(text: str, cells: Sequence[cell_folder.Cell], home: str = "") -> str:
    """The text with its blocks made anew, all else as it was; `home` leads from it to the repository's root.

    Raises MembenchError for a malformed block.
    """
    found = list(_BLOCK.finditer(text))
    if len(found) != text.count(_OPEN) or any(_OPEN in block[2] for block in found):
        raise MembenchError(f"a block opens with a line `{_OPEN}NAME -->` and ends with a line `{_END}`; one does not")
    return _BLOCK.sub(lambda block: f"{_OPEN}{block[1]} -->\n{_body(block[1], cells, home)}{_END}", text)


def _body(name: str, cells: Sequence[cell_folder.Cell], home: str) -> str:
    if name == "columns":
        return f"{columns_help()}\n"
    if name == "fair":
        return f"\n{fair(cells)}\n\n"
    if name == "shares":
        return f"\n{grid(shown([*cells, *swept()]))}\n\n"
    if name in ("tuning", "ladder"):
        return f"\n{markdown_grid(tuning_table() if name == 'tuning' else ladder_table())}\n\n"
    words = name.split()
    if words[0] == "settings":
        return f"\n{markdown_grid(_defaults(words[1].split(',')))}\n\n"
    if words[0] == "findings" and len(words) == 2 and words[1].isdecimal():
        return f"\n{sentences(cells, int(words[1]), home)}\n"
    form = words.pop(0) if words[0] in FORMS else ""
    if form == "short" and len(words) == 2:
        return f"\n{short(tables(cells, data=words[0], model=words[1]))}\n"
    methods = words.pop() if form == "kept" else ""
    if len(words) != 3:
        raise MembenchError(
            f"block {name!r}: write [{'|'.join(FORMS)}] TASK DATA MODEL [METHODS], settings METHODS, findings N, "
            "fair, shares, tuning, ladder, or columns"
        )
    task, data, model = words
    found = tables(cells, task=task, data=data, model=model)
    if not found:
        click.echo(f"nothing is stored for block {name!r}", err=True)
        return ""
    if form == "curves":
        return f"\n{curves(found, {cell.id: cell.recipe['settings'] for cell in cells})}\n"
    if form == "short":
        return f"\n{short(found)}\n"
    if form == "kept":
        return f"\n{markdown_grid(kept(found, methods.split(',')))}\n\n"
    if form == "card":
        return "\n" + "\n\n".join(f"**{t.title}**\n\n{markdown_grid(grids(t)[RISK])}" for t in found) + "\n\n"
    return f"\n{render(found, 'md') if form else compact(found)}\n"


def compact(found: Sequence[Table]) -> str:
    """Each table with the columns of COMPACT that it has, as markdown."""
    blocks = []
    for table in found:
        grid = _chosen(table)
        blocks += [f"**{table.title}**", markdown_grid(grid), *notes(table, {"": grid})]
    return "\n\n".join(blocks) + "\n"


def kept(found: Sequence[Table], methods: Sequence[str]) -> Grid:
    """The lines of these methods in the table with most of them, with the columns of KEPT."""
    head, *lines = _chosen(max(found, key=lambda table: len(table.entries)), KEPT)
    return [head, *(line for name in methods for line in lines if line[0].split()[0] == name)]


def short(found: Sequence[Table]) -> str:
    """The short table of one data and model."""
    made = overviews(found)
    return short_text([replace(o, measures=tuple(m for m in o.measures if m.head != "read s")) for o in made], "md", 80)


def curves(found: Sequence[Table], settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Of each table, the numbers of its figures along a sequence; `settings` are those of cells, by their ids."""
    blocks = []
    for table in found:
        played = [entry for entry in table.entries if entry.status == "done"]
        plots = (retention_plot(played, settings), *drift_plots(played, table.recipe["task_settings"]))
        for plot in filter(None, plots):
            blocks += [f"**{plot.title}** · {table.title}", markdown_grid(plot.grid)]
    return "\n\n".join(blocks) + "\n"


def _chosen(table: Table, heads: Sequence[str] = COMPACT) -> Grid:
    """The method and these columns, from whichever section they stand in."""
    columns = {column[0]: column for grid in grids(table).values() for column in zip(*grid, strict=True)}
    chosen = [columns[head] for head in ("method", *heads) if head in columns]
    return [list(line) for line in zip(*chosen, strict=True)]


def _defaults(methods: Sequence[str]) -> Grid:
    """A line a setting, a column a method; empty where it has no such setting."""
    found = [settings_of(registry.load("methods", name)()) for name in methods]
    names = dict.fromkeys(name for settings in found for name in settings)
    return [["setting", *methods], *([name, *(str(settings.get(name, "")) for settings in found)] for name in names)]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--results", type=click.Path(path_type=Path), default=ROOT / "results" / "reference")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 if a file is stale.")
def main(files: Sequence[Path], results: Path, check: bool) -> None:
    """Rewrite the marked blocks of FILES, by default those of the repository."""
    cells = list(cell_folder.cells(results)) if results.is_dir() else []
    stale = []
    for path in files or [ROOT / name for name in FILES if (ROOT / name).exists()]:
        text = path.read_text(encoding="utf-8")
        try:
            fresh = rewritten(text, cells, "../" if path.resolve().parent.name == "docs" else "")
        except MembenchError as error:
            click.echo(f"{path}: {error}", err=True)
            sys.exit(2)
        if fresh != text:
            stale.append(path)
            if not check:
                path.write_text(fresh, encoding="utf-8")
    for path in stale:
        click.echo(f"{path}: {'stale: run `make tables`' if check else 'written'}")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
