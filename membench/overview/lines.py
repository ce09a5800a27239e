"""The short table: one line a method, tasks side by side; which of several settings and tables stands there.

No score decides which row of a method stands in its line: that of its newest version, then the settings played with the
most seeds, then those that change the fewest defaults.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.imported.task import IMPORTED
from membench.overview.measures import Measure, cost_measures, is_first, of_one, place, side_by_side, told_apart
from membench.store.recipe import GROUND
from membench.tables.entry import Entry
from membench.tables.formatting import NOTHING
from membench.tables.leaderboard import Table, size_of, told
from membench.tables.ranking_metric import leading_metric
from membench.tables.significance import tied
from membench.text.visible import visible

MOST = 7  # columns beside the method
_SHARED = tuple(name for name in GROUND if name != "limit")  # by tables that stand side by side
_LEADS = ("batch", "single")  # tasks whose column ranks the lines, if they were played
CAPTIONS = {"contains": "share answered right"}  # of a score, in plain words; others go by their name
_ENDS = {"reference": -1, "floor": 1}


@dataclass(frozen=True)
class Line:
    """A method: its entry in each of the overview's tables that has one, by the position of the table.

    `sign`: "=" is not told apart from the best (or from the method declared), "?" was trained with one seed.
    """

    entries: Mapping[int, Entry]
    sign: str = ""

    @property
    def first(self) -> Entry:
        """The entry that names the line."""
        return next(iter(self.entries.values()))

    @property
    def mixed(self) -> bool:
        """Whether its columns were measured with several settings."""
        return len({str(sorted(entry.settings.items())) for entry in self.entries.values()}) > 1


_SECONDS = {"write s": "; write s a text", "read s": ", read s a question"}  # by the heads of their columns


@dataclass(frozen=True)
class Overview:
    """Tables on the same data and model side by side; `lead` is the position of the one that ranks the lines."""

    title: str
    scores: str  # what the scores are
    tables: tuple[Table, ...]
    measures: tuple[Measure, ...]
    lines: tuple[Line, ...]
    lead: int = 0

    def caption(self, shown: Sequence[Measure] | None = None) -> str:
        """What the scores are, and of what the seconds among the columns that are shown, by default all."""
        heads = {measure.head for measure in (self.measures if shown is None else shown)}
        return "".join([self.scores, *(text for head, text in _SECONDS.items() if head in heads)])

    @property
    def against(self) -> str:
        """The method that all are compared with, declared beforehand; "" for none."""
        return _declared(self.tables[self.lead])


def overviews(found: Sequence[Table], by_settings: bool = False, sort: str | None = None) -> list[Overview]:
    """An overview for each data and model of these tables, those with the most lines of their own first.

    With `by_settings` each setting of a method has a line of its own. Where there is no room for all tasks, what is
    remembered and damaged goes before what other tasks ask, and of these what more methods played. Of tables of one
    task that differ in size or in the task's settings the one with the most methods stands there; of imported results
    all do.
    """
    groups: dict[str, list[Table]] = defaultdict(list)
    for table in found:
        scores = table.recipe["task_settings"] if table.recipe["task"] == IMPORTED else None
        groups[json.dumps([scores, *(table.recipe.get(name) for name in _SHARED)])].append(table)
    made = [_overview(group, by_settings, sort) for group in groups.values()]
    return sorted(made, key=lambda overview: -sum(len(table.entries) for table in overview.tables))


def of_same(one: Table, other: Table) -> bool:
    """Whether two tables are on the same data and model, played in the same way."""
    return all(one.recipe.get(name) == other.recipe.get(name) for name in _SHARED)


def view(
    table: Table, by_settings: bool = False, sort: str | None = None, chosen: Sequence[Measure] | None = None
) -> Overview:
    """One table: its score, what belongs to it, and costs; or the columns `chosen`."""
    measures = of_one(table, sort, MOST) if chosen is None else chosen
    recipe = table.recipe
    sized = size_of(table.entries, table.contexts, table.questions).replace("contexts", "texts")
    title = _titled([recipe["task"], recipe["data"], recipe["model"], sized], table.differs, recipe)
    lines = _lines([table], 0, by_settings)
    return Overview(title, _caption(table, sort), (table,), tuple(measures), _shown(lines, measures))


def _overview(group: Sequence[Table], by_settings: bool, sort: str | None) -> Overview:
    by_task: dict[str, list[Table]] = defaultdict(list)
    for table in group:
        by_task[table.recipe["task"]].append(table)
    chosen = sorted((max(those, key=_weight) for those in by_task.values()), key=place)
    if len(chosen) == 1:
        return view(chosen[0], by_settings, sort)
    tasks = [table.recipe["task"] for table in chosen]
    lead = next((tasks.index(task) for task in _LEADS if task in tasks), 0)
    costs = cost_measures(chosen[lead], lead)
    order = sorted(range(len(chosen)), key=lambda k: (k != lead, not is_first(chosen[k]), -_weight(chosen[k])[0]))
    room = order[: MOST - len(costs)]
    scores = [side_by_side(chosen[k], k, k == lead, sort) for k in sorted(room)]
    lines = _lines(chosen, lead, by_settings)
    behind = 1 + next(at for at, score in enumerate(scores) if score.table == lead)
    scores[behind:behind] = told_apart(chosen[lead], lead, sort)
    measures = (*scores, *costs)
    caption, title = _caption(chosen[lead], sort), _title(chosen, lead, scores)
    return Overview(title, caption, tuple(chosen), measures, _shown(lines, measures), lead)


def _shown(lines: Sequence[Line], measures: Sequence[Measure]) -> tuple[Line, ...]:
    """The lines with a number in one of these columns, and those that failed."""

    def tells(line: Line) -> bool:
        found = [(line.entries.get(m.table), m) for m in measures]
        return any(entry and (entry.status != "done" or m.show(entry) != NOTHING) for entry, m in found)

    return tuple(line for line in lines if tells(line))


def _caption(table: Table, sort: str | None) -> str:
    score = leading_metric(table.entries, sort).partition("/")[0]
    return f"{CAPTIONS.get(score, score)}, 95 % interval"


def _titled(parts: Sequence[str], apart: Iterable[str], recipe: Mapping[str, Any]) -> str:
    return visible(" · ".join([*parts, *(told(name, recipe[name]) for name in apart)]))


def _weight(table: Table) -> tuple[int, int, int]:
    methods = {entry.method for entry in table.entries if not entry.mark and entry.status == "done"}
    return len(methods), table.contexts, table.questions


def _title(chosen: Sequence[Table], lead: int, scores: Sequence[Measure]) -> str:
    """Data, model and the number of texts; where a column is about another number, that too."""
    recipe, texts = chosen[lead].recipe, chosen[lead].contexts
    others = [f"{m.head}: {chosen[m.table].texts}" for m in scores if chosen[m.table].texts != texts]
    sized = f"{texts} text{'s'[: texts != 1]}" + (f" ({', '.join(others)})" if others else "")
    apart = dict.fromkeys(name for table in chosen for name in table.differs if name in _SHARED)
    return _titled([recipe["data"], recipe["model"], sized], apart, recipe)


def _lines(chosen: Sequence[Table], lead: int, by_settings: bool) -> tuple[Line, ...]:
    """The reference, the methods as the leading table ranks them, then those that it lacks, and the floor."""
    found: dict[str, dict[int, list[Entry]]] = {}
    for k in (lead, *(k for k in range(len(chosen)) if k != lead)):
        for entry in chosen[k].entries:
            key = f"{entry.mark} {entry.method} {sorted(entry.settings.items()) if by_settings else ''}"
            found.setdefault(key, defaultdict(list))[k].append(entry)
    signs = _signs(chosen[lead])
    ranked = {id(entry): rank for rank, entry in enumerate(chosen[lead].entries)}
    made = []
    for line in found.values():
        entries = {k: min(those, key=_plainness) for k, those in line.items()}
        led = id(entries.get(lead))
        end = _ENDS.get(next(iter(entries.values())).mark or "", 0)
        made.append((end, ranked.get(led, len(ranked)), Line(entries, signs.get(led, ""))))
    return tuple(line for _, _, line in sorted(made, key=lambda place: place[:2]))


def _plainness(entry: Entry) -> tuple[bool, int, int, int, str]:
    """The newest version of a method stands in its line, then most seeds, then fewest settings; no score has a say."""
    version = entry.settings.get("version", 0)
    return entry.status != "done", -version, -len(entry.seeds), len(entry.settings) - bool(version), entry.label


def _declared(table: Table) -> str:
    found = [entry.standing for entry in table.entries if entry.standing]
    return found[0].versus if found and found[0].group is None else ""


def _signs(table: Table) -> dict[int, str]:
    """By the id of the entries of the leading table that are compared with others."""
    rivals = [(entry, entry.standing) for entry in table.entries if entry.standing]
    seeded = [standing for entry, standing in rivals if not entry.unseeded]
    best = seeded[0] if seeded else None  # entries stand best first
    out = {}
    for entry, standing in rivals:
        others = [other for other in seeded if other is not standing]
        if entry.unseeded:
            out[id(entry)] = "?"
        elif standing.group is None:
            out[id(entry)] = "" if standing.resolved else "="
        elif best and tied(standing, best) and any(tied(standing, other) for other in others):
            out[id(entry)] = "="
    return out
