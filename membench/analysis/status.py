"""How far the runs of a folder are: from their plans, the cells that are stored, and the leases of those played now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from membench.errors import MembenchError
from membench.estimates.forecast import Forecast
from membench.io.atomic_files import half_written
from membench.io.locks import Owner, owner_of
from membench.io.plain_files import NoFile, read_plain
from membench.planning.plan_file import Plan, Planned, read_plans
from membench.store.cell_folder import LOCK, Cell, cells
from membench.store.cell_lock import SINCE
from membench.store.records import FILE


@dataclass(frozen=True)
class Playing:
    """A cell that is played now: by whom, since when, and how many of its steps are closed."""

    cell: Planned
    owner: Owner
    since: str | None
    steps: int


@dataclass(frozen=True)
class Status:
    """The cells of a folder by their state; `left` are seconds until all are played, where that can be told."""

    done: int
    failed: tuple[Cell, ...]
    playing: tuple[Playing, ...]
    waiting: tuple[Planned, ...]
    left: float | None

    @property
    def planned(self) -> int:
        """All cells, planned or stored."""
        return self.done + len(self.failed) + len(self.playing) + len(self.waiting)


def status_of(root: Path) -> Status:
    """The state of all cells that runs have planned in a folder, and of all that are stored there.

    Raises MembenchError if there is no such folder.
    """
    if not root.is_dir():
        raise MembenchError(f"no folder {root}: nothing was played there yet; name the one of the run")
    plans = read_plans(root)
    playing = {play.cell.folder: play for play in _playing(root, plans)}  # before the results: it may end meanwhile
    stored = {cell.folder.name: cell for cell in cells(root) if cell.folder.name not in playing}
    planned = {cell.folder: cell for plan in plans for cell in plan.cells}
    waiting = [cell for name, cell in planned.items() if name not in playing and name not in stored]
    failed = tuple(cell for cell in stored.values() if cell.status != "done")
    left = _left(planned, stored, tuple(playing.values()), waiting, plans)
    return Status(len(stored) - len(failed), failed, tuple(playing.values()), tuple(waiting), left)


def _playing(root: Path, plans: Sequence[Plan]) -> list[Playing]:
    known = {cell.folder: cell for plan in plans for cell in plan.cells}
    found = []
    for lease in sorted(root.glob(f"*/{LOCK}.lease")):
        folder = lease.parent
        if not half_written(folder.name) and (owner := owner_of(folder / LOCK)):
            cell = known.get(folder.name) or Planned(folder.name.rpartition("--")[2], folder.name, folder.name)
            found.append(Playing(cell, owner, _text(folder / SINCE), _closed(folder)))
    return found


def _text(path: Path) -> str | None:
    try:
        return read_plain(path).decode()
    except (FileNotFoundError, NoFile, ValueError):
        return None


def _closed(folder: Path) -> int:
    """How many steps are closed; a line that is not whole yet is none."""
    try:
        lines = read_plain(folder / FILE).split(b"\n")[:-1]
    except (FileNotFoundError, NoFile):
        return 0
    return sum(not line.startswith(b'{"type":"answer"') for line in lines)


def _left(
    planned: dict[str, Planned],
    stored: dict[str, Cell],
    playing: Sequence[Playing],
    waiting: Sequence[Planned],
    plans: Sequence[Plan],
) -> float | None:
    """By what cells were expected to take, scaled by what those of these runs took, shared by all that play."""
    order = list(planned)
    forecast = Forecast([planned[name].seconds for name in order])
    begun = min((plan.started for plan in plans), default="")
    for number, name in enumerate(order):
        result = stored[name].result if name in stored else {}
        if result.get("status") == "done" and str(result.get("started", "")) >= begun:
            took = _seconds(result.get("started"), result.get("finished"))
            if took is not None:
                forecast.took(number, took)
    now = datetime.now(UTC).isoformat()
    place = {name: number for number, name in enumerate(order)}
    rest = [forecast.of(place[cell.folder]) for cell in waiting]
    for play in playing:
        whole = forecast.of(place.get(play.cell.folder, len(order)))
        rest.append(whole and max(0.0, whole - (_seconds(play.since, now) or 0.0)))
    known = [seconds for seconds in rest if seconds is not None]
    return sum(known) / max(1, len(playing)) if len(known) == len(rest) else None


def _seconds(begun: object, ended: object) -> float | None:
    """Between two times as text; None where one is none, or the end is before the beginning."""
    first, last = (time_of(text) for text in (begun, ended))
    return (last - first).total_seconds() if first and last and first <= last else None


def time_of(text: object) -> datetime | None:
    """A time that was written with its offset; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
