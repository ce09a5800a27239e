"""The reader against plain transformers: same tokens, same likelihoods, whatever is packed together."""

from __future__ import annotations

import os

import pytest
import torch

from membench.api import Adapter, Recall
from membench.model.likelihood import Reference
from membench.model.llm import LLM
from membench.reading.token_tree import Tree

TEXTS = ("The harbour was built by Ines Corde in 1931.", "Forty ships lie in the north.")
QUESTIONS = ("Who built the harbour?", "In what year was it built, and by whom?", "How many ships?")


def logits(llm: LLM, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = llm.model(torch.tensor([ids])).logits
    return out[0].float()


def prompt_ids(llm: LLM, contexts: tuple[str, ...], question: str) -> list[int]:
    return [i for segment in llm.segment_ids(contexts, question) for i in segment]


def test_tree_equals_separate_sequences(llm: LLM) -> None:
    a, b, c = [5, 6, 7], [8, 9], [10, 11, 12, 13]
    decoder = llm.model.get_decoder()
    with torch.no_grad():
        tree = Tree(llm.model)
        (root,), _ = tree.grow([(None, a)])
        (left, right), first = tree.grow([(root, b), (root, c)])
        (_, _), second = tree.grow([(left, c), (right, b)])
        for sequence, hidden in ((a + b, first[0]), (a + c, first[1]), (a + b + c, second[0]), (a + c + b, second[1])):
            expected = decoder(torch.tensor([sequence])).last_hidden_state[0][-len(hidden) :]
            torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=1e-5)


def test_on_a_cpu_heads_read_shared_keys_where_they_lie(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(*_: object) -> None:
        raise AssertionError("keys are copied for each head")

    assert llm.model.config.num_key_value_heads < llm.model.config.num_attention_heads
    monkeypatch.setattr("transformers.integrations.sdpa_attention.repeat_kv", copied)
    before = dict(os.environ)
    assert llm.answer(Recall(contexts=((TEXTS[0],),) * 3), QUESTIONS)
    assert dict(os.environ) == before, "a model on another device would attend more slowly"


def test_rewound_tree_reads_as_if_nothing_had_been(llm: LLM) -> None:
    with torch.no_grad():
        tree = Tree(llm.model)
        (root,), _ = tree.grow([(None, [5, 6, 7])])
        mark = tree.mark()
        before = tree.grow([(root, [8, 9])])[1][0]
        tree.rewind(mark)
        tree.grow([(root, [20, 21, 22])])
        tree.rewind(mark)
        torch.testing.assert_close(tree.grow([(root, [8, 9])])[1][0], before, atol=0, rtol=0)


@pytest.mark.parametrize("contexts", [(), TEXTS[:1], TEXTS])
def test_answers_are_those_of_a_plain_greedy_loop(llm: LLM, contexts: tuple[str, ...]) -> None:
    readings = llm.answer(Recall(contexts=(contexts,) * len(QUESTIONS)), QUESTIONS)
    for question, reading in zip(QUESTIONS, readings, strict=True):
        ids = prompt_ids(llm, contexts, question)
        expected: list[int] = []
        while len(expected) < llm.max_new_tokens:
            token = int(logits(llm, ids + expected)[-1].argmax())
            if token == llm.tokenizer.eos_token_id or "\n" in llm.decode([*expected, token]):
                break
            expected.append(token)
        assert list(reading.ids) == expected
        assert reading.truncated == (len(expected) == llm.max_new_tokens)


def test_candidate_likelihoods_are_those_of_plain_forward_passes(llm: LLM) -> None:
    candidates = [("Ines Corde", "Forty"), ("1931",), ()]
    readings = llm.answer(Recall(contexts=(TEXTS,) * 3), QUESTIONS, candidates)
    for question, texts, reading in zip(QUESTIONS, candidates, readings, strict=True):
        assert len(reading.logprobs) == len(texts)
        for text, got in zip(texts, reading.logprobs, strict=True):
            prompt, tokens = prompt_ids(llm, TEXTS, question), llm.ids(f" {text}")
            logp = logits(llm, prompt + tokens).log_softmax(-1)[len(prompt) - 1 : -1]
            assert got == pytest.approx(logp[range(len(tokens)), tokens].mean().item(), abs=1e-4)


def test_divergence_is_zero_from_oneself_and_the_definition_from_another(llm: LLM) -> None:
    recall = Recall(contexts=(TEXTS,) * 3)
    own = [Reference(r.ids, r.hidden) for r in llm.answer(recall, QUESTIONS)]
    assert all(r.divergence == pytest.approx(0, abs=1e-5) for r in llm.answer(recall, QUESTIONS, None, own))
    for question, reference, reading in zip(QUESTIONS, own, llm.answer(Recall(), QUESTIONS, None, own), strict=True):
        total = 0.0
        for k in range(len(reference.hidden)):
            target = logits(llm, prompt_ids(llm, TEXTS, question) + list(reference.ids[:k]))[-1].log_softmax(-1)
            ours = logits(llm, prompt_ids(llm, (), question) + list(reference.ids[:k]))[-1].log_softmax(-1)
            total += float((target.exp() * (target - ours)).sum())
        assert reading.divergence == pytest.approx(total / len(reference.hidden), abs=1e-3)


def test_an_adapter_changes_the_answers_and_leaves_the_weights(llm: LLM) -> None:
    name = "model.layers.0.self_attn.q_proj"
    weight = llm.model.get_submodule(name).weight
    before = weight.clone()
    layer = {name: {"A": torch.randn(4, weight.shape[1]), "B": torch.randn(weight.shape[0], 4)}}
    with llm.wearing(Adapter((layer, layer), 0.5)):
        torch.testing.assert_close(weight, before + layer[name]["B"] @ layer[name]["A"], atol=1e-4, rtol=1e-4)
    assert torch.equal(weight, before)


def test_tokens_are_metered_once_for_shared_beginnings(llm: LLM) -> None:
    llm.meter.lap()
    llm.answer(Recall(contexts=(TEXTS,) * 3), QUESTIONS)
    together = llm.meter.lap()[1]["reader"]["read"]
    for question in QUESTIONS:
        llm.answer(Recall(contexts=(TEXTS,)), [question])
    alone = llm.meter.lap()[1]["reader"]["read"]
    shared = sum(map(len, llm.segment_ids(TEXTS, "")[:-1]))
    assert alone - together == 2 * shared
