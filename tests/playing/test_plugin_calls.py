"""What a method does by the way: to the memory that it was given, to the process, and by leaving in its own manner."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import membench
from membench.api import Method, Recall
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.playing.plugin_call import as_it_was
from membench.plugins import registry


@dataclass(frozen=True)
class Odd(Method[Any]):
    """Does something odd in `write` or `recall`."""

    in_write: ClassVar[Callable[[list[str]], object]] = staticmethod(lambda _: None)
    in_recall: ClassVar[Callable[[list[str]], object]] = staticmethod(lambda _: None)

    def write(self, memory: list[str] | None, contexts: Sequence[str]) -> Any:
        made = [*(memory or []), *contexts]
        return type(self).in_write(memory if memory is not None else made) or made

    def recall(self, memory: list[str] | None, questions: Sequence[str]) -> Recall:
        type(self).in_recall(memory or [])
        return Recall()


@pytest.fixture(autouse=True)
def _quick(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    load = registry.load
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: Odd if name == "odd" else load(kind, name))
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)


def played(tiny: Path, data_file: Path, tmp_path: Path) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "output": tmp_path / "r"}
    return membench.run("odd,bm25", "sequential", yardsticks=False, **given)


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        (os.getcwd, lambda: os.chdir("/")),
        (lambda: dict(os.environ), lambda: os.environ.update(PATH="", MEMBENCH_ODD="1")),
        (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
        (torch.get_default_device, lambda: torch.set_default_device("meta")),
        (torch.get_float32_matmul_precision, lambda: torch.set_float32_matmul_precision("medium")),
        (torch.are_deterministic_algorithms_enabled, lambda: torch.use_deterministic_algorithms(True)),
        (torch.get_num_threads, lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
        (lambda: list(warnings.filters), lambda: warnings.simplefilter("ignore", BytesWarning)),
        (sys.getrecursionlimit, lambda: sys.setrecursionlimit(900)),
    ],
)
def test_how_the_process_stands_is_put_back(ask: Callable[[], Any], change: Callable[[], object]) -> None:
    before = ask()
    with as_it_was():
        change()
        assert ask() != before
    assert ask() == before


def leaves(error: BaseException) -> Callable[[list[str]], object]:
    def leave(_: list[str]) -> object:
        raise error

    return leave


@pytest.mark.parametrize(
    ("where", "act", "said"),
    [
        ("in_write", lambda memory: memory.append("x") or memory, "changed the memory that `write` was given"),
        ("in_recall", lambda memory: memory.append("x"), "changed the memory that `recall` was given"),
        ("in_write", lambda memory: {"a"}, "a memory holds plain data only, not set"),
        ("in_write", lambda memory: np.float64(1.0), "make it a float"),
        ("in_write", leaves(SystemExit(0)), "SystemExit: 0"),
        ("in_recall", leaves(SystemExit()), "SystemExit, without a message"),
        ("in_recall", leaves(asyncio.CancelledError("gone")), "CancelledError: gone"),
        ("in_write", leaves(MembenchError("")), "MembenchError, without a message"),
        ("in_write", leaves(ValueError("half \ud800")), "ValueError: half ?"),
    ],
)
def test_a_method_that_is_odd_fails_its_cell_alone(
    tiny: Path, data_file: Path, tmp_path: Path, where: str, act: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Odd, where, staticmethod(act))
    failed, other = played(tiny, data_file, tmp_path)
    assert (failed["status"], other["status"]) == ("failed", "done")
    assert said in failed["reason"]


def test_a_stop_by_the_user_is_no_failure(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Odd, "in_write", staticmethod(leaves(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        played(tiny, data_file, tmp_path)
    assert not list((tmp_path / "r").glob("*/result.json"))


def test_the_process_is_as_it_was_after_a_call(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> tuple[Any, ...]:
        drawn = random.random(), np.random.random(), torch.rand(1).item()
        return os.getcwd(), torch.get_default_dtype(), *drawn

    def disturb(_: list[str]) -> None:
        os.chdir(tmp_path)
        torch.set_default_dtype(torch.float64)
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(7)

    with as_it_was():
        before = state()
    monkeypatch.setattr(Odd, "in_write", staticmethod(disturb))
    monkeypatch.setattr(Odd, "in_recall", staticmethod(disturb))
    assert [result["status"] for result in played(tiny, data_file, tmp_path)] == ["done", "done"]
    with as_it_was():
        assert state() == before
