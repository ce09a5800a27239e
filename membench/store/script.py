"""What a cell's records must hold: the steps of its script, in their order, each closed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.store.records import CLOSING, Damaged
from membench.values import Ask, Episode, Forget, Step, Write

Script = Mapping[tuple[str, int], Step]  # by episode and number of the step, in the order of play

_KINDS = {Write: "write", Forget: "forget", Ask: "ask"}


def script_of(episodes: Iterable[Episode]) -> Script:
    """The steps of these episodes. Raises MembenchError for two episodes of one name, which nobody could tell apart."""
    script: dict[tuple[str, int], Step] = {}
    names: set[str] = set()
    for episode in episodes:
        if episode.name in names:
            raise MembenchError(f"the task has two episodes called {episode.name!r}: give each a name of its own")
        names.add(episode.name)
        script |= {(episode.name, k): step for k, step in enumerate(episode.steps)}
    return script


def refuse_foreign(records: Sequence[Mapping[str, Any]], script: Script, path: Path) -> None:
    """Raise Damaged unless the records are those of the first steps of the script, as far as they go."""
    steps = iter(script.items())
    answers: list[Mapping[str, Any]] = []
    for record in records:
        if record["type"] not in CLOSING:
            answers.append(record)
            continue
        here, step = next(steps, (None, None))
        if here != (record["episode"], record["step"]) or step is None or not _is_of(record, answers, step):
            where = f"step {record['step'] + 1} of {record['episode']!r}"
            raise Damaged(f"{path} holds the records of another cell ({where} is not what this one's script has there)")
        answers = []


def refuse_unfinished(records: Sequence[Mapping[str, Any]], script: Script, path: Path) -> None:
    """Raise Damaged unless the records are those of the whole script, each step closed once."""
    refuse_foreign(records, script, path)
    closed = sum(record["type"] in CLOSING for record in records)
    if closed != len(script):
        raise Damaged(f"{path} holds {closed} of the {len(script)} steps that were played")


def _is_of(record: Mapping[str, Any], answers: Sequence[Mapping[str, Any]], step: Step) -> bool:
    if record["type"] != _KINDS.get(type(step), "drift"):
        return False
    if isinstance(step, Ask):
        return [(a["question"], a["text"]) for a in answers] == [(q.id, q.text) for q in step.questions]
    contexts = [c.id for c in step.contexts] if isinstance(step, Write | Forget) else []
    return bool(record.get("contexts", []) == contexts)
