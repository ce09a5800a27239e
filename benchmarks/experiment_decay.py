"""How fast the gain of a write goes as further texts are written, and what is said in place of what was known.

From the sequences of the reference run; nothing is played.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from experiment_stored import MODEL, answers_of, markdown
from numpy.typing import NDArray

from membench.corpora.world_builder import build, cast
from membench.statistics.intervals import FEWEST, Interval, mean_ci
from membench.statistics.paired_tests import ALPHA, contrasts
from membench.statistics.ratios import ratio_ci
from membench.text.mentions import names
from membench.values import Answer

AGES = (1, 2, 3, 5, 10)
END = 1000  # in place of an age: after the last write, for the first half of the texts
GEMMA = "gemma3-270m"
SEQUENCES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "selfparam": (MODEL, "selfparam", {}),
    "selfparam, replay=1": (MODEL, "selfparam", {"replay": 1.0}),
    "selfparam, replay=2": (MODEL, "selfparam", {"replay": 2.0}),
    "ft-s": (MODEL, "ft-s", {}),
    "ft-c": (MODEL, "ft-c", {}),
    f"selfparam, {GEMMA}": (GEMMA, "selfparam", {}),
    f"ft-s, {GEMMA}": (GEMMA, "ft-s", {}),
    f"ft-c, {GEMMA}": (GEMMA, "ft-c", {}),
}
Gains = dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]


def answers(folder: Path, name: str) -> list[Answer]:
    """Of a sequence."""
    model, method, changed = SEQUENCES[name]
    return answers_of(folder, "sequential", method, changed, model, questions=2)


def gains(folder: Path) -> dict[str, Gains]:
    """By sequence and age, over the contexts that reach it: the gain in margin that is left, and that of the write.

    Rehearsed facts. The gain is the margin over that of the same questions just before their text was written.
    """
    return {name: gains_of(answers(folder, name)) for name in SEQUENCES}


def gains_of(found: list[Answer]) -> Gains:
    """Of one sequence; see `gains`."""
    margins: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for a in found:
        if a.position and a.tags["rehearsed"] == "yes":
            margins[a.context][a.written - a.position].append(a.scores["margin"])
    by_age = [{age: float(np.mean(values)) for age, values in margins[c].items()} for c in sorted(margins)]
    last = max(a.written for a in found)
    for ages in by_age:
        if last - max(ages) <= last // 2:  # its place in the order
            ages[END] = ages[max(ages)]
    out = {}
    for age in (*AGES, END):
        reached = [ages for ages in by_age if -1 in ages and age in ages]
        left, own = (np.array([ages[at] - ages[-1] for ages in reached]) for at in (age, 0))
        out[age] = (left, own)
    return out


def decay(folder: Path) -> dict[str, dict[int, Interval]]:
    """By sequence and age: the part of the gain that is left, with its 95 % interval over contexts, of five or more."""
    out = {}
    for name, ages in gains(folder).items():
        found = {a: ratio_ci(left.tolist(), own.tolist()) for a, (left, own) in ages.items() if len(own) >= FEWEST}
        out[name] = {age: interval for age, interval in found.items() if interval}
    return out


def decay_table(folder: Path) -> str:
    """The same as a table, and below it the differences to the first sequence, bold where they are resolved."""
    ages = (*AGES, END)
    lines = [["memory", *(f"after {age} more" for age in AGES), "first half, in the end"]]
    for name, found in decay(folder).items():
        lines.append([name, *(_interval(*found[age]) if age in found else "–" for age in ages)])
    same = {name: left for name, left in gains(folder).items() if SEQUENCES[name][0] == MODEL}
    return markdown([*lines, *differences(same, ages)])


def differences(found: Mapping[str, Gains], ages: Sequence[int]) -> list[list[str]]:
    """Of each sequence but the first a line: by age, how much more of its gain is left than of the first one's.

    Paired by context, which are the same in all. Bold where resolved (Holm over the lines of an age).
    """
    first, *others = found
    rows = {name: [f"{name} less {first}"] for name in others}
    for age in ages if others else ():
        samples = [_linearised(*by_age[age])[None] for by_age in found.values()]
        tested = contrasts(samples, [(i, 0) for i in range(1, len(samples))])
        for name, value, low, high, p in zip(others, tested.difference, tested.low, tested.high, tested.p, strict=True):
            shown = _interval(value, low, high, "+.2f")
            rows[name].append(f"**{shown}**" if p <= ALPHA else shown)
    return list(rows.values())


def said_table(folder: Path) -> str:
    """What questions about earlier texts are answered with after each further write, and those about later texts."""
    lines = [
        [
            "memory",
            "questions",
            "right",
            "a value of the last text",
            "of another",
            "asked too early",
            "a value of the last text",
        ]
    ]
    for name in SEQUENCES:
        found = answers(folder, name)
        early, late = (Counter(_said(found, before)) for before in (True, False))
        total, others = late.total(), early.total()
        shares = [late["right"] / total, late["last"] / total, late["other"] / total]
        lines.append([name, str(total), *(f"{s:.2f}" for s in shares), str(others), f"{early['last'] / others:.2f}"])
    return markdown(lines)


def _said(found: list[Answer], early: bool) -> list[str]:
    """Of each question asked before its text was written, or after a later one was: right, last, other or neither."""
    golds: dict[int, set[str]] = defaultdict(set)
    for a in found:
        golds[a.position] |= set(a.gold)
    out = []
    for a in found:
        if (a.position > a.written) if early else (a.position < a.written):
            seen = {gold for at, those in golds.items() if at < a.written and at != a.position for gold in those}
            last = any(names(a.answer, gold) for gold in golds[a.written])
            other = any(names(a.answer, gold) for gold in seen)
            out.append("right" if a.scores["contains"] else "last" if last else "other" if other else "neither")
    return out


def _linearised(left: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value a context whose mean is the ratio of the sums (delta method)."""
    ratio = left.sum() / own.sum()
    values: NDArray[np.float64] = ratio + (left - ratio * own) / own.mean()
    return values


def types_table(folder: Path) -> str:
    """What one further write does to a margin, by whether its text teaches a value of the question's type."""
    lines = [["memory", "changes", "a value of that type", "none", "difference, same texts"]]
    for name, (model, *_) in SEQUENCES.items():
        if model == MODEL:
            found = _changes(answers(folder, name))
            shared, others = ({c: float(np.mean(v)) for c, v in found[kind].items()} for kind in (True, False))
            both = sorted(shared.keys() & others.keys())
            mean = mean_ci([shared[c] - others[c] for c in both])
            count = sum(len(values) for kind in found.values() for values in kind.values())
            means = [f"{np.mean(list(those.values())):+.2f}" for those in (shared, others)]
            lines.append([name, str(count), *means, f"{_interval(*mean, form='+.2f')}, {len(both)} texts"])
    return markdown(lines)


def _changes(found: list[Answer]) -> dict[bool, dict[str, list[float]]]:
    """The changes of the margins of rehearsed facts by one further write, by whether it teaches their type, by text."""
    rehearsed = [a for a in found if a.position and a.tags["rehearsed"] == "yes"]
    taught = {a.position: _taught(a.context) for a in rehearsed}
    after = {(a.question, a.written): a.scores["margin"] for a in rehearsed}
    out: dict[bool, dict[str, list[float]]] = {True: defaultdict(list), False: defaultdict(list)}
    for a in rehearsed:
        later = after.get((a.question, a.written + 1))
        if a.position <= a.written and later is not None:
            shared = _type(a.context, a.tags["fact"]) in taught[a.written + 1]
            out[shared][a.context].append(later - a.scores["margin"])
    return out


def _interval(value: float, low: float | None, high: float | None, form: str = ".2f") -> str:
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


@cache
def _taught(context: str) -> frozenset[str]:
    """The types of the values that target sentences repeat about a text of the reference run, by its id w0-INDEX."""
    made = build(0, int(context.partition("-")[2]))
    facts = (q.tags["fact"] for q in made.questions if q.tags["rehearsed"] == "yes")
    return frozenset(_type(context, fact) for fact in facts)


def _type(context: str, fact: str) -> str:
    """Of the value of a fact: colour, person, number ..."""
    kind, *_ = cast(0, int(context.partition("-")[2]))
    return next(attribute.base for attribute in kind.attributes if attribute.key == fact)
