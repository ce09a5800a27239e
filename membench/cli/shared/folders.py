"""Where stored cells are: the options and arguments that name folders, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.cli.shared.options import PathType

if TYPE_CHECKING:
    from membench.store.cell_folder import Cell

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = PathType()


def output_option(command: F) -> F:
    """Where runs are stored."""
    return click.option(
        "-o",
        "--output",
        type=_FOLDER,
        default=Path("results"),
        envvar="MEMBENCH_OUTPUT_DIR",
        show_default=True,
        show_envvar=True,
        help="Folder of the stored cells.",
    )(command)


def folders_argument(command: F) -> F:
    """Where stored runs are read from: one folder, or several that are read as one."""
    default = (Path("results"),)
    return click.argument("folders", type=_FOLDER, nargs=-1, default=default, envvar="MEMBENCH_OUTPUT_DIR")(command)


def folders_option(command: F) -> F:
    """The same for a command whose arguments are something else."""
    option = click.option(
        "-o", "--output", "folders", type=_FOLDER, multiple=True, default=(Path("results"),), show_default="results",
        envvar="MEMBENCH_OUTPUT_DIR", show_envvar=True, help="Folder of the stored cells; several are read as one.",
    )  # fmt: skip
    return option(command)


def named(folders: Sequence[Path]) -> str:
    """The folders as a message has them."""
    return ", ".join(map(str, folders))


def refuse_unknown_names(folders: Sequence[Path], filters: Mapping[str, Any], *methods: str) -> None:
    """Refuse names of filters, and of methods or rows, that nothing has, before what makes tables is imported.

    Raises MembenchError.
    """
    from membench.analysis.known_names import refuse_unknown, refuse_unknown_rows

    refuse_unknown(folders, **{name: filters.get(name, ()) for name in ("task", "data", "model", "method")})
    refuse_unknown_rows(folders, [*methods, *([filters["against"]] if filters.get("against") else [])])


def sound_cells(*folders: Path) -> list[Cell]:
    """The stored cells, for a command that looks at records; of one that cannot be relied on, a line says why."""
    from membench.analysis.several_folders import cells_of
    from membench.store import cell_folder

    found = list(cell_folder.checked(cells_of(folders)))
    for cell in found:
        if cell.damage:
            click.echo(f"left out: {cell.damage}", err=True)
    return found
