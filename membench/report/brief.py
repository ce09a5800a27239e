"""The answer in three sentences: which memory answers most, what trained ones do, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

from membench.report.board import Board
from membench.tables.entry import Entry
from membench.tables.formatting import number
from membench.tables.ranking_metric import less_is_better
from membench.tables.significance import tied

MOST = 4  # names in one sentence


def brief(lead: Board, after: Board | None) -> list[str]:
    """Three sentences at most on the methods of `lead`; `after` is the table of a sequence on the same data, if any.

    Methods are ranked as the table's tests allow: those that share a group with the best are named together, and one
    that was trained with a single seed is named without a rank.
    """
    entries, metric = lead.table.entries, lead.metric
    rivals = [e for e in entries if not e.mark and e.status == "done" and e.value(metric) is not None]
    if not rivals:
        return ["No method has a result here."]
    sign = 1 if less_is_better(metric, entries) else -1
    rivals.sort(key=lambda e: sign * (e.value(metric) or 0.0))
    ranked = [e for e in rivals if not e.unseeded]
    named = ranked[:1]
    trained = next((e for e in rivals if e.unseeded or e.cost("tokens_trained_per_context")), None)
    sentences = [_best(lead, ranked) if ranked else "No method here was played with enough seeds to be ranked."]
    if trained and trained not in named:
        sentences.append(_trained(trained, metric))
        named.append(trained)
    return [*sentences, _scale(entries, metric, named, after)]


def _best(lead: Board, ranked: Sequence[Entry]) -> str:
    best, recipe = ranked[0], lead.table.recipe
    score = f"{_score(lead.metric)} {number(best.value(lead.metric))}"
    where = f"On {recipe['data']} with {recipe['model']} ({_how(lead)}): "
    if len(ranked) == 1:
        return f"{where}{_name(best)} is the only method that can be ranked ({score}{_costs(best)})."
    declared = [e.standing.versus for e in ranked if e.standing and e.standing.group is None]
    if declared:
        return f"{where}{_name(best)} has the best score ({score}); differences are judged to {declared[0]} alone."
    if best.standing is None:
        return f"{where}{_name(best)} has the best score ({score}); too few texts are shared to tell methods apart."
    group = [best, *(e for e in ranked[1:] if e.standing and tied(best.standing, e.standing))]
    if len(group) == len(ranked):
        return f"{where}{_name(best)} has the best score ({score}), and no other method is told apart from it."
    if len(group) == 1:
        return f"{where}{_name(best)} answers best ({score}{_costs(best)})."
    cheapest = min(group, key=_paid)
    said = f"{_listed(group)} answer best ({score}, not told apart)"
    if _paid(cheapest) == float("inf"):
        return f"{where}{said}."
    return f"{where}{said}; for ten questions a text {_name(cheapest)} costs least{_costs(cheapest, ' (', ')')}."


def _trained(entry: Entry, metric: str) -> str:
    if not less_is_better(metric, [entry]) and not entry.value(metric):
        return f"Of the memories that are trained, none answers anything right ({_score(metric)} 0.00)."
    seeds = "one seed, so not ranked" if entry.unseeded else f"{len(entry.seeds)} seeds"
    score = f"{_score(metric)} {number(entry.value(metric))}"
    return f"Of the memories that are trained, {_name(entry)} answers most ({score}, {seeds}{_costs(entry)})."


def _scale(entries: Sequence[Entry], metric: str, named: Sequence[Entry], after: Board | None) -> str:
    """Floor and reference, and what the named ones still answer at the end of a sequence."""
    marks = {e.mark: number(e.value(metric)) for e in entries if e.mark and e.value(metric) is not None}
    parts = []
    if "floor" in marks:
        parts.append(f"the model without a memory reaches {marks['floor']}")
    if "reference" in marks:
        parts.append(f"with the right text in its prompt {marks['reference']}")
    kept = [(e, found) for e in named if after and (found := _after(e, after)) is not None]
    if after and kept:
        said = " and ".join(f"{_name(e)} {number(value)}" for e, value in kept)
        parts.append(f"after {after.table.contexts} writes in a row, {said}")
    return f"For scale: {'; '.join(parts)}." if parts else "Neither floor nor reference was played beside it."


def _after(entry: Entry, after: Board) -> float | None:
    """The share right of all at the end of the sequence, of the same method as it is set there by default."""
    same = [e for e in after.table.entries if e.method == entry.method and e.status == "done"]
    chosen = next((e for e in same if not e.settings), same[0] if same else None)
    return chosen.value("contains/final") if chosen else None


def _how(lead: Board) -> str:
    count, task = lead.table.contexts, lead.table.recipe["task"]
    texts = f"{count} text{'s'[: count != 1]}"
    said = {"batch": f"{texts} in one memory", "single": f"{texts}, each alone in a memory"}
    return said.get(task, f"{task}, {texts}")


def _score(metric: str) -> str:
    return "share right" if metric == "contains/all" else metric.removesuffix("/all")


def _costs(entry: Entry, before: str = ", ", behind: str = "") -> str:
    write, read = entry.cost("write_seconds_per_context"), entry.cost("read_seconds_per_question")
    parts = [f"{_seconds(write)} to write a text"] if write is not None else []
    parts += [f"{_seconds(read)} to read for a question"] if read is not None else []
    return f"{before}{', '.join(parts)}{behind}" if parts else ""


def _paid(entry: Entry) -> float:
    """Seconds to write a text and to read for ten questions about it."""
    write, read = entry.cost("write_seconds_per_context"), entry.cost("read_seconds_per_question")
    return float("inf") if write is None or read is None else write + 10 * read


def _seconds(value: float) -> str:
    return "under 0.01 s" if value < 0.005 else f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def _name(entry: Entry) -> str:
    return entry.title or entry.method


def _listed(entries: Sequence[Entry]) -> str:
    names = [*dict.fromkeys(map(_name, entries))]
    if len(names) > MOST:
        return f"{', '.join(names[: MOST - 1])} and {len(names) - MOST + 1} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
