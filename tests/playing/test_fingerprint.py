"""A method that leaves the lent model changed fails, named; those that follow answer as if it had never been there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

import membench
from membench.api import Answer, Ask, Dataset, Episode, Forget, Method, Metric, Recall, Task, Write
from membench.model.llm import LLM
from membench.plugins import registry
from membench.prompts.prompt import Renderer
from membench.store import cell_folder
from membench.store.records import read_records

WEIGHT = "model.layers.0.mlp.up_proj.weight"


def weight(llm: LLM) -> torch.Tensor:
    found: torch.Tensor = llm.model.get_parameter(WEIGHT)
    return found


def in_place(llm: LLM) -> None:
    with torch.no_grad():
        weight(llm).mul_(3)


def behind_the_count(llm: LLM) -> None:
    weight(llm).data.mul_(3)  # such a change leaves no trace in a tensor's version


def another(llm: LLM) -> None:
    weight(llm).data = torch.zeros_like(weight(llm))


def setting(name: str, value: object) -> Callable[[LLM], object]:
    return lambda llm: setattr(llm, name, value)


CHANGES: dict[str, tuple[Callable[[LLM], object], str]] = {
    "weights": (in_place, WEIGHT),
    "data": (behind_the_count, WEIGHT),
    "another tensor": (another, WEIGHT),
    "dtype": (lambda llm: llm.model.to(torch.float16), "model.embed_tokens.weight"),
    "training": (lambda llm: llm.model.train(), "training mode"),
    "gradients": (lambda llm: weight(llm).requires_grad_(True), WEIGHT),
    "length": (setting("max_new_tokens", 2), "max_new_tokens"),
    "stop": (setting("stop", "e"), "stop"),
    "prompt": (setting("renderer", Renderer("twice")), "the prompt"),
    "hook": (lambda llm: llm.model.model.register_forward_hook(lambda *_: None), "hooks"),
    "forward": (lambda llm: setattr(llm.model.lm_head, "forward", lambda x: x), "a module's forward"),
    "module": (lambda llm: setattr(llm.model.model, "norm", torch.nn.Identity()), "modules"),
    "configuration": (lambda llm: setattr(llm.model.config, "rms_norm_eps", 1.0), "its configuration"),
}


@dataclass(frozen=True)
class Meddler(Method[str]):
    """Keeps texts, and does something to the model in one of its calls."""

    where: ClassVar[str] = ""
    what: ClassVar[Callable[[LLM], object]] = staticmethod(lambda _: None)
    crash: ClassVar[bool] = False

    def _meddle(self, here: str) -> None:
        if here == self.where:
            type(self).what(self.llm)
            if self.crash:
                raise ZeroDivisionError("too much")

    def write(self, memory: str | None, contexts: Sequence[str]) -> str:
        self._meddle("write")
        return (memory or "") + contexts[0]

    def forget(self, memory: str, contexts: Sequence[str]) -> str:
        self._meddle("forget")
        return memory

    def recall(self, memory: str | None, questions: Sequence[str]) -> Recall:
        self._meddle("recall")
        return Recall()


@dataclass(frozen=True)
class Speaker(Meddler):
    """Answers by itself."""

    def answer(self, memory: str | None, questions: Sequence[str]) -> list[str]:
        self._meddle("answer")
        return ["1931"] * len(questions)


@dataclass(frozen=True)
class Forgetting(Task):
    """Writes, asks, forgets, asks."""

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        for c in data.contexts:
            yield Episode(c.id, (Write((c,)), Ask(c.questions), Forget((c,)), Ask(c.questions)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        return {}


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    load, here = registry.load, {"meddler": Meddler, "speaker": Speaker, "forgetting": Forgetting}
    monkeypatch.setattr(registry, "load", lambda kind, name: here.get(name) or load(kind, name))
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # they are not registered


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    """One context, no yardsticks."""
    return {
        "data": f"jsonl:{data_file}", "model": str(tiny), "limit": 1, "output": tmp_path / "out", "yardsticks": False
    }  # fmt: skip


@pytest.fixture(scope="module")
def alone(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What the next method answers where nobody was before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        given = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 1, "yardsticks": False}
        output = tmp_path_factory.mktemp("alone")
        (result,) = membench.run("bm25", "single", output=output, **given)
        return answers(output, result)


def answers(output: Path, result: dict[str, Any]) -> list[Any]:
    rows = read_records(cell_folder.folder_of(output, result["recipe"]))
    return [(row["question"], row["answer"], row["scores"]) for row in rows if row["type"] == "answer"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", ["write", "recall"])
def test_a_change_fails_its_cell_and_no_other(
    given: dict[str, Any], alone: list[Any], change: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meddler, "where", call)
    monkeypatch.setattr(Meddler, "what", staticmethod(CHANGES[change][0]))
    failed, played = membench.run("meddler,bm25", "single", **given)
    assert failed["status"] == "failed"
    assert failed["reason"].startswith(f"meddler.{call} left the model that it was lent changed: {CHANGES[change][1]}")
    assert "\n" not in failed["reason"]
    assert answers(given["output"], played) == alone


@pytest.mark.parametrize(("method", "call"), [("meddler", "forget"), ("speaker", "answer")])
def test_so_it_is_in_every_call(given: dict[str, Any], method: str, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meddler, "where", call)
    monkeypatch.setattr(Meddler, "what", staticmethod(in_place))
    (failed,) = membench.run(method, "forgetting", **given)
    assert failed["reason"].startswith(f"{method}.{call} left the model")


def test_one_value_is_enough_and_no_record_stands(
    given: dict[str, Any], alone: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(llm: LLM) -> None:
        weight(llm).data.view(-1)[1] += 1  # between those that are looked at after each call

    monkeypatch.setattr(Meddler, "where", "recall")
    monkeypatch.setattr(Meddler, "what", staticmethod(one))
    failed, played = membench.run("meddler,bm25", "single", **given)
    assert failed["reason"].startswith(f"a call of meddler left the model that it was lent changed: {WEIGHT}")
    assert answers(given["output"], failed) == []
    assert answers(given["output"], played) == alone
    monkeypatch.setattr(Meddler, "where", "")
    mended, _ = membench.run("meddler,bm25", "single", **given)
    assert mended["status"] == "done"
    assert len(answers(given["output"], mended)) == 2


def test_a_method_that_breaks_as_well_keeps_its_own_reason(
    given: dict[str, Any], alone: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meddler, "where", "write")
    monkeypatch.setattr(Meddler, "what", staticmethod(in_place))
    monkeypatch.setattr(Meddler, "crash", True)
    failed, played = membench.run("meddler,bm25", "single", **given)
    assert failed["reason"] == "ZeroDivisionError: too much"
    assert answers(given["output"], played) == alone


def test_what_is_put_back_is_no_change(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def there_and_back(llm: LLM) -> None:
        held = weight(llm).clone()
        with torch.no_grad():
            weight(llm).zero_()
            weight(llm).copy_(held)

    monkeypatch.setattr(Meddler, "where", "recall")
    monkeypatch.setattr(Meddler, "what", staticmethod(there_and_back))
    (played,) = membench.run("meddler", "single", **given)
    assert played["status"] == "done"
