"""The options of `membench run` that say who plays: which part of the cells, on how many workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from membench.cli.shared.options import listed
from membench.cli.shared.panels import in_panel, together
from membench.errors import MembenchError, standing_at

if TYPE_CHECKING:
    from membench.crew.workforce import Workforce

NAMES = ("workers", "executor", "address", "executor_settings", "shard")


_where = in_panel("Where")
crew_options = together(
    _where("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Cells at once."),
    _where(
        "--executor", type=click.Choice(["local", "ray", "slurm"]), default="local", show_default=True,
        help="What runs the workers: processes here, Ray's actors, or SLURM's array jobs.",
    ),
    _where("--address", help="Of the Ray cluster, else RAY_ADDRESS; without one it is started here."),
    _where(
        "--executor-setting", "executor_settings", multiple=True, metavar="KEY=VALUE", callback=listed,
        help="A setting of SLURM's jobs as submitit names it, e.g. slurm_partition=gpu.",
    ),
    _where("--shard", metavar="I/N", help="Only part I, from 1, of N; together the parts are the whole run."),
)  # fmt: skip


def crew_of(blocks: Sequence[tuple[str, dict[str, Any]]]) -> Workforce:
    """Who plays, taken out of the blocks' options. Raises MembenchError where blocks differ in it."""
    from membench.crew.workforce import workforce

    given = {name: _one(blocks, name) for name in NAMES}
    with standing_at(blocks[0][0]):
        return workforce(**given)


def _one(blocks: Sequence[tuple[str, dict[str, Any]]], name: str) -> Any:
    (_, first), *others = blocks
    value = first.pop(name)
    for place, block in others:
        if block.pop(name) != value:
            raise MembenchError(f"{place}: {name} is the whole run's: let it stand above `runs`")
    return value
