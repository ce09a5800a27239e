"""Live bytes of what a recall brings, in records and tables; and bytes at another number of contexts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import membench
from membench.advice.memory_size import bytes_at
from membench.analysis.verify import verify
from membench.api import Adapter, Prefix, Recall
from membench.model.llm import LLM
from membench.playing.live_bytes import bytes_per_token, live_bytes
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.tables.entry import Entry
from membench.tables.leaderboard import tables
from tests.support.architectures import build


def test_live_bytes_of_each_part_of_a_recall(llm: LLM) -> None:
    config = llm.model.config
    each = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * 4
    assert bytes_per_token(llm) == each
    assert live_bytes(llm, Recall(), ["Who?"]) == 0
    texts, question = ("A text.", "Another one."), "Who was it?"
    added = sum(map(len, llm.segment_ids(texts, question))) - sum(map(len, llm.segment_ids((), question)))
    assert added > 4
    both = Recall(contexts=((), texts))
    assert live_bytes(llm, both, ["Who?", question]) == added * each  # the question that needs most
    heads, width = config.num_key_value_heads, config.head_dim
    prefix = Prefix(*(tuple(torch.zeros(heads, 5, width) for _ in range(config.num_hidden_layers)) for _ in range(2)))
    adapter = Adapter(({"m": {"A": torch.zeros(2, 8), "B": torch.zeros(8, 2)}},), 1.0)
    assert live_bytes(llm, Recall(prefix=prefix), ["Who?"]) == 5 * each
    whole = Recall(contexts=(texts,), prefix=prefix, adapter=adapter)
    assert live_bytes(llm, whole, [question]) == (added + 5) * each + 32 * 4


def test_cells_have_live_bytes_and_those_stored_without_where_they_can(
    tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": tmp_path / "r"}
    membench.run("bm25,ft-s", "sequential", method_settings=("epochs=1", "pairs=1", "ft-s.replay=1"), **given)
    cells = cell_folder.cells(tmp_path / "r")
    measured = {e.method: e.cost("live_bytes") for t in tables(cells) for e in t.entries}
    assert measured["base"] == 0
    assert all(measured[name] for name in ("in-context", "bm25", "ft-s"))
    assert all(verdict.ok for verdict in verify(tmp_path / "r"))
    old = [Cell(c.folder, {**c.result, "costs": without(c.result["costs"])}) for c in cells]
    derived = {e.method: e.cost("live_bytes") for t in tables(old) for e in t.entries}
    assert (derived["base"], derived["bm25"]) == (0, None)
    assert derived["ft-s"] == pytest.approx(measured["ft-s"], abs=100)  # the numbers beside its factors


def without(costs: dict[str, Any]) -> dict[str, Any]:
    return {name: cost for name, cost in costs.items() if name != "live_bytes"}


def entry(method: str, **costs: float) -> Entry:
    return Entry(
        method, {}, (0,), ("id",), "done", None, (), {}, {},
        {"deployed_growth_bytes": costs["state_bytes"], **costs}, 10, 10, 1.0,
    )  # fmt: skip


def test_bytes_at_another_number_of_contexts() -> None:
    one = entry("selfparam", state_bytes=8e6, state_bytes_per_context=8e6, deployed_growth_bytes=0.0)
    assert bytes_at(one, 100) == 8e8  # a memory for each context
    batch = entry("selfparam", state_bytes=8e6, state_bytes_per_context=4e5, deployed_growth_bytes=0.0)
    assert bytes_at(batch, 100) == 8e6
    replay = entry("selfparam", state_bytes=9e6, state_bytes_per_context=4.5e5, deployed_growth_bytes=1e6)
    assert bytes_at(replay, 100) == pytest.approx(9e6 + 80 * 5e4)
    pool = entry("memoryllm", state_bytes=8e6, state_bytes_per_context=4e5)
    assert bytes_at(pool, 100) == 8e6
    filling = entry("memoryllm", state_bytes=8e6, state_bytes_per_context=4e5, marginal_bytes_per_context=4e5)
    assert bytes_at(filling, 100) == pytest.approx(8e6 + 80 * 4e5)  # at most, as it was not full when measured
    text = entry("bm25", state_bytes=4e3, state_bytes_per_context=4e2, marginal_bytes_per_context=3e2)
    assert bytes_at(text, 100) == pytest.approx(4e3 + 90 * 3e2)
    unknown = entry("of-somebody", state_bytes=4e3, state_bytes_per_context=4e2)
    assert bytes_at(unknown, 100) == pytest.approx(4e4)
    assert bytes_at(entry("base", state_bytes=0.0, state_bytes_per_context=0.0), 100) == 0


def test_what_is_read_slowly_has_live_bytes_of_its_adapter_alone(tmp_path: Path) -> None:
    slow = LLM.load(build("rwkv", tmp_path / "rwkv"), name="rwkv", dtype="float32")
    adapter = Adapter(({"layer": {"A": torch.zeros(2, 4), "B": torch.zeros(4, 2)}},), 1.0)
    assert live_bytes(slow, Recall(contexts=(("A harbour.",),)), ["Who?"]) is None
    assert live_bytes(slow, Recall(adapter=adapter), ["Who?"]) == 16 * 4
