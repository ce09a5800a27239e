"""From stored cells to tables and rows: pure functions of results, no records are read.

One table a task, data, model and everything else that makes numbers comparable; cells that differ in any of these never
share a table. Cells that differ in their seed alone are one entry.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from membench.imported.task import IMPORTED
from membench.store.cell_folder import Cell, newest
from membench.store.recipe import GOLD, GROUND, TABLE
from membench.tables.columns import columns_help
from membench.tables.control_rows import PREFIX, control_rows
from membench.tables.entry import Entry
from membench.tables.json_rows import head, numbers
from membench.tables.merge_seeds import MARKS, baselines, entry_of, origin, yardstick
from membench.tables.pareto import fit, limits, with_fronts
from membench.tables.ranking_metric import check_sort, leading_metric, less_is_better, sorts
from membench.tables.significance import rows_named, stand, unknown_row
from membench.text.visible import visible
from membench.views import BASELINES

__all__ = ["Table", "columns_help", "rows", "table_rows", "tables"]

_ROW = ("method", "settings", "method_version", "sources")  # what the cells of a row share, beside their table


@dataclass(frozen=True)
class Table:
    """Entries that may be compared: `recipe` is what all their cells share, `differs` what other tables have not so."""

    recipe: Mapping[str, Any]
    entries: tuple[Entry, ...]
    contexts: int
    questions: int
    differs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  # how differences were judged
    asked: tuple[str, ...] = ()  # remarks that short tables need too: a budget, another order, whose results

    @property
    def title(self) -> str:
        """Task, data, model and size; then in what the table differs from others of the same three."""
        r = self.recipe
        what = "floor and reference" if r["task"] == GOLD else r["task"]
        size = size_of(self.entries, self.contexts, self.questions)
        model = r["model"] if r["task"] == IMPORTED else f"{r['model']} ({r['dtype']}, {r['style']} prompt)"
        parts = [what, r["data"], model, size]
        parts += [told(name, r[name]) for name in self.differs]
        return visible(" · ".join(parts))

    @property
    def texts(self) -> int:
        """The texts that are asked about: contexts, without those that only contradict others."""
        return _facts(self.entries) or self.contexts


def tables(
    cells: Iterable[Cell],
    task: str | Sequence[str] = (),
    data: str | Sequence[str] = (),
    model: str | Sequence[str] = (),
    method: str | Sequence[str] = (),
    sort: str | None = None,
    against: str | None = None,
    at: str | Sequence[str] = (),
) -> list[Table]:
    """The tables that these cells make; each filter names what to keep, none keeps all.

    A cell that was scored anew stands there once, by the latest version of the metrics.
    `data` matches with or without its argument. `method` keeps floor and reference. `sort` is a metric ("f1",
    "contains/rehearsed") or a cost ("write_seconds_per_context"); without it, `contains`, recall@k of recommendations.
    Best first; costs and what harms count downwards. Failed entries stand last. Differences are judged by the metric
    that sorts, else by the one without `sort`; `against` declares the one method (or label) that all are compared with.
    `at` are budgets ("bytes=1e6"): entries over them are named and not shown. Raises MembenchError for a `sort` that no
    table has, and if `against` names none, or several of a table.
    """
    budget = limits(_listed(at))
    tasks, methods = _listed(task), _listed(method)
    kept = [c for c in newest(cells) if _matches(c.recipe, _listed(data), _listed(model))]
    golds = [c for c in kept if c.recipe["task"] == GOLD]
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in kept:
        if cell.recipe["task"] != GOLD and (not tasks or cell.recipe["task"] in tasks):
            groups[_key(cell.recipe, TABLE)].append(cell)
    grounds = {_key(group[0].recipe, GROUND) for group in groups.values()}
    for cell in golds:
        if _key(cell.recipe, GROUND) not in grounds and not tasks:
            groups[_key(cell.recipe, TABLE)].append(cell)
    found = [_table(group, golds, methods, sort) for _, group in sorted(groups.items())]
    found = [table for table in found if table.entries]
    if sort:
        check_sort([entry for table in found for entry in table.entries], sort)
    if against and not any(rows_named(table.entries, against) for table in found):
        raise unknown_row("method to compare with", against, (e for table in found for e in table.entries))
    return _tell_apart([_judged(table, sort, against, budget) for table in found])


def _judged(table: Table, sort: str | None, against: str | None, budget: Mapping[str, float]) -> Table:
    """The table within the budget, with its differences judged."""
    name = leading_metric(table.entries, sort)
    entries, over = fit(table.entries, budget)
    standings = stand(with_fronts(entries, name), name, against)
    said = dict.fromkeys(e.reason for e in table.entries if e.reason and e.status == "done")
    judged = bool(standings.remarks or standings.unpaired)
    asked = (*said, *over, *_sorted_by(table, sort, name, judged), *standings.unpaired)
    return replace(table, entries=standings.entries, remarks=(*asked, *standings.remarks), asked=asked)


def _sorted_by(table: Table, sort: str | None, name: str, judged: bool) -> list[str]:
    """What a reader who named a metric has to know: that this table lacks it, or has it without values to compare."""
    if sort and not sorts(table.entries, sort):
        return [f"nothing here has {sort}: sorted by {name.removesuffix('/all')}"]
    rivals = [e for e in table.entries if not e.mark and e.value(name) is not None]
    bare = sort and len(rivals) > 1 and not judged and not any(e.by_context(name) for e in rivals)
    return (
        [f"no groups: {name.removesuffix('/all')} has no values a context, so nothing tells them apart"] if bare else []
    )


def rows(cells: Iterable[Cell], **filters: Any) -> list[dict[str, Any]]:
    """One row an entry, metric and subset, for `--format json`; `filters` are those of `tables`."""
    return [row for table in tables(cells, **filters) for row in table_rows(table)]


def table_rows(table: Table) -> list[dict[str, Any]]:
    """The rows of one table; a failed entry has one, without numbers, with its reason."""
    out = []
    for entry in table.entries:
        shared = {**{name: table.recipe.get(name) for name in TABLE}, **head(entry)}
        shown_elsewhere = tuple(f"/{view}" for view in ("placebo", *BASELINES))
        names: list[str | None] = [
            name for name in entry.names if not (name.endswith(shown_elsewhere) or name.startswith(PREFIX))
        ]
        out += [shared | numbers(entry, name) for name in names or [None]]
    return out


def _listed(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _matches(recipe: Mapping[str, Any], data: Sequence[str], model: Sequence[str]) -> bool:
    names = (recipe["data"], recipe["data"].partition(":")[0])
    return (not data or any(name in data for name in names)) and (not model or recipe["model"] in model)


def _key(recipe: Mapping[str, Any], names: Sequence[str]) -> str:
    return json.dumps([recipe.get(name) for name in names], sort_keys=True)


def told(name: str, value: Any) -> str:
    """A part of the recipe in a title: what it is called and what it is, of a hash its beginning."""
    if isinstance(value, dict):
        lists = {key: ",".join(map(str, v)) if isinstance(v, list) else v for key, v in value.items() if v != []}
        short = " ".join(f"{key}={setting}" for key, setting in lists.items()) or "default"
    else:
        short = str(value)[:8]
    return f"{name.replace('_', ' ')} {short}"


def _table(group: Sequence[Cell], golds: Sequence[Cell], methods: Sequence[str], sort: str | None) -> Table:
    done = [c for c in group if c.status == "done"]
    recipe = {name: group[0].recipe.get(name) for name in TABLE}
    # A failed cell's records do not say what it would have asked; the others of its table do.
    asked = max((c.result["counts"]["questions"] for c in done), default=0)
    written = max((c.result["counts"]["contexts"] for c in group), default=0)
    if recipe["task"] == GOLD:
        shared = {c.recipe["method"]: c.result["summary"] for c in done}
        group = []
    else:
        shared = {name: y for c in reversed(done) for name, y in (c.result.get("yardsticks") or {}).items()}
    marked = MARKS if recipe["task"] != IMPORTED else {}  # another harness' "base" is no floor
    own = [c for c in group if c.recipe["method"] in marked]  # of a task that does not play the gold script
    group = [c for c in group if c not in own]
    shared |= {c.recipe["method"]: c.result["summary"] for c in own if c.status == "done"}
    near = own or [c for c in golds if _key(c.recipe, GROUND) == _key(recipe, GROUND)]
    # Held-out contexts count in a table's data hash and not in the gold cells', so the hash can only break a tie.
    near = [c for c in near if c.recipe["data_hash"] == recipe["data_hash"]] or near
    played = [c for c in near if c.status == "done"]
    yardsticks = [yardstick(name, shared, played) for name in MARKS if shared.get(name)]
    failed = [replace(entry_of([c], {}, asked), mark=MARKS[c.recipe["method"]]) for c in near if c not in played]
    merged: dict[str, list[Cell]] = defaultdict(list)
    recipes = [c.recipe for c in group]
    for cell in group:
        if not methods or cell.recipe["method"] in methods:
            key = _key({**cell.recipe, "sources": origin(cell.recipe, recipes)}, _ROW)
            merged[f"{key} {cell.status} {cell.result.get('reason')}"].append(cell)
    entries = [entry_of(cells, shared, asked, recipes) for cells in merged.values()]
    ranked = [*entries, *baselines([*yardsticks, *entries])]
    by = sort if sort and any(sort in e.costs for e in ranked) else leading_metric(ranked, sort)
    ranked.sort(key=lambda e: _rank(e, by))
    return Table(recipe, (*yardsticks, *failed, *control_rows(ranked), *ranked), written, asked)


def _rank(entry: Entry, name: str) -> tuple[bool, float, str]:
    value = entry.cost(name) if name in entry.costs else entry.value(name)
    downwards = name in entry.costs or less_is_better(name, [entry])
    place = float("inf") if value is None else value if downwards else -value
    return entry.status != "done", place, entry.label


def _tell_apart(found: Sequence[Table]) -> list[Table]:
    """The same tables; those with the same task, data and model say in what they differ."""
    out = []
    for table in found:
        rivals = [t for t in found if all(t.recipe[k] == table.recipe[k] for k in TABLE[:3])]
        differs = [k for k in TABLE[3:] if any(t.recipe[k] != table.recipe[k] for t in rivals)]
        if "limit" in differs and len({t.recipe["limit"] for t in rivals}) == len(rivals):
            differs = [k for k in differs if k != "data_hash"]  # another limit is other data
        out.append(replace(table, differs=tuple(differs)))
    return out


def size_of(entries: Iterable[Entry], contexts: int, questions: int) -> str:
    """Contexts written and questions asked.

    `contamination` asks each question before and after writing, and writes texts that disagree beside its contexts:
    those are no contexts that any fact is asked of.
    """
    facts = _facts(entries)
    if not facts:
        return f"{contexts} contexts, {questions} questions"
    others = f", {contexts - facts} texts that disagree" if contexts > facts else ""
    return f"{facts} contexts{others}, {questions} answers before and after writing"


def _facts(entries: Iterable[Entry]) -> int:
    return max((len(values) for entry in entries for values in entry.by_context("efficacy")), default=0)
