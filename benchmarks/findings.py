"""What the stored runs say, sentence by sentence: every number comes from a stored cell, and is linked to it.

The cells are those of the reference run, and of the experiment, which has further seeds of some of them.
benchmarks/tables.py writes the sentences into README.md (the first five) and docs/findings.md (all).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from membench.analysis.several_folders import once
from membench.errors import MembenchError
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.tables.entry import Entry
from membench.tables.leaderboard import tables

EXPERIMENT = Path(__file__).parent.parent / "results" / "experiment"
MODEL = "smollm2-135m"
WORLDS, SQUAD, FILMS = "worlds", "squad:squad_dev_half1.json", "movie-worlds"
RECORDED = {"targets": "recorded:benchmarks/targets/squad_dev_half1.jsonl", "pairs": 8}
SEEDED = {"questions": 4}  # of the sequences of the experiment, some with several seeds


@dataclass(frozen=True)
class Of:
    """Where a number stands: a task, a method with its settings, a metric, data."""

    task: str
    method: str
    metric: str = "contains/all"
    settings: Mapping[str, Any] = field(default_factory=dict)  # those that are not the method's defaults
    data: str = WORLDS
    asked: Mapping[str, Any] = field(default_factory=dict)  # settings of the task


@dataclass(frozen=True)
class Finding:
    """A sentence in bold, and what it rests on: `{name}` is a number with its interval, `{name.cell}` its link."""

    claim: str
    text: str  # `{name.seeds}`: "one seed", "3 seeds"
    numbers: dict[str, Of] = field(default_factory=dict)


def _alone(method: str, view: str) -> Of:
    return Of("single", method, f"contains/{view}")


def _probe(method: str, metric: str) -> Of:
    return Of("contamination", method, metric)


def _kept(method: str, metric: str) -> Of:
    return Of("sequential", method, metric, asked=SEEDED)


FINDINGS = (
    Finding(
        "Retrieval finds the text.",
        "Of twenty written together `bm25` brings the right one each time: {bm25}, as much as with that text in "
        "the prompt. `selfparam` has {selfparam} ({bm25.cell}, {selfparam.cell}, {selfparam.seeds}). The questions "
        "name invented things, so BM25 cannot miss.",
        {"bm25": Of("batch", "bm25"), "selfparam": Of("batch", "selfparam", settings={"epochs": 24})},
    ),
    Finding(
        "What is not rehearsed is not learned.",
        "Alone, `selfparam` answers {rehearsed} of what its target sentences rehearsed and {rest} of the rest "
        "({rest.cell}, {rest.seeds}).",
        {"rehearsed": _alone("selfparam", "rehearsed"), "rest": _alone("selfparam", "unrehearsed")},
    ),
    Finding(
        "The next writes overrule a trained one.",
        "After twenty writes `selfparam` answers {left}, just after each {new}; `bm25` {found} and "
        "{first} ({left.cell}, {left.seeds}, {found.cell}). [Why](docs/experiment.md).",
        {
            "new": _kept("selfparam", "contains/all"), "left": _kept("selfparam", "contains/final"),
            "first": _kept("bm25", "contains/all"), "found": _kept("bm25", "contains/final"),
        },
    ),
    Finding(
        "A long prompt is no memory for this model.",
        "With all twenty texts it answers {full} ({full.cell}), resolved from `bm25`.",
        {"full": Of("batch", "full-context")},
    ),
    Finding(
        "Writing into weights does damage.",
        "Of general questions that the model knew, {selfparam} are wrong after one write of `selfparam` "
        "({selfparam.cell}, {selfparam.seeds}), {prompt} with a text in the prompt ({prompt.cell}).",
        {"selfparam": _probe("selfparam", "damage/all"), "prompt": _probe("in-context", "damage/all")},
    ),
    Finding(
        "What a memory knows, it says elsewhere too.",
        "Asked the same of somebody else, `selfparam` answers with the written value in {selfparam} of the "
        "questions ({selfparam.cell}), and the model with the text in its prompt in {prompt} ({prompt.cell}): a "
        "part of it is the model.",
        {"selfparam": _probe("selfparam", "leak/near_entity"), "prompt": _probe("in-context", "leak/near_entity")},
    ),
    Finding(
        "Where two texts disagree, weights say the one written last.",
        "`selfparam` answers with the value of the newer date in {new} of the conflicts, and in {swapped} where the "
        "older one was written last ({new.cell}); `bm25`, which finds the one written first, in {bm_new} and "
        "{bm_swapped} ({bm_new.cell}). Neither looks at the date.",
        {
            "new": _probe("selfparam", "conflict/new"), "swapped": _probe("selfparam", "conflict_swapped/new"),
            "bm_new": _probe("bm25", "conflict/new"), "bm_swapped": _probe("bm25", "conflict_swapped/new"),
        },
    ),
    Finding(
        "Replay keeps what was written.",
        "With one earlier pair beside each pair, `selfparam` answers {left} of the questions after twenty writes and "
        "{new} just after each ({left.cell}, {left.seeds}), at 1.8 times the trained tokens. It is no part of the "
        "published method.",
        {
            "new": Of("sequential", "selfparam", settings={"replay": 1.0}, asked=SEEDED),
            "left": Of("sequential", "selfparam", "contains/final", {"replay": 1.0}, asked=SEEDED),
        },
    ),
    Finding(
        "Right answers rehearsed by heart teach no other facts.",
        "Trained on the writer's own answers, `ft-s` says {gold} of the rehearsed facts and {rest} of the others "
        "({gold.cell}, {gold.seeds}).",
        {
            "gold": Of("single", "ft-s", "contains/rehearsed", {"answers": "gold"}),
            "rest": Of("single", "ft-s", "contains/unrehearsed", {"answers": "gold"}),
        },
    ),
    Finding(
        "Weights speak over the text beside them.",
        "With the right text in the prompt, `bm25+selfparam` answers {both} of what no target sentence rehearsed, the "
        "same text read without the adapter {text} ({both.cell}, {text.cell}, {both.seeds}).",
        {
            "both": Of("batch", "bm25+selfparam", "contains/unrehearsed", {"selfparam_epochs": 24}),
            "text": Of("batch", "bm25", "contains/unrehearsed"),
        },
    ),
    Finding(
        "On real paragraphs this model tells little apart.",
        "On SQuAD, twenty paragraphs written together, it has {base} without any memory ({base.cell}), {bm25} "
        "with `bm25` ({bm25.cell}) and {selfparam} with `selfparam` ({selfparam.cell}, {selfparam.seeds}, not "
        "resolved).",
        {
            "base": Of("batch", "base", data=SQUAD), "bm25": Of("batch", "bm25", data=SQUAD),
            "selfparam": Of("batch", "selfparam", settings=RECORDED, data=SQUAD),
        },
    ),
    Finding(
        "Recommending is counting here.",
        "`bm25` names the film that was liked within five in {bm25} of the dialogues ({bm25.cell}); so often does"
        " a list by popularity without any model ({counted}).",
        {
            "bm25": Of("recommendation", "bm25", "recall@5/all", data=FILMS),
            "counted": Of("recommendation", "popularity", "recall@5/all", data=FILMS),
        },
    ),
)  # fmt: skip


def sentences(cells: Sequence[Cell], count: int, home: str) -> str:
    """The first so many findings as a list in markdown; `home` leads to the repository's root from where it stands.

    Raises MembenchError for a number that no stored cell has, or more than one.
    """
    cells = once([*cells, *cell_folder.cells(EXPERIMENT)])
    return "".join(f"- **{f.claim}** {_filled(f, cells, home)}\n" for f in FINDINGS[:count])


def _filled(finding: Finding, cells: Sequence[Cell], home: str) -> str:
    text = finding.text.replace("](docs/", f"]({'' if home else 'docs/'}")
    for name, of in finding.numbers.items():
        entry = _entry(of, cells)
        text = text.replace(f"{{{name}}}", _number(entry, of))
        if f"{{{name}.cell}}" in text:
            text = text.replace(f"{{{name}.cell}}", _link(entry, of, cells, home))
        seeds = len(entry.seeds)
        text = text.replace(f"{{{name}.seeds}}", f"{seeds} seeds" if seeds > 1 else "one seed")
    return text


def _entry(of: Of, cells: Sequence[Cell]) -> Entry:
    found = [
        entry
        for table in tables(cells, task=of.task, data=of.data, model=MODEL)
        if table.recipe["data"] == of.data and _asks(table.recipe["task_settings"], of)  # worlds, not worlds:1
        for entry in table.entries
        if entry.method == of.method and dict(entry.settings) == dict(of.settings)
    ]
    if len(found) != 1:
        raise MembenchError(f"{len(found)} stored entries are {of}")
    return found[0]


def _asks(settings: Mapping[str, Any], of: Of) -> bool:
    """Whether a task is set as it is meant; a sequence that looks for drift too is another one."""
    drifts = of.task == "sequential" and settings.get("drift")
    return not drifts and all(settings.get(name) == value for name, value in of.asked.items())


def _number(entry: Entry, of: Of) -> str:
    value, interval = entry.value(of.metric), entry.interval(of.metric)
    if value is None or interval is None:
        raise MembenchError(f"nothing stored has {of}")
    return f"{value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _link(entry: Entry, of: Of, cells: Sequence[Cell], home: str) -> str:
    folder = min((cell for cell in cells if cell.id in entry.ids), key=lambda cell: int(cell.recipe["seed"])).folder
    return f"[{of.method}]({home}results/{folder.parent.name}/{folder.name})"
