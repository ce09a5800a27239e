"""The memory pool: what a write keeps, what it drops, and that nothing is lost where nothing need be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from membench.api import Adapter, Recall
from membench.cli.app import main
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.keyvalues.pool import Sink, pieces, survivors, tail, update
from membench.keyvalues.pool_parts import PoolParts
from membench.model.llm import LLM
from membench.plugins import registry

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It lies in the north.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
    "The museum of Tarn shows glass from the south.",
)
QUESTIONS = ("Who built the harbour of Vellmar?", "Which bank sponsors the survey?", "What does the museum show?")
CANDIDATES = [("Ines Corde", "Ada Quill"), ("the Brannow Bank",), ("glass", "coins")]
RECIPE = {"model": "tiny", "new": 160, "chunk": 160, "store": "input"}


def lent(llm: LLM, **settings: Any) -> Any:
    return registry.load("methods", "memoryllm")(llm=llm, **settings)


def filled(vectors: int, layers: int = 2) -> torch.Tensor:
    """A pool whose vectors are their own numbers."""
    return torch.arange(vectors, dtype=torch.float32)[None, :, None].repeat(layers, 1, 3)


@pytest.mark.parametrize("chunk", [160, 17])
def test_a_pool_that_drops_nothing_is_the_text_in_the_prompt(llm: LLM, chunk: int) -> None:
    """With room for all that was read, pieces and several texts included, the pool reads as the prompt would."""
    method = lent(llm, new=160, chunk=chunk)
    memory = method.write(method.write(None, TEXTS[:1]), TEXTS[1:])
    ours = llm.answer(method.recall(memory, QUESTIONS), QUESTIONS, CANDIDATES)
    in_context = llm.answer(Recall(contexts=(TEXTS,) * 3), QUESTIONS, CANDIDATES)
    for a, b in zip(ours, in_context, strict=True):
        assert a.ids == b.ids
        torch.testing.assert_close(a.hidden, b.hidden, atol=1e-4, rtol=1e-4)
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)


def test_the_published_rule_keeps_what_comes_out_of_a_layer(llm: LLM) -> None:
    into, out = (lent(llm, store=store).write(None, TEXTS[:1]).states for store in ("input", "output"))
    torch.testing.assert_close(out[0], into[1])
    assert not torch.allclose(out[1], into[1])


@pytest.mark.parametrize("drop", ["layer", "shared"])
def test_once_full_the_size_is_constant(llm: LLM, drop: str) -> None:
    method = lent(llm, size=40, new=16, chunk=24, drop=drop)
    memory, sizes = None, []
    for _ in range(4):
        memory = method.write(memory, TEXTS)
        sizes.append(memories.nbytes(memory.states))
    layers, width = llm.model.config.num_hidden_layers, llm.model.config.hidden_size
    assert sizes == [layers * 40 * width * 4] * 4


def test_survivors_are_sorted_and_the_newest_always_stay() -> None:
    after = update(filled(10), filled(4) + 100, size=10, drop="layer", seed=3)
    assert after.shape == (2, 10, 3)
    for layer in after[..., 0]:
        assert layer.tolist() == sorted(set(layer.tolist()))
        assert layer[-4:].tolist() == [100, 101, 102, 103]
    shared = update(filled(10), filled(4) + 100, size=10, drop="shared", seed=3)
    assert torch.equal(shared[0], shared[1])
    assert any(
        not torch.equal(*update(filled(10), filled(4), size=10, drop="layer", seed=seed)[..., 0]) for seed in range(5)
    )


@pytest.mark.parametrize(("size", "new"), [(64, 8), (60, 15)])
def test_what_survives_follows_the_law_of_the_paper(size: int, new: int) -> None:
    """After t updates a share (1 − K/N)^t of the old vectors is left (MemoryLLM, section 3.1)."""
    layers, updates = 200, 8
    pool = filled(size, layers)
    for t in range(1, updates + 1):
        pool = update(pool, filled(new, layers) + 1000, size, "layer", seed=t)
        share = (pool[..., 0] < 1000).sum().item() / (layers * size)
        assert share == pytest.approx((1 - new / size) ** t, abs=0.015)
    places = [(pool[..., 0] == place).sum().item() for place in range(size)]
    assert (
        torch.tensor(places).float().std() < 3 * (layers * (1 - new / size) ** updates) ** 0.5
    )  # no place is favoured


def test_survivors_depend_on_the_seed_alone() -> None:
    assert torch.equal(survivors(30, 7, 2, 5), survivors(30, 7, 2, 5))
    assert not torch.equal(survivors(30, 7, 2, 5), survivors(30, 7, 2, 6))


def test_same_seed_same_pool_and_the_given_one_stays(llm: LLM) -> None:
    method = lent(llm, size=40, new=16, chunk=16)
    first = method.write(None, TEXTS[:1])
    before = memories.digest(first)
    second = method.write(first, TEXTS[1:])
    assert memories.digest(first) == before
    assert memories.equal(second, method.write(first, TEXTS[1:]))
    assert not memories.equal(second, lent(llm, size=40, new=16, chunk=16, seed=1).write(first, TEXTS[1:]))


def test_writing_at_once_and_one_by_one_is_the_same(llm: LLM) -> None:
    method = lent(llm, size=40, new=16, chunk=16)
    memory = None
    for text in TEXTS:
        memory = method.write(memory, [text])
    assert memories.equal(memory, method.write(None, TEXTS))


def test_fewer_vectors_than_tokens_forget_the_early_ones_alone(llm: LLM) -> None:
    whole = lent(llm).write(None, TEXTS[:1]).states
    some = lent(llm, new=8).write(None, TEXTS[:1]).states
    torch.testing.assert_close(some, whole[:, -8:])


def test_a_write_reads_behind_the_newest_vectors_alone(llm: LLM) -> None:
    newest_three = tail(filled(10), 3)
    assert newest_three is not None
    assert torch.equal(newest_three, filled(10)[:, -3:])
    method = lent(llm, size=64, new=8)
    memory = method.write(None, TEXTS[:2])
    assert memory.states.shape[1] == 16
    with torch.no_grad():
        (piece,) = pieces(llm, TEXTS[2], method.chunk)
        sink = Sink(llm)
        newest, oldest = (
            sink.states_of(piece, part, "input")[:, -8:] for part in (memory.states[:, -8:], memory.states[:, :8])
        )
    written = method.write(memory, TEXTS[2:]).states[:, -8:]
    torch.testing.assert_close(written, newest)
    assert not torch.allclose(written, oldest, atol=1e-3)


def test_pieces_cover_the_text_as_it_stands_in_a_prompt(llm: LLM) -> None:
    parts = list(pieces(llm, TEXTS[0], 16))
    assert [i for part in parts for i in part] == llm.segment_ids([TEXTS[0]], "")[1]
    assert {len(part) for part in parts[:-1]} == {16}
    assert tail(None, 3) is None


def test_forgetting_is_refused_with_what_it_would_cost(llm: LLM) -> None:
    method = lent(llm)
    assert not method.forgets, "so that a run says it before it writes"
    with pytest.raises(MembenchError, match="and to write the others anew costs a pass of the model over each"):
        method.forget(method.write(None, TEXTS), TEXTS[:1])


def test_a_saved_pool_is_the_pool(llm: LLM, tmp_path: Path) -> None:
    method = lent(llm, size=40, new=16, chunk=16)
    memory = method.write(None, TEXTS[:2])
    memories.save(memory, tmp_path)
    loaded = memories.load(tmp_path)
    assert memories.equal(loaded, memory)
    assert memories.equal(method.write(loaded, TEXTS[2:]), method.write(memory, TEXTS[2:]))
    ours, theirs = (llm.answer(method.recall(m, QUESTIONS), QUESTIONS, CANDIDATES) for m in (loaded, memory))
    assert [(r.ids, r.logprobs) for r in ours] == [(r.ids, r.logprobs) for r in theirs]


def parts_for(llm: LLM, **recipe: Any) -> PoolParts:
    """Parts as training would make them, of random factors."""
    name = "model.layers.0.self_attn.v_proj"
    rows, columns = llm.model.get_submodule(name).weight.shape
    generator = torch.Generator().manual_seed(0)
    adapters = [
        Adapter(({name: {"A": torch.randn(2, columns, generator=generator), "B": torch.ones(rows, 2)}},), scale)
        for scale in (0.05, 0.1)
    ]
    return PoolParts(adapters[0], adapters[1], {**RECIPE, **recipe}, {})


def test_trained_parts_are_worn_for_writing_and_for_reading(llm: LLM, tmp_path: Path) -> None:
    parts = parts_for(llm)
    memories.save(parts, tmp_path)
    trained, plain = lent(llm, checkpoint=str(tmp_path)), lent(llm)
    memory = trained.write(None, TEXTS[:1])
    with llm.wearing(parts.write):
        torch.testing.assert_close(memory.states, plain.write(None, TEXTS[:1]).states)
    assert not torch.allclose(memory.states, plain.write(None, TEXTS[:1]).states)
    recall = trained.recall(memory, QUESTIONS)
    assert memories.equal(recall.adapter, parts.read)
    with llm.wearing(parts.read):
        expected = plain.recall(memory, QUESTIONS).prefix
    torch.testing.assert_close(recall.prefix.values, expected.values)
    assert (trained.label, plain.label) == (None, "memoryllm (untrained)")


def test_parts_are_used_as_they_were_trained(llm: LLM, tmp_path: Path) -> None:
    memories.save(parts_for(llm, new=64), tmp_path)
    with pytest.raises(MembenchError, match=r"and new=160 was asked for: type -M memoryllm.new=64"):
        lent(llm, checkpoint=str(tmp_path))


def test_parts_of_another_model_are_refused(llm: LLM, tmp_path: Path) -> None:
    parts = parts_for(llm)
    wide = {name: {"A": torch.ones(2, 7), "B": torch.ones(9, 2)} for name in parts.read.layers[0]}
    memories.save(PoolParts(Adapter((wide,), 1.0), parts.read, {**RECIPE, "model": "wide"}, {}), tmp_path)
    with pytest.raises(MembenchError, match="the trained parts are for wide and do not fit tiny"):
        lent(llm, checkpoint=str(tmp_path)).write(None, TEXTS)


def test_published_checkpoints_are_refused(llm: LLM, tiny: Path, tmp_path: Path) -> None:
    for name in ("YuWangX/memoryllm-8b", "YuWangX/mplus-8b"):
        with pytest.raises(MembenchError, match=r"run under transformers 4.4x alone: train parts"):
            lent(llm, checkpoint=name)
    (tmp_path / "config.json").write_text('{"architectures": ["MemoryLLM"], "model_type": "llama"}', encoding="utf-8")
    with pytest.raises(MembenchError, match=r"run under transformers 4.4x alone"):
        lent(llm, checkpoint=str(tmp_path))
    shutil.copytree(tiny, half := tmp_path / "half")
    config = json.loads((half / "config.json").read_text(encoding="utf-8"))
    (half / "config.json").write_text(json.dumps(config | {"architectures": ["MemoryLLM"]}), encoding="utf-8")
    for folder, name in ((tiny, "YuWangX/memoryllm-7b"), (half, "half")):
        with pytest.raises(MembenchError, match=f"model {name}: the published"):
            LLM.load(folder, name=name, dtype="float32")
    call = CliRunner().invoke(main, ["run", "-m", "base", "-t", "single", "--model", "YuWangX/mplus-8b"])
    assert (call.exit_code, "model YuWangX/mplus-8b: the published" in call.stderr) == (2, True)


def test_an_unfinished_training_is_no_checkpoint(llm: LLM, tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match="holds no finished parts: let `membench train-memory` end its training"):
        lent(llm, checkpoint=str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "setting size of memoryllm wants 1 or more, got 0"),
        ({"new": 0}, "setting new of memoryllm wants 1 or more, got 0"),
        ({"chunk": -1}, "setting chunk of memoryllm wants 1 or more, got -1"),
        ({"size": 8, "new": 9}, "setting new must be at most size, 8, got 9"),
        ({"store": "both"}, "setting store of memoryllm wants one of input, output, got 'both'"),
        ({"drop": "all"}, "setting drop of memoryllm wants one of layer, shared, got 'all'"),
        (
            {"checkpoint": "nowhere"},
            "checkpoint nowhere: no such folder: name the one that `membench train-memory` wrote",
        ),
    ],
)
def test_settings_out_of_range_are_one_line(llm: LLM, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError) as error:
        lent(llm, **settings)
    assert str(error.value) == message


def test_the_sink_is_read_once_and_left_as_it_was(llm: LLM) -> None:
    sink = Sink(llm)
    with torch.no_grad():
        first = sink.states_of([5, 6, 7], None, "input")
        sink.states_of([8, 9], first, "input")
        assert torch.equal(sink.states_of([5, 6, 7], None, "input"), first)
