"""The command that plays a small folder of documents that comes with membench."""

from __future__ import annotations

from pathlib import Path

import click

import membench.documents
from membench.cli.play.run import run
from membench.cli.shared.manners import common, note
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command

DEMO = (Path(membench.documents.__file__).with_name("demo"), ("bm25", "full-context", "selfparam"), 2)


@command()
@click.option("-o", "--output", type=PathType(), default=Path("demo"), show_default=True,
              help="Folder of the results.")  # fmt: skip
@common
@click.pass_context
def demo(ctx: click.Context, output: Path) -> None:
    """Play three memories on documents that come with membench.

    It takes two minutes on two cores.
    """
    folder, methods, limit = DEMO
    typed = ["-m", ",".join(methods), "-t", "single", "--data", f"folder:{folder}", "-L", str(limit), "-o", str(output)]
    note(f"$ membench run {' '.join(typed)}")
    with run.make_context("run", typed, parent=ctx) as own:
        run.invoke(own)
    note(
        f"\nYour documents: membench run -m bm25,full-context -t batch --data folder:DIR\n"
        f"Once more, as one table: membench leaderboard {output}"
    )
