"""Where stored cells are: the options and arguments that name folders, and what is read from them.

A folder that is read stands last on the command line, or several of them; one that is written is `-o`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.cli.shared.options import PathType
from membench.cli.shared.panels import in_panel

if TYPE_CHECKING:
    from membench.store.cell_folder import Cell

F = TypeVar("F", bound=Callable[..., Any])

USUAL, VARIABLE = Path("results"), "MEMBENCH_OUTPUT_DIR"
_FOLDER = PathType()
_EARLIER = "membench.folders"


def output_option(command: F) -> F:
    """Where cells are written."""
    option = in_panel("Where")(
        "-o", "--output", type=_FOLDER, default=USUAL, envvar=VARIABLE, show_default=True, show_envvar=True,
        help="Folder of the stored cells.",
    )  # fmt: skip
    return option(command)


def folders_argument(command: F) -> F:
    """Where stored cells are read from: one folder, or several that are read as one."""
    return click.argument("folders", type=_FOLDER, nargs=-1, default=(USUAL,), envvar=VARIABLE)(command)


def folders_behind(command: F) -> F:
    """The same for a command that is told something else first; `-o`, as it was once spelled, is understood too."""

    def keep(ctx: click.Context, _: click.Parameter, value: tuple[Path, ...]) -> None:
        ctx.meta[_EARLIER] = value

    def chosen(ctx: click.Context, parameter: click.Parameter, value: tuple[Path, ...]) -> tuple[Path, ...]:
        earlier: tuple[Path, ...] = ctx.meta[_EARLIER]
        typed = ctx.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
        return (*earlier, *value) if typed else earlier or value

    argument = click.argument(
        "folders", type=_FOLDER, nargs=-1, default=(USUAL,), envvar=VARIABLE, callback=chosen, metavar="[FOLDERS]..."
    )
    option = click.option(
        "-o", "--output", type=_FOLDER, multiple=True, hidden=True, is_eager=True, expose_value=False, callback=keep
    )
    return argument(option(command))


def nothing_in(folders: Sequence[Path]) -> str:
    """What is said where no cell of these folders is left to show, and what to type instead."""
    from membench.store import stored_cells

    named = ", ".join(map(str, folders))
    if any(stored_cells.cells(folder) for folder in folders):
        return (
            f"nothing stored in {named} matches: `membench ls runs {' '.join(map(str, folders))}` lists what is there"
        )
    below = [str(path) for folder in folders for path in sorted(folder.iterdir()) if path.is_dir() and _holds(path)]
    if below:
        return f"no cell is stored in {named} itself: name a folder that holds some: {', '.join(below)}"
    return (
        f"nothing stored in {named}: cells come by `membench run -m bm25 -t single -o {folders[0]}`; documents of your "
        "own are its --data folder:DIR"
    )


def _holds(folder: Path) -> bool:
    """Whether cells are stored in a folder."""
    from membench.io.atomic_files import half_written

    return any(not half_written(path.parent.name) for path in folder.glob("*/result.json"))


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
