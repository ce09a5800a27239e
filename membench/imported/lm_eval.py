"""Samples of lm-eval (`--log_samples`): samples_TASK_DATE.jsonl, and results_DATE.json where it lies beside."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from membench.io.user_files import parse_json, read_jsonl, read_text, want

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
_SHOWN = ("peft", "delta", "revision", "subfolder")  # arguments that make of a model another one than its name says
_NO_MATTER = ("pretrained", "device", "batch_size", "max_batch_size")
_PROMPT = ("chat_template_sha", "system_instruction_sha", "fewshot_as_multiturn")  # of what stands around the questions
Rows = Sequence[tuple[str, Mapping[str, Any]]]


def read_samples(path: str) -> Results:
    """The items of one task by one model. The method is called TASK@MODEL, by the file's and its folder's name.

    A score is lm-eval's; where several filters picked the answer, SCORE.FILTER. How the model was loaded and asked is
    among the settings, of which a few are always shown. Raises MembenchError with FILE:LINE for what lm-eval did not
    write.
    """
    named = _NAME.fullmatch(Path(path).name)
    if not named:
        raise MembenchError(f"{path}: wants a file that lm-eval wrote by --log_samples, called samples_TASK_DATE.jsonl")
    task, rows = named["task"], list(read_jsonl(path))
    about = _results(Path(path).with_name(f"results_{named['date']}.json"))
    arguments, folder = _arguments_of(about), Path(path).absolute().parent.name
    given = arguments.get("pretrained", about.get("model_name"))  # with an adapter lm-eval calls the model by that
    model = given.rstrip("/") if isinstance(given, str) else folder
    seed = part(about, "config").get("random_seed")
    better = {score_name(name): value for name, value in part(part(about, "higher_is_better"), task).items()}
    items, settings = _items(rows), _settings(about, task)
    names = {name for item in items for name in item.scores}
    listed = {score_name(name) for _, row in rows for name in row["metrics"]}
    return Results(
        where=path,
        sha256=hash_of(read_text(path)),
        harness="lm-eval",
        version=about["lm_eval_version"] if isinstance(about.get("lm_eval_version"), str) else None,
        method=f"{task}@{_last(model)}",
        items=items,
        seed=seed if isinstance(seed, int) and seed >= 0 else 0,
        settings=settings,
        defaults={name: value for name, value in settings.items() if name not in _SHOWN} | {"shots": 0},
        sources={"model": model},
        no_numbers=frozenset(name for name in listed if not any(_is_of(score, name) for score in names)),
        downwards=frozenset(
            score for score in names if any(better[name] is False for name in better if _is_of(score, name))
        ),
    )


def _results(path: Path) -> Mapping[str, Any]:
    """What lm-eval tells of the run; nothing where only samples were kept."""
    found = parse_json(read_text(str(path)), str(path)) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _settings(about: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The shots, how the model was loaded (its name aside), and what the prompts were put into."""
    config, shots = part(about, "config"), part(about, "n-shot").get(task)
    given = _arguments_of(about)
    loaded = {
        name: value
        for name, value in given.items()
        if name in _SHOWN
        or (name not in _NO_MATTER and value not in (about.get("model_name"), given.get("pretrained")))
    }
    asked = {"gen_kwargs": config.get("gen_kwargs") or None, **{name: about.get(name) for name in _PROMPT}}
    told = settings_from({"backend": config.get("model"), **asked, **loaded}, loaded)
    return ({"shots": shots} if isinstance(shots, int) else {}) | told


def _arguments_of(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the model was loaded."""
    given = part(about, "config").get("model_args")
    if isinstance(given, str):  # as it was typed, by earlier versions
        return {name: value for name, _, value in (text.partition("=") for text in given.split(",")) if value}
    return given if isinstance(given, dict) else {}


def _is_of(score: str, name: str) -> bool:
    """Whether a score is the one that lm-eval calls so, by whichever filter."""
    return score == name or score.startswith(f"{name}.")


def _last(name: str) -> str:
    """The last part of a path or of OWNER/NAME; lm-eval calls the folder of a model by it, with __ for /."""
    last = re.split(r"/|__", name)[-1]
    return re.sub(r"\s+", "-", last) or "model"


def _items(rows: Rows) -> tuple[Item, ...]:
    """One a document; of a document there is a row a filter, whose scores are joined."""
    by_filter: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for where, row in rows:
        by_filter.setdefault(str(row.get("filter", "none")), []).append((where, row))
    found: dict[str, Item] = {}
    for name, those in by_filter.items():
        suffix = f".{name}" if len(by_filter) > 1 else ""
        for item in unique((where, _item(row, suffix, where)) for where, row in those):
            before = found.setdefault(item.name, item)
            found[item.name] = replace(before, scores={**before.scores, **item.scores})
    return tuple(found.values())


def _item(row: Mapping[str, Any], suffix: str, where: str) -> Item:
    if not isinstance(row.get("doc_id"), int | str) or isinstance(row["doc_id"], bool):
        raise MembenchError(f"{where}: 'doc_id' must be a number or a text, as lm-eval writes it")
    name, doc = str(row["doc_id"]), row.get("doc")
    fields = doc if isinstance(doc, dict) else {}
    prompts = _arguments(row)
    scores = {}
    for metric in want(row, "metrics", list, where):
        if not isinstance(metric, str):
            raise MembenchError(f"{where}: 'metrics' must be a list of names, as lm-eval writes it")
        value = score_of(row.get(metric), f"{where}: {metric}")
        if value is not None:
            scores[score_name(metric + suffix)] = value
    question = fields.get("question", prompts[0][0] if prompts else "")
    return Item(
        name=name,
        context=context_of(fields, name),
        content=want(row, "doc_hash", str, where),
        scores=scores,
        question=question if isinstance(question, str) else "",
        gold=(_gold(str(row.get("target", "")), prompts),),
        answer=_answer(row.get("filtered_resps"), prompts),
    )


def _arguments(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of each request of a document the prompt and, of one that scores a choice, the choice."""
    given = row.get("arguments")
    requests = given.values() if isinstance(given, dict) else []
    parts = [list(request.values()) if isinstance(request, dict) else [] for request in requests]
    texts = [[part if isinstance(part, str) else "" for part in request] for request in parts]
    return [(*request, "", "")[:2] for request in texts]  # type: ignore[misc]


def _gold(target: str, prompts: Sequence[tuple[str, str]]) -> str:
    """The accepted answer; of a choice its text, where the target is its number."""
    if target.isdecimal() and len(prompts) > 1 and int(target) < len(prompts):
        return prompts[int(target)][1].strip()
    return target.strip()


def _answer(responses: object, prompts: Sequence[tuple[str, str]]) -> str:
    """What was generated; of choices the likeliest."""
    if not isinstance(responses, list) or not responses:
        return ""
    if isinstance(responses[0], str):
        return responses[0].strip()
    found = [_number(r[0]) if isinstance(r, list) and r else None for r in responses]
    likely = [(value, -k) for k, value in enumerate(found) if value is not None]
    best = -max(likely)[1] if likely else len(prompts)
    return prompts[best][1].strip() if best < len(prompts) else ""


def _number(value: object) -> float | None:
    """A log-probability, which lm-eval may write as a text; None for one that is not finite."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):  # a text, a whole number of many digits
        return None
    return number if math.isfinite(number) else None
