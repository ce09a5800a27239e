"""Logs of inspect (inspect_ai): JSON as it stands, `.eval` by inspect's own reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.imported.results import (
    Item,
    Results,
    context_of,
    hash_of,
    part,
    score_name,
    score_of,
    settings_from,
    unique,
)
from membench.io.plain_files import read_plain
from membench.io.user_files import parse_json, read_text, user_path, want

LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partially, incorrect, no answer
_ZIP = b"PK"


def read_log(path: str) -> list[Results]:
    """The results of a log, one an epoch, which counts as a seed (the first is seed 0); the method is TASK@MODEL.

    A score is called by its scorer, a part of one SCORER.PART. The task's and the model's arguments and the solver are
    settings; those of the task that were passed are always shown. Raises MembenchError for a run that did not end well,
    and with the place of what is no log.
    """
    text = _text(path)
    log = parse_json(text, path)
    about = want(log, "eval", dict, path)
    task, model = (want(about, key, str, f"{path}: eval") for key in ("task", "model"))
    if log.get("status") != "success":
        raise MembenchError(f"{path}: its run ended with status {log.get('status')!r}: import one that ended well")
    epochs: dict[int, list[tuple[str, Item]]] = defaultdict(list)
    named: set[str] = set()
    for number, sample in enumerate(want(log, "samples", list, path)):
        where = f"{path}: samples[{number}]"
        epochs[_epoch(sample, where)].append((where, _item(sample, where)))
        named |= {name for name, _ in _values(sample["scores"])}
    numbers = {name for items in epochs.values() for _, item in items for name in item.scores}
    version, settings = part(about, "packages").get("inspect_ai"), _settings(about)
    shown = {"solver", *part(about, "task_args_passed" if "task_args_passed" in about else "task_args")}
    method = f"{task.rpartition('/')[2]}@{model.rpartition('/')[2]}".replace(" ", "-")
    return [
        Results(
            path,
            hash_of(text),
            "inspect",
            method,
            unique(items),
            epoch - 1,
            version if isinstance(version, str) else None,
            settings,
            {name: value for name, value in settings.items() if name not in shown},
            {"model": model, "task": task},
            no_numbers=frozenset(named - numbers),
        )
        for epoch, items in sorted(epochs.items())
    ]


def _settings(about: Mapping[str, Any]) -> dict[str, str]:
    """The task's arguments by their names, those of solver and model with what they are of in front."""
    model = {**part(about, "model_generate_config"), **part(about, "model_args")}
    asked = {f"model.{name}": value for name, value in model.items()}
    found = {
        **asked,
        **{f"solver.{name}": value for name, value in part(about, "solver_args").items()},
        **{"solver": about.get("solver")},
        **part(about, "task_args"),
    }
    return settings_from(found, asked)


def _text(path: str) -> str:
    """The log as JSON."""
    if user_path(path).is_dir():
        raise MembenchError(f"{path} is a folder: name the logs in it")
    try:
        packed = read_plain(Path(path))[:2] == _ZIP
    except FileNotFoundError:
        raise MembenchError(f"{path}: no such file: check the path") from None
    if not packed:
        return read_text(path)
    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        raise MembenchError(
            f"{path}: inspect itself reads .eval: pip install inspect-ai beside membench, or where it was written type "
            f"inspect log convert {Path(path).name} --to json --output-dir FOLDER and import what that writes"
        ) from None
    try:
        return str(read_eval_log(path).model_dump_json())
    except Exception as error:  # whatever the reader of another package finds wrong with a file
        raise MembenchError(f"{path}: inspect cannot read it: {type(error).__name__}: {error}") from error


def _epoch(sample: object, where: str) -> int:
    if not isinstance(sample, dict):
        raise MembenchError(f"{where}: a sample must be an object, got {type(sample).__name__}")
    epoch = sample.get("epoch", 1)
    if not isinstance(epoch, int) or not 1 <= epoch < 2**63:
        raise MembenchError(f"{where}: 'epoch' must be a whole number from 1 on")
    return epoch


def _item(sample: dict[str, Any], where: str) -> Item:
    if not isinstance(sample.get("id"), int | str) or isinstance(sample["id"], bool):
        raise MembenchError(f"{where}: 'id' must be a number or a text")
    name = str(sample["id"])
    asked, target = _message(sample.get("input")), sample.get("target", "")
    metadata = sample.get("metadata")
    fields: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    gold = tuple(str(text) for text in (target if isinstance(target, list) else [target]))
    output = sample.get("output")
    answer = output.get("completion", "") if isinstance(output, dict) else ""
    return Item(
        name=name,
        context=context_of(fields, name),
        content=hash_of("\n".join((asked, *gold))),
        scores=dict(_scores(want(sample, "scores", dict, where), where)),
        question=asked,
        gold=gold,
        answer=answer if isinstance(answer, str) else "",
    )


def _message(given: object) -> str:
    """A sample's input: a text, or the texts of its messages."""
    if isinstance(given, str):
        return given
    messages = given if isinstance(given, list) else []
    texts = [m.get("content") for m in messages if isinstance(m, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _scores(given: Mapping[str, Any], where: str) -> Iterator[tuple[str, float]]:
    for name, value in _values(given):
        number = LETTERS.get(value) if isinstance(value, str) else score_of(value, f"{where}: {name}")
        if number is not None:
            yield name, number


def _values(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What each scorer gave, of one that gave several values each."""
    for scorer, score in given.items():
        value = score.get("value") if isinstance(score, dict) else None
        parts = {f"{scorer}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {scorer: value}
        yield from ((score_name(name), v) for name, v in parts.items())
