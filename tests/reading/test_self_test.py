"""Every kind of model is read as it reads itself, or slowly, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.reading.positions import window_of
from membench.reading.self_test import reader_of
from membench.reading.slow_tree import SlowTree
from membench.reading.token_tree import Tree
from membench.values import Prefix, Recall
from tests.support.architectures import build

TEXT = "The harbour of Vellmar was built by Ines Corde in 1931. "
QUESTIONS = ("Who built the harbour?", "In what year was the harbour built?")
READ = {
    "llama": False, "mistral": False, "qwen3": False, "gemma2": False, "phi3": False, "phi": False, "granite": False,
    "cohere": False, "gpt-oss": False, "gpt2": False, "gpt-neo": True, "lfm2": True,
}  # fmt: skip


def made(name: str, folder: Path) -> LLM:
    llm = LLM.load(build(name, folder / name), name=name, dtype="float32")
    llm.max_new_tokens, llm.stop = 4, "\x00"
    return llm


@torch.no_grad()
def plain(llm: LLM, ids: list[int]) -> torch.Tensor:
    """The model's own log-probabilities [tokens, vocabulary]."""
    return llm.model(torch.tensor([ids]), use_cache=False).logits[0].float().log_softmax(-1)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", READ)
def test_answers_and_likelihoods_are_the_models_own(name: str, tmp_path: Path) -> None:
    llm = made(name, tmp_path)
    candidates = [("Ines Corde", "Tam Reed"), ("1931", "1874")]
    found = llm.answer(Recall(contexts=((TEXT * 2,),) * 2), QUESTIONS, candidates)
    assert llm.slow is READ[name]
    for reading, question, answers in zip(found, QUESTIONS, candidates, strict=True):
        ids = [token for segment in llm.segment_ids([TEXT * 2], question) for token in segment]
        for k, token in enumerate(reading.ids):
            assert int(plain(llm, [*ids, *reading.ids[:k]])[-1].argmax()) == token
        for answer, mine in zip(answers, reading.logprobs, strict=True):
            own = llm.ids(f" {answer}")
            logp = plain(llm, [*ids, *own])[len(ids) - 1 : -1]
            assert mine == pytest.approx(logp[range(len(own)), own].mean().item(), abs=2e-4)


def test_a_slow_model_takes_no_prefix(tmp_path: Path) -> None:
    llm = made("gpt-neo", tmp_path)
    keys = (torch.zeros(1, 1, 1),)
    with pytest.raises(MembenchError, match="texts and adapters alone"):
        llm.answer(Recall(prefix=Prefix(keys, keys)), QUESTIONS[:1])


def test_what_no_reader_reads_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = made("llama", tmp_path)
    real = llm.model.forward

    def noisy(*given: Any, **named: Any) -> Any:
        out = real(*given, **named)
        out.logits = out.logits + torch.rand_like(out.logits)
        return out

    monkeypatch.setattr(llm.model, "forward", noisy)
    with pytest.raises(MembenchError, match=r"^model llama cannot be read \(.*\): take a causal language model$"):
        reader_of(llm.model, "llama")


def test_a_slow_tree_grows_as_a_fast_one(llm: LLM) -> None:
    slow, fast = SlowTree(llm.model), llm.tree(Recall())
    with torch.no_grad():
        for tree in (slow, fast):
            assert tree.plant(tree.grow([(None, [5, 6, 7])])[0][0]).depth == 3
        grown = []
        for tree in (slow, fast):
            (root,), _ = tree.grow([(None, [5, 6, 7, 8])])
            mark = tree.mark()
            (one, two), (first, second) = tree.grow([(root, [9]), (0, [10, 11])])
            (longer,), (third,) = tree.grow([(one, [12])], extend=True)
            assert (one.depth, two.depth, longer.depth) == (5, 7, 6)
            grown.append(torch.cat([first, second, third]))
            tree.rewind(mark)
    torch.testing.assert_close(grown[0], grown[1], atol=1e-5, rtol=1e-4)


def test_the_window_ends_where_rotations_change_for_all_tokens(tmp_path: Path) -> None:
    assert made("phi3-longrope", tmp_path).window == 2048  # of 8192
    assert made("llama", tmp_path).window == 2048
    assert window_of(made("llama-dynamic-rope", tmp_path).model.config) <= 2048


@pytest.mark.parametrize("name", ["mistral-sliding", "gemma2"])
def test_long_windows_are_tried_as_short_ones(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that forgets about a window of thousands of tokens is found out, and the configuration stays."""
    folder = build(name, tmp_path / name)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"sliding_window": 1500}))
    llm = LLM.load(folder, name=name, dtype="float32")
    assert not llm.slow
    assert llm.model.config.sliding_window == 1500
    real = Tree._mask

    def forgetful(tree: Tree, *given: Any) -> Any:
        window, tree.config.sliding_window = tree.config.sliding_window, None
        try:
            return real(tree, *given)
        finally:
            tree.config.sliding_window = window

    monkeypatch.setattr(Tree, "_mask", forgetful)
    assert reader_of(llm.model, name)[0] is SlowTree
    assert llm.model.config.sliding_window == 1500
