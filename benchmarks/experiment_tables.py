"""Rewrites the marked blocks of docs/experiment.md, and its figures, from the stored cells of the experiment.

    python benchmarks/experiment_tables.py [--check]

A block stands between `<!-- experiment: NAME -->` and `<!-- end -->`; `BLOCKS` has their names. Exit status 1 with
--check if the document is stale; nothing is then written.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import experiment_comparison
import numpy as np
from experiment_comparison import comparison_table, pairs_table, retention_table, ruled_table
from experiment_decay import AGES, GEMMA, decay, decay_table, said_table, types_table
from experiment_design import FACTORS, OUTPUT, Run, aliases, columns, losses, remedies, screening, seeds
from experiment_follow import follow_table
from experiment_outcomes import SCORES, Outcome, matrix, outcomes
from experiment_real import real_table
from experiment_rows import rows_table
from experiment_seeds import seeds_table
from experiment_stored import allocation_table, markdown, parts_table
from experiment_tried import tried_table
from experiment_twenty import twenty_table

from membench.statistics.factorial import Effect, effects
from membench.statistics.intervals import mean_ci

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "experiment.md"
REFERENCE = ROOT / "results" / "reference"
FIGURE = ROOT / "docs" / "experiment.png"
CURVES = ROOT / "docs" / "experiment_retention.png"
_BLOCK = re.compile(r"^<!-- experiment: (\w+) -->\n(.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE)


def _row(found: Outcome) -> list[str]:
    means = [f"{found.mean(score):.2f}" for score in SCORES]
    return [
        *means,
        "{} of {}".format(*found.fresh),
        "{}, {}".format(*found.old),
        f"{found.trained:.0f}",
        f"{found.taught:.0f}",
    ]


HEAD = [
    *SCORES,
    "right just written",
    "first text: right in the end of those before",
    "trained tokens",
    "teacher's tokens",
]


def runs_table(folder: Path) -> str:
    """Every run of the screening that is stored, and those of the default recipe under other seeds."""
    lines = [["run", "settings", *HEAD]]
    for found in outcomes([*screening(), *seeds()], folder):
        seed = f" (seed {found.run.seed})" if found.run.seed else ""
        lines.append([f"{found.run.name}{seed}", " ".join(found.run.settings), *_row(found)])
    planned = len([*screening(), *seeds()])
    return f"{len(lines) - 1} of {planned} runs are stored.\n\n{markdown(lines)}"


def beside_default(changes: Iterable[Run], folder: Path, name: str, *over: str) -> str:
    """The default recipe, what each change makes of it, and how much more it has of these scores."""
    planned = [next(screening()), *changes]
    found = outcomes(planned, folder)
    lines = [["recipe", *HEAD, *(f"{score}, over the default's" for score in over)]]
    lines += [[_recipe(o.run), *_row(o), *(_over(o, found[0], score) for score in over)] for o in found]
    return f"{max(0, len(found) - 1)} of {len(planned) - 1} {name} are stored.\n\n{markdown(lines)}"


def _over(outcome: Outcome, default: Outcome, score: str) -> str:
    """Paired by question, or by text for drift, with the 95 % interval over the questions of these texts."""
    if outcome is default:
        return ""
    base = default.values[score]
    value, low, high = mean_ci([outcome.values[score][question] - base[question] for question in base])
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def _recipe(run: Run) -> str:
    """What it has beside the default recipe."""
    return run.method if run.method != "selfparam" else " ".join(run.settings[1:]) or "default"


def judged(folder: Path) -> tuple[int, dict[str, dict[str, Effect]]]:
    """How many of the screening's runs could be judged together (16, 8 or 0), and the effects on each score."""
    found = outcomes(screening(), folder)
    first = {run.settings for run in list(screening())[:8]}
    half = [o for o in found if o.run.settings in first]
    count, chosen = (16, found) if len(found) == 16 else (8, half) if len(half) == 8 else (0, [])
    return count, {s: effects(columns(count), matrix(chosen, s)) for s in SCORES} if count else {}


def effects_table(folder: Path) -> str:
    """The effects of the high level on each score; bold where it is beyond Lenth's margin."""
    count, found = judged(folder)
    if not count:
        return "Fewer than the first eight runs are stored: no effect can be told yet."
    names = {f.letter: f"{f.letter} {f.name}: {f.high}" for f in FACTORS}
    lines = [["effect", *SCORES, "mixed up with"]]
    for word, others in aliases(count).items():
        cells = [_shown(found[score][word]) for score in SCORES]
        lines.append([names.get(word, word), *cells, ", ".join(others)])
    limits = [next(iter(found[score].values())) for score in SCORES]
    lines.append(["margin of one effect (Lenth)", *(f"±{e.margin:.2f}" for e in limits), ""])
    lines.append(["margin of all together (Lenth)", *(f"±{e.simultaneous:.2f}" for e in limits), ""])
    lines.append(["margin by questions or texts", *(f"±{e.blocks or 0:.2f}" for e in limits), ""])
    return f"From {count} runs.\n\n{markdown(lines)}"


def _shown(effect: Effect) -> str:
    text = f"{effect.value:+.2f}"
    return f"**{text}**" if abs(effect.value) > effect.margin else text


def draw(folder: Path, path: Path) -> None:
    """What is left by the number of further writes; beside it, once they can be told, the effects on `kept`."""
    from matplotlib.figure import Figure

    count, found = judged(folder)
    figure = Figure(figsize=(9 if count else 5.2, 3.8 if count < 16 else 5), dpi=110, layout="constrained")
    left, *right = np.atleast_1d(figure.subplots(1, 2 if count else 1))
    shown = {name: ages for name, ages in decay(REFERENCE).items() if GEMMA not in name}
    for shift, (name, ages) in enumerate(shown.items()):
        seen = [age for age in ages if age in AGES]
        at, values = [age + 0.08 * (shift - 2) for age in seen], np.array([tuple(ages[a]) for a in seen], dtype=float)
        ends = np.abs(values[:, 1:].T - values[:, 0])
        left.errorbar(at, values[:, 0], ends, marker="ovs^D"[shift], linewidth=1, capsize=2, label=name)
    left.axhline(0, color="0.6", linewidth=0.8)
    left.set(xlabel="further writes", ylabel="part of the gain in margin that is left", ylim=(-0.6, 1.25))
    left.legend(fontsize=7, frameon=False, loc="lower left")
    for ax in right:
        words = list(found["kept"])
        limit = found["kept"][words[0]].margin
        ax.axvline(0, color="0.6", linewidth=0.8)
        ax.axvspan(-limit, limit, color="0.9")
        ax.plot([found["kept"][word].value for word in words], range(len(words)), "o")
        ax.set_yticks(range(len(words)), words)
        ax.invert_yaxis()
        ax.set(xlabel="effect of the high level on kept, nats; grey: Lenth's margin")
    figure.savefig(path, metadata={"Software": None})


BLOCKS: dict[str, Callable[[Path], str]] = {
    "runs": runs_table,
    "effects": effects_table,
    "remedies": lambda folder: beside_default(remedies(), folder, "remedies", "kept", "shifted"),
    "losses": lambda folder: beside_default(losses(), folder, "recipes", "learned", "kept", "shifted", "drift"),
    "follow": follow_table,
    "seeds": lambda folder: seeds_table([REFERENCE, folder]),
    "comparison": lambda folder: comparison_table([REFERENCE, folder]),
    "pairs": lambda folder: pairs_table([REFERENCE, folder]),
    "ruled": lambda folder: ruled_table([REFERENCE, folder]),
    "rows": lambda folder: rows_table([REFERENCE, folder]),
    "tried": lambda folder: tried_table([folder]),
    "twenty": twenty_table,
    "real": real_table,
    "retention": lambda folder: retention_table([folder]),
    "decay": lambda _: decay_table(REFERENCE),
    "said": lambda _: said_table(REFERENCE),
    "types": lambda _: types_table(REFERENCE),
    "parts": lambda _: parts_table(REFERENCE),
    "allocation": lambda _: allocation_table(REFERENCE),
}


def rewritten(text: str, folder: Path) -> str:
    """The document with its blocks made anew, all else as it was."""
    return _BLOCK.sub(
        lambda block: f"<!-- experiment: {block[1]} -->\n\n{BLOCKS[block[1]](folder)}\n\n<!-- end -->", text
    )


def main(arguments: Sequence[str]) -> int:
    """Exit status."""
    folder, text = ROOT / OUTPUT, PAGE.read_text(encoding="utf-8")
    new = rewritten(text, folder)
    if "--check" in arguments:
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    draw(folder, FIGURE)
    experiment_comparison.draw([folder], CURVES)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
