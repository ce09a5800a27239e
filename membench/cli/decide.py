"""The commands that help to decide: compare and advise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from membench.cli.shell import NO_CHOICE, common, listed, print_json, print_table
from membench.cli.stored import folders_argument, folders_option, named, refuse_unknown_names, sound_cells
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.analysis.advise import Advice
    from membench.analysis.advise_choice import Candidate
    from membench.analysis.compare import Comparison
    from membench.statistics.break_even import BreakEven

F = TypeVar("F", bound=Callable[..., Any])


def _filters(command: F) -> F:
    """Which tables to look at."""
    for name, what in (("model", "models"), ("data", "data"), ("task", "tasks")):
        flags = ("-t", "--task") if name == "task" else (f"--{name}",)
        command = click.option(*flags, multiple=True, callback=listed, help=f"Only these {what}.")(command)
    return command


@click.command()
@click.argument("a")
@click.argument("b")
@folders_option
@_filters
@click.option("--metric", default="contains", show_default=True, help="What to compare by, e.g. f1, margin/rehearsed.")
@click.option("--declared", is_flag=True, help="The pair was chosen before the results were seen: a family of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def compare(
    a: str, b: str, folders: tuple[Path, ...], metric: str, declared: bool, as_json: bool, **filters: Any
) -> None:
    """Compare two methods, paired by question, in every table that has both.

    A and B are methods, or labels as tables print them ("ft-c lr=0.01"). A pair that was picked from a table is
    judged as one of all its pairs; with --declared it stands alone.
    """
    refuse_unknown_names(folders, filters, a, b)
    from membench.analysis.compare import compare as compared

    found = compared(sound_cells(*folders), a, b, metric, declared, **filters)
    if as_json:
        print_json([comparison.plain() for comparison in found])
        return
    for comparison in found:
        click.echo(comparison.title)
        print_table(["", comparison.metric], _lines(comparison))
        click.echo()


def _lines(c: Comparison) -> list[list[str]]:
    from membench.statistics.intervals import FEWEST

    mde = "none: one seed says nothing about training" if c.mde is None else f"{c.mde:.3f} with 80 % power"
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


class _Bytes(click.ParamType[float]):
    """A number of bytes: 1e7, 10MB, 10 MB; units of 1000s, as the tables print them."""

    name = "bytes"
    units: ClassVar[Mapping[str, float]] = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        found = re.fullmatch(r"\s*([0-9.]+(?:[eE][+-]?\d+)?)\s*([kKMGT]?B?)\s*", str(value))
        unit = found[2].upper() if found else "?"
        if not found or unit not in self.units or found[1].count(".") > 1 or found[1] == ".":
            self.fail(f"{value!r} is no number of bytes: write e.g. 1e7 or 10MB")
        return float(found[1]) * self.units[unit]


@click.command()
@folders_argument
@_filters
@click.option("--contexts", type=click.IntRange(min=1), required=True, help="Contexts to remember.")
@click.option("--questions", type=click.IntRange(min=0), required=True, help="Questions to answer in all.")
@click.option("--max-bytes", type=_Bytes(), help="Most bytes of the memory, at rest: 1e7 or 10MB.")
@click.option("--max-damage", type=click.FloatRange(min=0), help="Most damage to everything else, in points of 1.")
@click.option("--max-write-seconds", type=click.FloatRange(min=0), help="Most seconds to write all contexts.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def advise(ctx: click.Context, /, folders: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Say which of the measured methods fits a need, and what that rests on.

    One answer for each table of the cells stored in FOLDERS; damage is that of the task contamination, if played. Exit
    status 3 if no table gives a choice.
    """
    filters = {name: options.pop(name) for name in ("task", "data", "model")}
    refuse_unknown_names(folders, filters)
    from membench.analysis.advise import Need
    from membench.analysis.advise import advise as advised

    cells = sound_cells(*folders)
    if not cells and (deeper := [path for folder in folders for path in _holding(folder)]):
        raise MembenchError(
            f"no cell is stored in {named(folders)} itself: name a folder that holds some: {', '.join(deeper)}"
        )
    found = advised(cells, Need(**options), **filters)
    if as_json:
        print_json([asdict(advice) for advice in found])
        ctx.exit(0 if any(advice.choice for advice in found) else NO_CHOICE)
    costs = ["bytes", "write s", "total s", "damage", "limits", "cells"]
    for advice in found:
        click.echo(f"{advice.title}\n{advice.choice or 'no choice'}: {advice.because}")
        print_table(["method", advice.metric, *costs], [_candidate_line(candidate) for candidate in advice.candidates])
        for note in advice.notes:
            click.echo(note)
        click.echo()
    answers = [answer for answer in map(_answer, found) if answer]
    click.echo(f"answer: {'; '.join(answers) or 'no choice'}")
    if not answers:
        ctx.exit(NO_CHOICE)


def _holding(folder: Path) -> list[str]:
    """The folders below this one that hold cells."""
    return [str(path) for path in sorted(folder.iterdir()) if path.is_dir() and any(path.glob("*/result.json"))]


def _answer(advice: Advice) -> str:
    """The choice of one table, with its price and cells; "" for none."""
    from membench.analysis.advise_choice import price

    task, *_, sized = advice.title.split(" · ")[:4]
    found = next((c for c in advice.candidates if c.label == advice.choice), None)
    if found is None:
        return ""
    cells = ", ".join(i[:8] for i in found.cells)
    return f"{task} ({sized}): {found.label}, {price(found)}, cells {cells}"


def _candidate_line(c: Candidate) -> list[str]:
    from membench.analysis.advise_choice import spelt
    from membench.tables.formatting import size

    ends = "" if c.low is None else f" [{c.low:.2f}, {c.high:.2f}]"
    seconds = [spelt(x).removesuffix(" s") for x in (c.write_seconds, c.total_seconds)]
    numbers = ["" if c.bytes is None else size(c.bytes), *seconds, "" if c.damage is None else f"{c.damage:.2f}"]
    return [c.label, f"{c.score:.2f}{ends}", *numbers, "; ".join(c.misses) or "kept", " ".join(i[:8] for i in c.cells)]
