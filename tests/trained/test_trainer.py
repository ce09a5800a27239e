"""The identities that prove the training loop of SELF-PARAM and FT (docs/methods.md)."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch.nn import functional as F

from membench.api import Adapter, Recall
from membench.checkpoints.budgets import Budgets
from membench.losses.divergences import FORWARD, Objective
from membench.model.llm import LLM
from membench.trained.lora import Lora, factors
from membench.trained.sentences import (
    Material,
    Sentence,
    batches,
    context_sentence,
    qa_sentences,
    quota,
    said_already,
    suffix_sentence,
)
from membench.trained.student import STEM_STEPS, Student
from membench.trained.teacher import teach
from membench.trained.trainer import Precision, precision, train

TEXT = "The harbour was built by Ines Corde in 1931. It lies in the north."
MATERIAL = Material(TEXT, (("Who built the harbour?", "Ines Corde"), ("When was it built?", "1931")))
LORA = Lora(rank=4, lr=1e-2, precision="float32")


def losses(
    llm: LLM, steps: list[list[Sentence]], loss: str, lora: Lora = LORA, objective: Objective = FORWARD
) -> list[float]:
    values: list[float] = []
    train(llm, steps, loss, lora, on_step=lambda _i, value, _m: values.append(value), objective=objective)
    return values


def plain_hidden(llm: LLM, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = llm.model(torch.tensor([ids])).logits
    return out[0].float()


def test_kl_is_zero_with_an_empty_context(llm: LLM) -> None:
    sentences = [Sentence(s.kind, s.stem, (s.stem,), s.tokens, s.start) for s in qa_sentences(llm, MATERIAL, "all")]
    assert losses(llm, [sentences], "kl") == [pytest.approx(0, abs=1e-5)]


def test_what_the_teacher_answered_it_has_read(llm: LLM) -> None:
    """The states that an answer was decoded from are those with which the teacher reads it, if its tokens are these."""
    questions = ["Who built the harbour?", "Where does it lie?"]
    readings = llm.answer(Recall(contexts=((TEXT,),) * 2), questions)
    pairs = []
    for question, reading in zip(questions, readings, strict=True):
        *before, ask = llm.segment_ids([TEXT], question)
        pairs.append(Sentence("qa", (), tuple(map(tuple, before)), (*ask, *reading.ids), len(ask)))
    found, read = said_already(pairs, readings), teach(llm, pairs)
    assert set(found) == set(pairs)
    for sentence in pairs:
        torch.testing.assert_close(found[sentence], read[sentence], atol=1e-4, rtol=1e-4)
    other = [replace(s, tokens=(*s.tokens[: s.start], s.tokens[s.start] + 1, *s.tokens[s.start + 1 :])) for s in pairs]
    assert not said_already(other, readings)


def test_kl_is_the_definition(llm: LLM) -> None:
    sentence = qa_sentences(llm, MATERIAL, "all")[0]
    stem, given, tokens = list(sentence.stem), [i for part in sentence.given for i in part], list(sentence.tokens)
    teacher = plain_hidden(llm, given + tokens)[len(given) - 1 : -1].log_softmax(-1)
    student = plain_hidden(llm, stem + tokens)[len(stem) - 1 : -1].log_softmax(-1)
    expected = (teacher.exp() * (teacher - student)).sum(-1).mean().item()
    assert losses(llm, [[sentence]], "kl") == [pytest.approx(expected, rel=1e-3)]
    vocab = teacher.shape[-1]
    assert losses(llm, [[sentence]], "kl", objective=Objective(reduction="vocab_mean")) == [
        pytest.approx(expected / vocab, rel=1e-3)
    ]


def test_cross_entropy_is_the_definition_and_answer_only_masks_the_question(llm: LLM) -> None:
    for loss_on in ("all", "answer"):
        sentence = qa_sentences(llm, MATERIAL, loss_on)[1]
        stem, tokens = list(sentence.stem), list(sentence.tokens)
        logits = plain_hidden(llm, stem + tokens)[len(stem) - 1 : -1][sentence.start :]
        expected = F.cross_entropy(logits, torch.tensor(tokens[sentence.start :])).item()
        assert losses(llm, [[sentence]], "ce") == [pytest.approx(expected, rel=1e-4)]
        covered = llm.decode(tokens[sentence.start :])
        assert covered == (" 1931\n" if loss_on == "answer" else "Q: When was it built?\nA: 1931\n")


def test_an_untrained_adapter_is_the_base_exactly(llm: LLM) -> None:
    layer = train(llm, [], "ce", LORA)[0]
    questions = ["Who built the harbour?"]
    base = llm.answer(Recall(), questions, [["Ines Corde"]])
    worn = llm.answer(Recall(adapter=Adapter((layer,), LORA.scale)), questions, [["Ines Corde"]])
    assert worn[0].logprobs == base[0].logprobs
    assert worn[0].ids == base[0].ids


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("named", ["auto", "float32"])
def test_weights_in_halves_learn_from_a_teacher(tiny: Path, named: Precision, dtype: str) -> None:
    halves = LLM.load(tiny, name="tiny", dtype=dtype, device="cpu")
    values = losses(halves, [qa_sentences(halves, MATERIAL, "answer")] * 3, "kl", replace(LORA, precision=named))
    assert len(values) == 3
    assert 0 < values[-1] < values[0]


@pytest.mark.parametrize("native", [True, False])
def test_the_precision_of_training_is_that_of_the_weights_and_not_of_the_processor(
    llm: LLM, tiny: Path, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    halves = LLM.load(tiny, name="tiny", dtype="bfloat16", device="cpu")
    mixed = {
        (loaded is halves, named, by_teacher): not isinstance(precision(loaded, named, by_teacher), nullcontext)
        for loaded in (llm, halves)
        for named in get_args(Precision)
        for by_teacher in (False, True)
    }
    assert {choice for choice, is_mixed in mixed.items() if is_mixed} == {
        (False, "bfloat16", False), (False, "bfloat16", True),
        (True, "bfloat16", False), (True, "bfloat16", True),
        (True, "auto", False), (True, "auto", True), (True, "float32", True),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["context", "qa"])
def test_merged_equals_adapter_on(llm: LLM, kind: str) -> None:
    """What is trained is what is asked: the worked examples too are read with the adapter on."""
    step = [context_sentence(llm, MATERIAL)] if kind == "context" else qa_sentences(llm, MATERIAL, "answer")
    seen: list[float] = []
    before_last: list[Any] = []

    def watch(i: int, value: float, wrapped: Any) -> None:
        seen.append(value)
        if i == STEM_STEPS - 1:
            before_last.append(factors(wrapped))

    train(llm, [step] * (STEM_STEPS + 1), "ce", LORA, on_step=watch)
    with llm.wearing(Adapter((before_last[0],), LORA.scale)):
        merged = losses(llm, [step], "ce")[0]
    assert merged == pytest.approx(seen[-1], abs=1e-4)
    assert merged < seen[0]


@pytest.mark.parametrize("upper", [0.5, 1.0])
def test_only_the_upper_layers_are_trained_and_the_lower_ones_are_read_once(llm: LLM, upper: float) -> None:
    """The first step's loss is that of the whole model whatever is cut off; the adapter is on the upper layers."""
    step = [*qa_sentences(llm, MATERIAL, "answer"), suffix_sentence(llm, MATERIAL, random.Random(1))]
    whole = [plain_hidden(llm, [*s.stem, *s.tokens])[len(s.stem) + s.start - 1 : -1] for s in step]
    expected = [
        F.cross_entropy(logits, torch.tensor(s.tokens[s.start :])).item() for s, logits in zip(step, whole, strict=True)
    ]
    lora = Lora(rank=4, lr=1e-2, upper=upper, precision="float32")
    seen: list[float] = []
    layer, _ = train(llm, [step], "ce", lora, on_step=lambda _i, value, _m: seen.append(value))
    assert seen == [pytest.approx(sum(expected) / len(expected), rel=1e-4)]
    assert {int(name.split(".")[2]) for name in layer} == ({0, 1} if upper == 1 else {1})
    assert len(llm.model.get_decoder().layers) == 2


def test_training_lowers_the_loss_and_leaves_the_model_as_it_was(llm: LLM) -> None:
    before = {name: p.clone() for name, p in llm.model.named_parameters()}
    values = losses(llm, [qa_sentences(llm, MATERIAL, "all")] * 20, "kl")
    assert values[-1] < 0.3 * values[0]
    after = dict(llm.model.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) and not after[name].requires_grad for name in before)
    assert not llm.model.training


def test_same_seed_same_weights(llm: LLM) -> None:
    steps = [qa_sentences(llm, MATERIAL, "all")] * 3
    one, two = (train(llm, steps, "kl", LORA)[0] for _ in range(2))
    other = train(llm, steps, "kl", Lora(rank=4, lr=1e-2, precision="float32", seed=1))[0]
    assert all(torch.equal(one[m][k], two[m][k]) for m in one for k in "AB")
    assert any(not torch.equal(one[m]["A"], other[m]["A"]) for m in one)


def test_hard_labels_equal_a_one_hot_teacher(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """FT(S) is SELF-PARAM with a teacher that is sure of the text."""
    sentence = qa_sentences(llm, MATERIAL, "answer")[0]
    labels = list(sentence.tokens[sentence.start :])
    sure = torch.full((len(labels), 8), 0.0)
    hard = losses(llm, [[sentence]], "ce")[0]
    plain = llm.logits

    def logits(hidden: torch.Tensor) -> torch.Tensor:
        if hidden.shape[-1] != 8:
            return plain(hidden)
        return F.one_hot(torch.tensor(labels), llm.model.config.vocab_size).float() * 200

    monkeypatch.setattr(llm, "logits", logits)
    monkeypatch.setattr("membench.trained.trainer.teach", lambda _llm, _sentences: {sentence: sure})
    assert losses(llm, [[sentence]], "kl")[0] == pytest.approx(hard, rel=1e-4)


def test_every_epoch_covers_every_sentence_once() -> None:
    steps = list(batches(10, 4, 3, random.Random(0)))
    assert [len(step) for step in steps] == [4, 4, 2] * 3
    for epoch in range(3):
        assert sorted(i for step in steps[3 * epoch : 3 * epoch + 3] for i in step) == list(range(10))


def test_published_mix_is_one_to_one_to_one() -> None:
    carry, total = 0.0, 0
    for share in (4, 4, 2):
        due, carry = quota(1.0, share, carry)
        total += due
    assert total == 10


def test_suffix_sees_the_prefix_only_as_teacher(llm: LLM) -> None:
    sentence = suffix_sentence(llm, MATERIAL, random.Random(3))
    assert llm.decode([*sentence.given[-1], *sentence.tokens]) == TEXT
    assert sentence.given[-1]
    assert sentence.tokens


def test_the_teacher_reads_a_text_once_for_all_its_suffixes(llm: LLM) -> None:
    suffixes = [suffix_sentence(llm, MATERIAL, random.Random(seed)) for seed in (1, 2, 3)]
    pairs = qa_sentences(llm, MATERIAL, "all")
    llm.meter.lap()
    said = teach(llm, [*suffixes, *pairs])
    read = llm.meter.lap()[1]["teacher"]["read"]
    whole = {tuple(i for part in s.given for i in part) + s.tokens for s in suffixes}
    assert len(whole) == 1
    given = {s.given for s in pairs}
    assert read == len(whole.pop()) + sum(len(i) for parts in given for i in parts) + sum(len(s.tokens) for s in pairs)
    for s in (*suffixes, *pairs):
        before = [i for part in s.given for i in part]
        logits = plain_hidden(llm, [*before, *s.tokens])[len(before) + s.start - 1 : -1]
        torch.testing.assert_close(llm.logits(said[s]), logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("loss", ["ce", "kl"])
def test_what_has_no_room_is_read_at_its_step(llm: LLM, monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    """A write of a thousand contexts keeps part of the lower states, and the teacher's in half precision."""
    rng = random.Random(2)
    pairs = qa_sentences(llm, MATERIAL, "answer")
    steps = [[*pairs, suffix_sentence(llm, MATERIAL, rng)] for _ in range(6)]
    whole = losses(llm, steps, loss)
    often = sum(len(s.tokens) for s in pairs)
    for room in (0, often):
        kept = Budgets(kept_bytes=room * 4 * llm.model.config.hidden_size)
        monkeypatch.setattr(llm, "budgets", kept)
        assert losses(llm, steps, loss) == [pytest.approx(value, rel=2e-3) for value in whole]
    student = Student(llm, (s for step in steps for s in step), 1)
    assert set(student.lower) == set(pairs), "those that are read most often"


def test_the_teacher_holds_a_text_once_for_all_its_suffixes(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    suffixes = [suffix_sentence(llm, MATERIAL, random.Random(seed)) for seed in range(9)]
    said = teach(llm, suffixes)
    assert len({states.untyped_storage().data_ptr() for states in said.values()}) == 1
    monkeypatch.setattr(llm, "budgets", Budgets(kept_bytes=0))
    half = teach(llm, suffixes)
    assert {states.dtype for states in half.values()} == {torch.float16}
    for s in suffixes:
        torch.testing.assert_close(half[s].float(), said[s], atol=1e-2, rtol=1e-3)
