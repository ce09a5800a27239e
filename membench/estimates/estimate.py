"""How long a cell will take, before it is played: from the nearest stored cells, else from the reference run's seconds.

A cell's seconds are its contexts times the seconds of a write plus its questions times those of an answer; writes of
methods that have `epochs` count in proportion to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

from membench.planning.plan import PlannedCell
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.recipe import GOLD, REFERENCE
from membench.values import Ask

MEASURED = Path(__file__).with_name("measured.txt")  # made by benchmarks/measured.py


@dataclass(frozen=True)
class Estimate:
    """Seconds and peak bytes of a cell, None where nothing says; and what says so. `rough`: on another machine."""

    seconds: float | None
    peak_bytes: float | None
    source: str
    rough: bool = False


@dataclass(frozen=True)
class Rate:
    """Seconds a context to write and a question to answer, the epochs they were measured at, if any, and peak bytes."""

    write: float
    read: float
    epochs: float | None = None
    peak: float | None = None

    def seconds(self, contexts: int, questions: int, epochs: float | None) -> float:
        """Of a cell with so many of them."""
        scale = epochs / self.epochs if epochs and self.epochs else 1.0
        return contexts * self.write * scale + questions * self.read


@dataclass(frozen=True)
class Estimator:
    """Estimates from these results (of cells that are done) and, where they are silent, from the shipped seconds.

    A GPU's seconds say nothing of a CPU, nor the reverse: `of` takes only what was played on such a device.
    """

    results: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, output: Path, device: str) -> Estimator:
        """From what is stored in a folder, which may be missing, of cells that were played on this kind of device."""
        found = cell_folder.cells(output) if output.is_dir() else ()
        done = (cell.result for cell in found if cell.status == "done")
        return cls([result for result in done if _device(result.get("versions", {})) == _kind(device)])

    def estimate(self, cell: PlannedCell, path: Path | None = None) -> Estimate:
        """What a cell will take; `path` is the folder of its model, if that is there."""
        same_model = [r for r in self.results if _same(r, cell, ("method", "model", "dtype"))]
        nearest = _nearest(same_model, cell)
        rates = [rate for r in nearest if (rate := _rate(r))]
        if not rates:
            return self._rough(cell, path)
        peaks = [rate.peak for rate in rates if rate.peak]
        work = *_work(cell), _epochs(cell.recipe)
        seconds = median(rate.seconds(*work) for rate in rates)
        tasks = sorted({r["recipe"]["task"] for r in nearest})
        where = f"{len(rates)} stored cell{'s'[: len(rates) != 1]} of {cell.recipe['method']} on {', '.join(tasks)}"
        return Estimate(seconds, median(peaks) if peaks else None, where)

    def _rough(self, cell: PlannedCell, path: Path | None) -> Estimate:
        """By the reference run's seconds, in proportion to the model's parameters where those can be told."""
        name = cell.recipe["method"]
        if "endpoint" in cell.recipe:
            return Estimate(None, None, "nothing like it is stored of this endpoint")
        known = name if name in self._measured.rates else REFERENCE if cell.method.kind == "text" else None
        if known is None or known not in self._measured.rates:
            return Estimate(None, None, "nothing like it is stored, nor in the reference run")
        count = parameters(path) if path else None
        scale = count / self._measured.parameters if count else 1.0
        rate = self._measured.rates[known]
        seconds = rate.seconds(*_work(cell), _epochs(cell.recipe)) * scale
        same = "" if known == name else f", read as {known}"
        return Estimate(seconds, rate.peak and rate.peak * scale, f"rough: {self._measured.where}{same}", rough=True)

    @cached_property
    def _measured(self) -> Measured:
        return read_measured(MEASURED.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Measured:
    """The shipped seconds: of which model on which machine, its parameters, and the rates by method."""

    where: str
    parameters: int
    rates: Mapping[str, Rate]


def read_measured(text: str) -> Measured:
    """The shipped table: a line "# WHERE", a line "parameters N", then "METHOD WRITE READ EPOCHS PEAK"; "-" is none."""
    head, size, *lines = [line for line in text.splitlines() if line]
    rows = (line.split() for line in lines)
    rates = {name: Rate(*(None if x == "-" else float(x) for x in numbers)) for name, *numbers in rows}  # type: ignore[arg-type]
    return Measured(head.removeprefix("# "), int(size.split()[1]), rates)


def write_measured(results: Iterable[Mapping[str, Any]], model: str, count: int) -> str:
    """The table that `read_measured` reads, from results on one model: a method's lower median with defaults.

    Left out are tasks whose answers have a form of their own, such as lists, and what was timed beside other cells,
    unless a method has nothing else: its seconds are then too many.
    """
    mine = [r for r in results if r["recipe"]["model"] == model and r["status"] == "done" and _plain(r["recipe"])]
    mine = [
        r for r in mine if r["recipe"]["task"] == GOLD or registry.load("tasks", r["recipe"]["task"])().form is None
    ]
    alone = {r["recipe"]["method"] for r in mine if _rate(r) and not r["costs"].get("beside")}
    mine = [r for r in mine if not (r["costs"].get("beside") and r["recipe"]["method"] in alone)]
    rates: dict[str, list[Rate]] = {}
    for r in mine:
        if found := _rate(r):
            rates.setdefault(r["recipe"]["method"], []).append(found)
    machines = sorted({_machine(r["versions"]) for r in mine})
    lines = [f"# membench's reference run, {model} on {' and on '.join(machines)}", f"parameters {count}"]
    for name, those in sorted(rates.items()):
        middle = sorted(those, key=lambda rate: (rate.write, rate.read))[(len(those) - 1) // 2]
        numbers = (middle.write, middle.read, middle.epochs, middle.peak)
        lines.append(" ".join([name, *("-" if x is None else f"{x:.3g}" for x in numbers)]))
    return "\n".join(lines) + "\n"


def parameters(folder: Path) -> int | None:
    """How many parameters the safetensors files of a folder hold, by their headers; None without any."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(prod(entry["shape"]) for name, entry in head.items() if name != "__metadata__")
    return total or None


def _plain(recipe: Mapping[str, Any]) -> bool:
    return bool(recipe["settings"] == recipe.get("defaults", recipe["settings"]))


def _machine(versions: Mapping[str, Any]) -> str:
    threads = versions["threads"]
    gpu = versions.get("gpu") if _device(versions) == "cuda" else None
    named = gpu or versions.get("cpu") or versions["machine"]
    return f"{named} ({threads} thread{'s'[: threads != 1]})"


def _device(versions: Mapping[str, Any]) -> str:
    """The kind of device of a cell; where a result does not tell, the GPU of its machine if there was one."""
    return _kind(versions.get("device") or ("cuda" if versions.get("gpu") else "cpu"))


def _kind(device: str) -> str:
    """cuda:1 is a cuda."""
    return device.partition(":")[0]


def _same(result: Mapping[str, Any], cell: PlannedCell, keys: Sequence[str]) -> bool:
    return all(result["recipe"][key] == cell.recipe[key] for key in keys)


def _nearest(results: list[Mapping[str, Any]], cell: PlannedCell) -> list[Mapping[str, Any]]:
    """Of the same task where there are any, and among those of the same settings and data likewise."""
    for key in ("task", "settings", "data"):
        results = [r for r in results if _same(r, cell, (key,))] or results
    return results


def _rate(result: Mapping[str, Any]) -> Rate | None:
    write, read = (result["costs"].get(n) for n in ("write_seconds_per_context", "read_seconds_per_question"))
    if write is None or read is None:
        return None
    peak = result["costs"].get("cell_peak_bytes") or result["costs"].get("peak_bytes")
    return Rate(write, read, _epochs(result["recipe"]), peak)


def _epochs(recipe: Mapping[str, Any]) -> float | None:
    """Those of the method, or of its one part that has any."""
    found = [v for name, v in recipe["settings"].items() if f"_{name}".endswith("_epochs")]
    return float(found[0]) if len(found) == 1 and isinstance(found[0], int | float) else None


def _work(cell: PlannedCell) -> tuple[int, int]:
    """Contexts written and questions read; what an empty memory was asked before is not read again."""
    steps = [step for episode in cell.episodes() for step in episode.steps]
    asked = [question.id for step in steps if isinstance(step, Ask) for question in step.questions]
    return len(cell.written), len(set(asked)) if cell.method.kind == "nothing" else len(asked)
