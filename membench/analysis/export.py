"""Stored results in the forms that other tools read: tidy tables, Hugging Face's model-index, lm-eval's results."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from membench.errors import MembenchError, unknown
from membench.formats.row_text import row_text
from membench.io.atomic_files import refuse_link, replace_file
from membench.statistics.intervals import standard_error
from membench.store.cell_folder import Cell, records_of
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table, tables

RECIPE = ("task", "data", "model", "method", "seed")
ANSWER = ("episode", "step", "written", "position", "context", "question")
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "tidy": (".csv", ".parquet"),
    "model-index": (".yaml", ".yml", ".json"),
    "lm-eval": (".json",),
}


def export(cells: Sequence[Cell], path: Path, form: str) -> int:
    """Write the cells to a file and return the number of rows or results in it; the suffix says how it is written.

    Raises MembenchError for an unknown form, a suffix that it does not have, and where there is nothing to write.
    """
    if form not in SUFFIXES:
        raise unknown("form", form, SUFFIXES)
    if path.suffix not in SUFFIXES[form]:
        raise MembenchError(f"{path}: {form} is written to a file that ends in {' or '.join(SUFFIXES[form])}")
    refuse_link(path, "FILE")
    if not path.parent.is_dir():
        raise MembenchError(f"{path}: there is no folder {path.parent}")
    data, count = _FORMS[form](cells, path.suffix)
    if not count:
        raise MembenchError("nothing stored has results to export: play something with `membench run`")
    replace_file(path, data)
    return count


def tidy(cells: Sequence[Cell]) -> Iterator[dict[str, Any]]:
    """A row an answer and score: who, about what, when, and the value."""
    for cell in cells:
        if cell.status != "done":
            continue
        head = {"cell": cell.id, **{name: cell.recipe[name] for name in RECIPE}}
        head["settings"] = json.dumps(cell.recipe["settings"], sort_keys=True)
        for record in records_of(cell):
            for score, value in record["scores"].items() if record["type"] == "answer" else ():
                seen = 0 < record["position"] <= record["written"]
                yield head | {n: record[n] for n in ANSWER} | {"seen": seen, "score": score, "value": value}


def _tidy(cells: Sequence[Cell], suffix: str) -> tuple[bytes, int]:
    rows = list(tidy(cells))
    if suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        sink = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
        return sink.getvalue(), len(rows)
    return row_text(rows, "csv").encode(), len(rows)


def _model_index(cells: Sequence[Cell], suffix: str) -> tuple[bytes, int]:
    """One model a method on a base model, as a model card's metadata has it."""
    from huggingface_hub.repocard_data import EvalResult, eval_results_to_model_index

    found: dict[str, list[EvalResult]] = {}
    for table, entry, name, value in _values(cells):
        r = table.recipe
        result = EvalResult(
            task_type="question-answering", task_name=r["task"], dataset_type=r["data"].partition(":")[0],
            dataset_name=r["data"], dataset_revision=r["data_hash"], dataset_config=_config(table),
            metric_type=name.partition("/")[0], metric_name=name, metric_value=value, metric_args=_extent(entry, name),
        )  # fmt: skip
        found.setdefault(f"{entry.label} on {r['model']}", []).append(result)
    index = [model for label, those in found.items() for model in eval_results_to_model_index(label, those)]
    whole = {"model-index": index}
    if suffix == ".json":
        text = json.dumps(whole, indent=2, ensure_ascii=False)
    else:
        import yaml

        text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)
    return text.encode(), sum(map(len, found.values()))


def _lm_eval(cells: Sequence[Cell], _: str) -> tuple[bytes, int]:
    """`metric,subset` and `metric_stderr,subset` by table and method. Raises MembenchError for two of one name."""
    results: dict[str, dict[str, Any]] = {}
    shared: dict[str, dict[str, Any]] = {"configs": {}, "versions": {}, "n-samples": {}}
    count = 0
    for table, entry, name, value in _values(cells):
        r = table.recipe
        label = "|".join((r["task"], r["data"], r["data_hash"], r["model"], _config(table), entry.label))
        ids = shared["configs"].get(label, {}).get("cells", entry.ids)
        if ids != entry.ids:
            raise MembenchError(f"cells {ids[0]} and {entry.ids[0]} are both called {label!r}: export them apart")
        metric, _, subset = name.partition("/")
        error = _standard_error(entry, name)
        mine = results.setdefault(label, {"alias": f"{table.title} · {entry.label}"})
        mine[f"{metric},{subset or 'none'}"] = value
        mine[f"{metric}_stderr,{subset or 'none'}"] = "N/A" if error is None else error
        shared["configs"][label] = {**r, "method": entry.method, "settings": dict(entry.settings), "cells": entry.ids}
        shared["versions"][label] = r["metric_version"]
        shared["n-samples"][label] = {"original": entry.questions, "effective": entry.questions}
        count += 1
    return json.dumps({"results": results, **shared}, indent=2, ensure_ascii=False).encode(), count


def _standard_error(entry: Entry, name: str) -> float | None:
    """Of a metric over contexts and seeds, as its interval is; None where it has none."""
    found = entry.interval(name)
    if found is None or found.low is None:
        return None
    return standard_error(entry.matrix(name) or [[s[name]["value"]] for s in entry.summaries if name in s])


def _values(cells: Sequence[Cell]) -> Iterator[tuple[Table, Entry, str, float]]:
    for table in tables(cells):
        for entry in table.entries:
            for name in entry.names:
                value = entry.value(name)
                if value is not None:
                    yield table, entry, name, value


def _config(table: Table) -> str:
    """What tells tables on the same data apart; a model card merges results that have it in common."""
    r = table.recipe
    settings = " ".join(f"{name}={value}" for name, value in r["task_settings"].items())
    surely = (r["dtype"], r["style"], r["prompt_hash"], r["weights_hash"], f"metrics={r['metric_version']}")
    return " ".join(filter(None, (r["task"], f"limit={r['limit']}", settings, *surely)))


def _extent(entry: Entry, name: str) -> dict[str, Any]:
    """What a single number leaves out: interval, seeds and cells."""
    found = entry.interval(name)
    return {
        "ci_low": found and found.low, "ci_high": found and found.high, "seeds": list(entry.seeds),
        "cells": list(entry.ids),
    }  # fmt: skip


_FORMS: Mapping[str, Callable[[Sequence[Cell], str], tuple[bytes, int]]] = {
    "tidy": _tidy,
    "model-index": _model_index,
    "lm-eval": _lm_eval,
}
