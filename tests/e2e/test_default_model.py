"""The identities and the story of the README on the real default model; minutes on two cores."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from click.testing import CliRunner

from membench.api import Adapter, Context, Dataset, Question, Recall
from membench.cli.app import main
from membench.io import memory_codec as memories
from membench.metrics.answer_scores import likelihood
from membench.model.decoding import Reading
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained.lora import Lora, factors
from membench.trained.sentences import Material, Sentence, qa_sentences
from membench.trained.teacher import teach
from membench.trained.trainer import train

pytestmark = pytest.mark.e2e

LORA = Lora(rank=8, lr=1e-3, precision="float32")


@pytest.fixture(scope="module")
def worlds() -> Dataset:
    """Three invented entities."""
    data: Dataset = registry.load("data", "worlds")().load("1", 3, 0)
    return data


def sentences(llm: LLM, context: Context, count: int = 4) -> list[Sentence]:
    pairs = tuple((pair.question, pair.answer) for pair in context.targets[:count])
    return qa_sentences(llm, Material(context.text, pairs), "all")


def losses(llm: LLM, steps: list[list[Sentence]], loss: str) -> list[float]:
    values: list[float] = []
    train(llm, steps, loss, LORA, on_step=lambda _i, value, _m: values.append(value))
    return values


def read(llm: LLM, recall: Recall, questions: tuple[Question, ...]) -> list[Reading]:
    candidates = [(q.answers[0], *q.distractors) for q in questions]
    return llm.answer(recall, [q.text for q in questions], candidates)


def margin(readings: list[Reading]) -> float:
    return mean(likelihood(reading)["margin"] for reading in readings)


def test_the_teacher_does_not_read_its_own_answers_again(smol: LLM, worlds: Dataset) -> None:
    context = worlds.contexts[0]
    scribe = Scribe({context.text: context.targets}, None)
    course = registry.load("methods", "selfparam")(llm=smol, scribe=scribe, precision="float32").course(
        None, [context.text]
    )
    pairs = {s for step in course.steps for s in step if s.kind == "qa"}
    assert pairs == set(course.known)
    read = teach(smol, pairs)
    assert max(float((read[s] - course.known[s]).abs().max()) for s in pairs) < 1e-3


def test_kl_is_zero_with_an_empty_context(smol: LLM, worlds: Dataset) -> None:
    asked = [Sentence(s.kind, s.stem, (s.stem,), s.tokens, s.start) for s in sentences(smol, worlds.contexts[0])]
    assert losses(smol, [asked], "kl") == [pytest.approx(0, abs=1e-4)]
    assert losses(smol, [sentences(smol, worlds.contexts[0])], "kl")[0] > 0.05


def test_an_untrained_adapter_is_the_base_exactly(smol: LLM, worlds: Dataset) -> None:
    questions = worlds.contexts[0].questions[:3]
    base = read(smol, Recall(), questions)
    worn = read(smol, Recall(adapter=Adapter((train(smol, [], "ce", LORA)[0],), LORA.scale)), questions)
    assert [r.ids for r in worn] == [r.ids for r in base]
    assert [r.logprobs for r in worn] == [r.logprobs for r in base]


def test_merged_is_adapter_on(smol: LLM, worlds: Dataset) -> None:
    """Of a whole sentence, stem included."""
    pairs = sentences(smol, worlds.contexts[0], 1)
    step = [Sentence("qa", (), (), (*s.stem, *s.tokens), len(s.stem) + s.start) for s in pairs]
    seen: list[tuple[float, Any]] = []
    train(smol, [step] * 3, "ce", LORA, on_step=lambda _i, value, wrapped: seen.append((value, factors(wrapped))))
    with smol.wearing(Adapter((seen[1][1],), LORA.scale)):
        assert losses(smol, [step], "ce")[0] == pytest.approx(seen[2][0], abs=1e-3)


def test_bm25_with_the_right_passage_on_top_is_the_in_context_prompt(smol: LLM, worlds: Dataset) -> None:
    bm25 = registry.load("methods", "bm25")()
    memory = bm25.write(None, [context.text for context in worlds.contexts])
    for context in worlds.contexts:
        texts = [question.text for question in context.questions]
        for question, found in zip(texts, bm25.recall(memory, texts).contexts, strict=True):
            assert smol.prompt(found, question).encode() == smol.prompt([context.text], question).encode()


def test_reading_beats_guessing(smol: LLM, worlds: Dataset) -> None:
    """The reference must lie clearly above the floor, or no table on this data says anything."""
    task = registry.load("tasks", "single")()
    scores: dict[str, list[float]] = {"in-context": [], "base": []}
    for context in worlds.contexts:
        given = {"in-context": Recall(contexts=((context.text,),) * len(context.questions)), "base": Recall()}
        for name, recall in given.items():
            readings = read(smol, recall, context.questions)
            scores[name] += [
                task.score(q, r.text)["contains"] for q, r in zip(context.questions, readings, strict=True)
            ]
    assert mean(scores["in-context"]) > mean(scores["base"]) + 0.4


def test_a_write_is_remembered_and_leaves_the_weights_as_they_were(smol: LLM, worlds: Dataset) -> None:
    context = worlds.contexts[0]
    settings: dict[str, Any] = {"epochs": 4, "batch_size": 4, "generic": 0.0}
    scribe = Scribe({context.text: context.targets}, None)
    method = registry.load("methods", "selfparam")(llm=smol, scribe=scribe, **settings)
    rehearsed = tuple(q for q in context.questions if q.tags["rehearsed"] == "yes")
    before = memories.digest(dict(smol.model.state_dict()))
    written = method.write(None, [context.text])
    texts = [q.text for q in rehearsed]
    after = read(smol, method.recall(written, texts), rehearsed)
    assert memories.digest(dict(smol.model.state_dict())) == before
    assert margin(after) > margin(read(smol, Recall(), rehearsed)) + 0.5


def test_from_the_command_line(tmp_path: Path) -> None:
    output = str(tmp_path / "results")
    command = ["run", "-m", "selfparam", "-t", "sequential", "-L", "2", "-T", "questions=2"]
    small = ["-M", "epochs=2", "-M", "pairs=4"]
    played = CliRunner().invoke(main, [*command, *small, "-o", output])
    assert played.exit_code == 0, played.stderr
    assert "selfparam" in played.stdout
    rows = json.loads(CliRunner().invoke(main, ["leaderboard", output, "--format", "json"]).stdout)
    assert {row["method"] for row in rows} == {"base", "in-context", "selfparam"}
    checked = CliRunner().invoke(main, ["verify", output])
    assert checked.exit_code == 0, checked.stdout
