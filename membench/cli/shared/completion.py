"""Names that a shell completes, from the registry and from the names of folders: nothing heavy is imported for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def plugins(kind: str) -> Completer:
    """Completes names of a kind ("methods", "tasks" or "data"), of several with commas between them the last one."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        from membench.plugins import registry

        before, comma, last = typed.rpartition(",")
        found = _begun(last, registry.names(kind), before.split(","))
        return [CompletionItem(f"{before}{comma}{name}") for name in found]

    return complete


def models(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Completes names of packaged models."""
    from membench.io import weights

    return [CompletionItem(name) for name in _begun(typed, weights.ALIASES)]


def cells(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Completes names of the folders of stored cells, and ids as these end with, once something is typed."""
    from membench.io.atomic_files import half_written
    from membench.store.recipe import FOLDER_NAMES

    there = [name for folder in _folders(ctx) for name in _listing(folder) if not half_written(name)]
    names = [name for name in there if name.count("--") == len(FOLDER_NAMES)]
    ids = [name.rpartition("--")[2] for name in names] if typed else []
    return [CompletionItem(name) for name in _begun(typed, [*names, *ids])]


def _folders(ctx: click.Context) -> Sequence[Path]:
    found = ctx.params.get("folders") or ctx.params.get("output")
    return [found] if isinstance(found, Path) else found or []


def _listing(folder: Path) -> list[str]:
    with suppress(OSError):  # a folder that cannot be read has no names to complete
        return sorted(os.listdir(folder))
    return []


def _begun(typed: str, names: Iterable[Any], taken: Sequence[str] = ()) -> list[str]:
    return [name for name in map(str, names) if name.startswith(typed) and name not in taken]
