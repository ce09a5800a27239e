"""Rows of settings other than those of the comparison, alone: how much would another choice change?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiment_comparison import shown
from experiment_seeds import BEST, by_seed
from experiment_stored import markdown
from tune_rows import best

from membench.statistics.intervals import mean_ci
from membench.statistics.shares import share_ci
from membench.values import Answer

SEED = 0
DEFAULTS = {"selfparam": (4e-3, 12), "ft-s": (4e-3, 12), "ft-c": (4e-3, 24), "cartridge": (1e-2, 12)}  # rate, passes
TWENTY = {"epochs": 6, "upper": 1.0}  # selfparam: the recipe that kept most in the second design
VIEWS = (("contains", "yes"), ("contains", "no"), ("margin", None))  # score, whether rehearsed


def others() -> list[tuple[str, dict[str, Any], str]]:
    """Rows to hold against the played one: method, settings that are not its defaults, why.

    What the grid's rule selects; where that is the played one, the method's defaults.
    """
    rows = []
    for method, (rate, passes) in DEFAULTS.items():
        found = best(method)
        own = {"lr": found["lr"]} if found["lr"] != rate else {}
        own |= {"epochs": found["epochs"]} if found["epochs"] != passes else {}
        rows.append((method, own, "the grid's rule") if own != BEST[method] else (method, {}, "its defaults"))
    chosen = [row for row in rows if row[1] != BEST[row[0]]]
    return [*chosen, ("selfparam", TWENTY, "the second design")]


def rows_table(folders: Sequence[Path]) -> str:
    """A line a row: scores of texts written alone, and their differences to the played row, paired by text."""
    names = ["rehearsed", "not rehearsed", "margin"]
    lines = [["method", "settings", "from", *names, *(f"{name}, less the played row" for name in names)]]
    planned = others()
    for method, settings, source in planned:
        answers = by_seed(method, folders, settings).get(SEED)
        played = by_seed(method, folders).get(SEED)
        if answers and played:
            own, base = ([by_text(found, *view) for view in VIEWS] for found in (answers, played))
            numbers = [_mean(score, list(texts.values())) for (score, _), texts in zip(VIEWS, own, strict=True)]
            apart = [_difference(texts, before) for texts, before in zip(own, base, strict=True)]
            lines.append([method, " ".join(f"{k}={v:g}" for k, v in settings.items()) or "–", source, *numbers, *apart])
    return f"{len(lines) - 1} of {len(planned)} rows are stored.\n\n{markdown(lines)}"


def by_text(answers: Sequence[Answer], score: str, rehearsed: str | None) -> dict[str, float]:
    """The mean of each text that has such questions."""
    found = defaultdict(list)
    for a in answers:
        if rehearsed in (None, a.tags["rehearsed"]):
            found[a.context].append(a.scores[score])
    return {text: sum(values) / len(values) for text, values in found.items()}


def _mean(score: str, texts: Sequence[float]) -> str:
    return shown(mean_ci(texts) if score == "margin" else share_ci([texts]))


def _difference(texts: dict[str, float], before: dict[str, float]) -> str:
    value, low, high = mean_ci([texts[text] - before[text] for text in texts])
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*(round(v, 2) + 0.0 for v in (value, low, high)))  # -0.00 is +0.00
