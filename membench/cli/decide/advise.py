"""The command that says which memory fits a need."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from membench.cli.shared.filters import filters as filter_options
from membench.cli.shared.folders import USUAL, VARIABLE, folders_argument, nothing_in, refuse_unknown_names, sound_cells
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_line
from membench.cli.shared.shell import NO_CHOICE
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.advice.answer_once import Answer
    from membench.advice.choice import Candidate


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


class _Seconds(click.ParamType[float]):
    """A time: 1s, 800ms, or a number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number of seconds."""
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|s)?\s*", str(value))
        if not found:
            self.fail(f"{value!r} is no time: write e.g. 1s or 800ms")
        return float(found[1]) / (1000 if found[2] == "ms" else 1)


MOST = 10**15  # texts or questions; greater numbers are slips of the hand


@command()
@folders_argument
@filter_options
@click.option(
    "--texts", "--contexts", "contexts", type=click.IntRange(1, MOST), required=True, help="Texts to remember."
)
@click.option(
    "--questions-per-month", "--questions", "questions", type=click.IntRange(0, MOST), required=True,
    help="Questions to answer in a month.",
)  # fmt: skip
@click.option(
    "--update", type=click.Choice(["never", "monthly", "weekly", "daily"]), default="never", show_default=True,
    help="How often all texts are written anew.",
)  # fmt: skip
@click.option(
    "--delete",
    type=click.Choice(["required", "no"]),
    default="no",
    help="Whether single texts must be forgotten, exactly.",
)
@click.option("--p95", type=_Seconds(), help="Most seconds that 95 of 100 questions wait: 1s or 800ms.")
@click.option("--price-per-hour", type=click.FloatRange(min=0), help="Price of an hour of this machine.")
@click.option("--max-bytes", type=_Bytes(), help="Most bytes of the memory, at rest: 1e7 or 10MB.")
@click.option("--max-damage", type=click.FloatRange(min=0), help="Most damage to everything else, in points of 1.")
@click.option("--max-write-seconds", type=click.FloatRange(min=0), help="Most seconds to write all texts once.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def advise(ctx: click.Context, /, folders: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Say which measured memory fits a need, and why.

    One answer from the cells stored in FOLDERS. A need that nothing stored tells of is said, with the command that
    measures it; so are more than ten times as many texts as a memory held. Exit status 3 if there is no choice.
    """
    filters = {name: options.pop(name) for name in ("task", "data", "model")}
    options["delete"] = options["delete"] == "required"
    refuse_unknown_names(folders, filters)
    from membench.advice.advise import Need
    from membench.advice.answer_once import answer

    cells = sound_cells(*folders)
    if not cells:
        raise MembenchError(nothing_in(folders))
    found = answer(cells, Need(**options), **filters)
    if as_json:
        print_json(asdict(found))
    else:
        for line in (*_answered(found), *_then(found, folders)):
            if "membench run" in line:  # a command stays one line, ready to be copied
                click.echo(line)
            else:
                print_line(line)
    if not found.choice:
        ctx.exit(NO_CHOICE)


def _answered(found: Answer) -> Iterator[str]:
    """The answer in a few lines: choice, numbers, what it rests on, what is missing, why not the others."""
    yield f"{found.choice or 'no choice'}: {found.because}"
    if found.chosen:
        yield f"  {_numbers(found.chosen, found.metric)}"
    for gap in found.missing:
        yield f"  {gap.need} not measured: " + (gap.command or "no installed task measures it")
    cells = f"; cells {', '.join(i[:8] for i in found.chosen.cells)}" if found.chosen else ""
    yield f"rests on {found.rests_on}{cells}"
    others = [c for c in found.candidates if c is not found.chosen]
    if not found.chosen:
        shown = "; ".join(f"{c.label} {_score(c)}" for c in sorted(others, key=lambda c: -c.score)[:3])
        yield f"there: {shown}"
    yield from _refused(others)
    if found.others:
        yield f"other tables choose: {', '.join(f'{label} ({count})' for label, count in found.others.items())}"
    if found.chosen:
        yield from (f"note: {note}" for note in found.notes[:1])


def _refused(others: Sequence[Candidate]) -> Iterator[str]:
    """Who is over a limit, by what it is over: one that is so by numbers of its own has them behind it."""
    alike: dict[str, list[str]] = {}
    for c in others:
        if c.misses:
            alike.setdefault(" and ".join(c.misses), []).append(c.label)
    those = [f"{miss} ({', '.join(labels)})" for miss, labels in alike.items()]
    if those:
        yield f"over the limits: {'; '.join(those)}"


def _then(found: Answer, folders: tuple[Path, ...]) -> Iterator[str]:
    """What to do once the missing is measured; on which data it is to be measured, if they are not one's own."""
    commands = [gap.command for gap in found.missing if gap.command]
    if not commands:
        return
    written = Path(os.environ.get(VARIABLE) or USUAL)
    behind = "" if written in folders else f", with {written} behind it"
    yield f"then ask again{behind}{_of_own_texts(shlex.split(commands[0]))}"


def _of_own_texts(words: Sequence[str]) -> str:
    """How a command measures on one's own documents; cells know those by their names and not by their places."""
    source, _, name = words[words.index("--data") + 1].partition(":")
    if source not in ("folder", "jsonl"):
        return "; with --data folder:DIR it is measured on your documents"
    return "" if Path(name).exists() else f"; type {source}:{name} with the path to it"


def _numbers(c: Candidate, metric: str) -> str:
    from membench.advice.choice import spelt
    from membench.tables.formatting import size

    price = "" if c.cost is None else f" (price {c.cost:,.2f})"
    parts = [
        f"{metric.removesuffix('/all')} {_score(c)}",
        "bytes unknown" if c.bytes is None else size(c.bytes),
        f"{spelt(c.write_seconds) or 'unknown seconds'} to write all texts",
        f"{spelt(c.total_seconds) or 'unknown seconds'} a month{price}",
    ]
    parts += [] if c.p95 is None else [f"p95 {c.p95:.2f} s"]
    parts += [] if c.damage is None else [f"damage at most {c.damage:.2f}"]
    return ", ".join(parts)


def _score(c: Candidate) -> str:
    return f"{c.score:.2f}" + ("" if c.low is None else f" [{c.low:.2f}, {c.high:.2f}]")
