"""The options of `membench run` that say who plays: which part of the cells, on how many workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.errors import MembenchError, standing_at

if TYPE_CHECKING:
    from membench.planning.shards import Shard

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Crew:
    """Who plays a run; nothing of it changes a cell."""

    shard: Shard | None = None


def crew_options(command: F) -> F:
    """The options, which hold for a whole run."""
    options = (
        click.option("--shard", metavar="I/N", help="Only part I, from 1, of N; together the parts are the whole run."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def crew_of(blocks: Sequence[tuple[str, dict[str, Any]]]) -> Crew:
    """Who plays, taken out of the blocks' options. Raises MembenchError where blocks differ in it."""
    from membench.planning.shards import shard

    given = {name: _one(blocks, name) for name in ("shard",)}
    with standing_at(blocks[0][0]):
        return Crew(shard=shard(given["shard"]) if given["shard"] else None)


def _one(blocks: Sequence[tuple[str, dict[str, Any]]], name: str) -> Any:
    (_, first), *others = blocks
    value = first.pop(name)
    for place, block in others:
        if block.pop(name) != value:
            raise MembenchError(f"{place}: {name} is the whole run's: let it stand above `runs`")
    return value
