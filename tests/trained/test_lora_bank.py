"""A bank of adapters: each is what its trainer makes of its context alone, and the right one answers as alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import membench
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.retrieval.router import routes
from membench.targets.scribe import Scribe
from membench.trained.lora import merged
from membench.values import Adapter, Pair

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
    "The museum of Tarn shows glass from the south.",
)
BOOK = {
    TEXTS[0]: (Pair("Who made the harbour?", "Ines Corde"), Pair("How many ships fit in?", "forty")),
    TEXTS[1]: (Pair("Who sponsors the survey?", "the Brannow Bank"),),
    TEXTS[2]: (Pair("What is on show?", "glass"),),
}
QUESTIONS = ("Who built the harbour of Vellmar?", "When does the Oxley Trade Survey appear?", "What does Tarn show?")
OF = "selfparam epochs=1 pairs=2"


def bank_of(llm: LLM, of: str = OF, **settings: Any) -> Any:
    return registry.load("methods", "lora-bank")(llm=llm, scribe=Scribe(BOOK, None), of=of, **settings)


def selfparam(llm: LLM) -> Any:
    return registry.load("methods", "selfparam")(llm=llm, scribe=Scribe(BOOK, None), epochs=1, pairs=2)


@pytest.fixture(scope="module")
def bank(llm: LLM) -> Any:
    """Three contexts in a bank."""
    return bank_of(llm).write(None, TEXTS)


def test_an_adapter_is_what_its_context_alone_makes_of_it(llm: LLM, bank: Any) -> None:
    trainer = selfparam(llm)
    for text, one in zip(TEXTS, bank, strict=True):
        assert memories.equal(one.adapter, trainer.write(None, [text]))
    assert memories.equal(bank_of(llm).write(bank[:1], TEXTS[2:]), (bank[0], bank[2]))


def test_the_right_adapter_answers_as_alone(llm: LLM, bank: Any) -> None:
    recall = bank_of(llm).recall(bank, QUESTIONS)
    assert [id(a) for a in recall.adapters] == [id(one.adapter) for one in bank]
    candidates = [["Ines Corde", "every March", "glass"]] * 3
    for one, question, found in zip(bank, QUESTIONS, llm.answer(recall, QUESTIONS, candidates), strict=True):
        (expected,) = llm.answer(selfparam(llm).recall(one.adapter, [question]), [question], candidates[:1])
        assert (found.text, found.ids, found.logprobs) == (expected.text, expected.ids, expected.logprobs)


def test_single_has_the_records_of_its_trainer(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "results"
    membench.run(
        "selfparam,lora-bank", "single", data=f"jsonl:{data_file}", model=str(tiny), output=output,
        limit=1,
        method_settings=["selfparam.epochs=1", "lora-bank.of=selfparam epochs=1"],
    )  # fmt: skip
    answers = {}
    for path in output.glob("*/records.jsonl"):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        name = json.loads((path.parent / "result.json").read_text())["recipe"]["method"]
        answers[name] = [record for record in records if record["type"] == "answer"]
    assert len(answers["selfparam"]) >= 2
    assert answers["selfparam"] == answers["lora-bank"]
    assert answers["selfparam"] != answers["base"]


def test_forgetting_is_exact(llm: LLM, bank: Any) -> None:
    method = bank_of(llm)
    assert method.forgets
    assert memories.equal(method.forget(bank, TEXTS[1:2]), (bank[0], bank[2]))
    assert method.forget(bank, TEXTS) is None


def change(adapter: Adapter) -> torch.Tensor:
    name = sorted(adapter.layers[0])[0]
    return sum((adapter.scale * part[name]["B"] @ part[name]["A"] for part in adapter.layers), torch.zeros(()))


def test_several_are_merged_by_weight(llm: LLM, bank: Any) -> None:
    deltas = [change(one.adapter) for one in bank]
    asked = ["the harbour and the museum of Tarn"]
    ((first, second),) = routes([one.key for one in bank], asked, 2)
    assert {first[0], second[0]} == {0, 2}
    (summed,) = bank_of(llm, k=2).recall(bank, asked).adapters
    assert torch.allclose(change(summed), deltas[0] + deltas[2], atol=1e-6)
    (shared,) = bank_of(llm, k=2, merge="score").recall(bank, asked).adapters
    total = first[1] + second[1]
    expected = sum((score / total * deltas[place] for place, score in (first, second)), torch.zeros(()))
    assert torch.allclose(change(shared), expected, atol=1e-6)
    assert not torch.allclose(change(shared), change(summed), atol=1e-6)
    assert merged([bank[0].adapter], [1.0]) is bank[0].adapter
    (alone,) = bank_of(llm, merge="score").recall(bank, QUESTIONS[:1]).adapters
    assert alone is bank[0].adapter


def test_adapters_of_another_scale_keep_their_own() -> None:
    parts = [
        Adapter(({"m": {"A": torch.ones(1, 3), "B": torch.full((2, 1), b)}},), s) for b, s in ((2.0, 0.5), (3.0, 2.0))
    ]
    assert torch.allclose(change(merged(parts, [1.0, 0.5])), torch.full((2, 3), 2 * 0.5 + 3 * 2 * 0.5))


def test_questions_find_adapters_in_place_of_texts(llm: LLM, bank: Any) -> None:
    method = bank_of(llm, route="questions")
    memory = method.write(None, TEXTS[:1])
    assert memory[0].key == "Who made the harbour?\nHow many ships fit in?"
    assert memories.equal(memory[0].adapter, bank[0].adapter)
    assert TEXTS[0] not in json.dumps(memories.flatten(memory)[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "bm25"}, "lora-bank is made of adapters that a method trains: of=bm25 trains none"),
        (
            {"of": "ft-c", "route": "questions"},
            "route=questions wants a method that is trained on questions: of=ft-c is",
        ),
        ({"of": "selfparm"}, "unknown method 'selfparm': did you mean 'selfparam'?"),
    ],
)
def test_a_wrong_trainer_is_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError) as error:
        registry.load("methods", "lora-bank")(**settings)
    assert str(error.value).startswith(message)
