"""`membench run`: from flags and a file of options to requests, and what is said when they are played."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from membench.cli.look.leaderboard import print_tables
from membench.cli.play.crew import crew_of
from membench.cli.play.judged import judged, refuse_judges
from membench.cli.play.run_options import run_options
from membench.cli.shared.judging import judging
from membench.cli.shared.manners import common, debugging, note, progress_console, verbose
from membench.cli.shared.panels import command
from membench.cli.shared.shell import FAILED
from membench.errors import MembenchError, standing_at
from membench.planning.run_file import Block, Given, read, write
from membench.text.visible import visible

SETTINGS = ("method-setting", "task-setting")  # options that take a map in a file


@command()
@run_options
@common
@click.pass_context
def run(ctx: click.Context, /, file: Path | None, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Play what is missing and print its tables.

    A cell is a method on a task, with some data, model and seed. The same command again does only what is missing.
    """
    blocks = _blocks(ctx, file, {"dry_run": dry_run, "as_json": as_json, **options})
    dry_run, as_json = (any([given.pop(name) for _, given in blocks]) for name in ("dry_run", "as_json"))
    judges = [judge for _, given in blocks if (judge := given.pop("judge")) is not None]
    crew = crew_of(blocks)
    from membench.planning.request import Request, refuse_unknown_names

    requests = [Request(**given, place=place) for place, given in blocks]
    for request in requests:  # before anything is imported, so that a wrong name is answered at once
        with standing_at(request.place):
            refuse_unknown_names(request)
    with progress_console().status("looking up methods and importing what they need"):  # which takes seconds
        from membench.planning.validation import validate

        for request in requests:
            with standing_at(request.place):
                validate(request)
    refuse_judges(judges, requests)
    if dry_run:
        from membench.cli.play.dry_run import print_plan

        print_plan(requests, crew.shard, as_json)
        return
    with judging(judges[0] if judges else None, requests[0].base_url) as judge:
        results = _play(ctx, requests, [given for _, given in blocks], crew)
        if judge:
            results = judged(results, judge)
    print_tables(results, as_json)
    if any(result["status"] == "failed" for those in results.values() for result in those):
        ctx.exit(FAILED)


def _play(
    ctx: click.Context, requests: Sequence[Any], blocks: Sequence[Mapping[str, Any]], crew: Any
) -> dict[Path, list[Any]]:
    """Play the blocks one after another, once all of them are known to be right; the results by folder."""
    from membench.cli.play.closing_lines import Outcome, summary
    from membench.running import runner
    from membench.running.progress import Reporter

    reporter, started = Reporter(progress_console(), verbose()), time.monotonic()
    sessions = runner.sessions_of(requests, reporter, debugging(ctx), crew.shard)
    saved = _save(ctx, blocks)
    results: dict[Path, list[Any]] = {}
    try:
        for session, played in zip(sessions, crew.play(sessions, reporter, debugging(ctx)), strict=True):
            results.setdefault(session.request.output, []).extend(played)
    except MembenchError:
        if not any(session.played for session in sessions):
            sessions = []  # the call is wrong: one line says why, and nothing has happened
        raise
    finally:
        outcomes = [
            Outcome(s.request.output, s.turn, tuple(s.played.values()), saved[s.request.output], not s.over)
            for s in sessions
        ]
        for line in summary(outcomes, time.monotonic() - started) if outcomes else ():
            note(visible(line))
    return results


def _blocks(ctx: click.Context, file: Path | None, typed: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The options of each block of the file (of the only one, without a file): typed flags, then the file's, then
    what the environment or the default says; with the block's place. Raises MembenchError with file and line; without
    a file, MissingParameter.
    """
    by_name = {option: p for p in ctx.command.params if p.expose_value and (option := _long(p)) != "config"}
    blocks: list[tuple[str, dict[str, Any]]] = []
    for given in read(file, list(by_name), SETTINGS) if file else [Block({}, "")]:
        block = dict(typed)
        for name, value in given.given.items():
            parameter = by_name[name]
            if ctx.get_parameter_source(str(parameter.name)) is not ParameterSource.COMMANDLINE:
                block[str(parameter.name)] = _converted(ctx, parameter, name, value)
        for name in ("method", "task"):
            if not block[f"{name}s"]:
                missing = click.MissingParameter(ctx=ctx, param=by_name[name])
                raise MembenchError(f"{given.place}: {missing.format_message()}") if file else missing
        blocks.append((given.place, block))
    return blocks


def _converted(ctx: click.Context, parameter: click.Parameter, name: str, given: Given) -> Any:
    """A value of the file, as the same text on the command line would be. Raises MembenchError with file and line."""
    if given.several and not parameter.multiple and name != "seeds":
        raise MembenchError(f"{given.place}: {name} wants one value, got a list; `runs:` takes several blocks")
    try:
        return parameter.process_value(ctx, given.texts if parameter.multiple else ",".join(given.texts))
    except (click.BadParameter, MembenchError) as error:
        said = error.message if isinstance(error, click.BadParameter) else str(error)
        raise MembenchError(f"{given.place}: {name}: {said}") from None


def _save(ctx: click.Context, blocks: Sequence[Mapping[str, Any]]) -> dict[Path, Path]:
    """Keep the options beside the results, in each folder; returns the files. The same options are the same file.

    What is secret in the URL of an endpoint is left out.
    """
    from membench.endpoints.endpoint_address import without_secrets
    from membench.io.atomic_files import make_folder, replace_file, sweep_parts

    names = {str(p.name): _long(p) for p in ctx.command.params}
    plain = [{names[n]: _plain(v) for n, v in b.items() if n != "overwrite" and v not in (None, ())} for b in blocks]
    what = "prints this comparison and plays what is missing of it, from the same folder"
    for block in plain:
        block.update({"base-url": without_secrets(block["base-url"])} if "base-url" in block else {})
    text = f"# membench run -C THIS_FILE {what}.\n{write(plain)}"
    saved = {}
    for folder in dict.fromkeys(block["output"] for block in blocks):
        path = folder / "runs" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
        make_folder(path.parent)
        sweep_parts(path.parent)
        replace_file(path, text.encode())
        saved[folder] = path
    return saved


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


def _long(parameter: click.Parameter) -> str:
    """An option's long name, without the dashes."""
    return next(name for name in parameter.opts if name.startswith("--"))[2:]
