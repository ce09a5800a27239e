"""`--engine vllm`: the answers of the own reader, adapters that are really worn, and one line where that is not so."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from rich.console import Console

from membench.api import Adapter, Prefix, Recall
from membench.cli.app import main
from membench.engines.engine_llm import EngineLLM
from membench.engines.vllm_engine import VllmEngine
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.request import Request
from membench.running import runner
from membench.store import cell_folder
from membench.trained.projections import projections
from tests.support import fake_vllm

QUESTIONS = ("Who built the harbour of Vellmar?", "In what year was it built?", "How many ships does it hold?")
TEXT = "The harbour of Vellmar was built by Ines Corde in 1931."


@pytest.fixture
def vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[fake_vllm.LLM]:
    (tmp_path / "site").mkdir()
    return fake_vllm.install(tmp_path / "site", monkeypatch)


def load(tiny: Path, device: str = "cpu") -> EngineLLM:
    return EngineLLM.load(tiny, name="tiny", dtype="float32", device=device)


def vllm_on(tiny: Path, llm: LLM) -> VllmEngine:
    return VllmEngine(tiny, "tiny", "float32", llm.window, llm.device, False, print)


@pytest.fixture(scope="module")
def loaded(tiny: Path) -> EngineLLM:
    return load(tiny)


@pytest.fixture
def ours(loaded: EngineLLM, tiny: Path, vllm: type[fake_vllm.LLM]) -> Iterator[EngineLLM]:
    """The tiny model with the stand-in beside it, and short answers."""
    loaded.engine = vllm_on(tiny, loaded)
    with loaded.answering((5, "\n")):
        yield loaded


@pytest.fixture
def theirs(llm: LLM) -> Iterator[LLM]:
    """The same on its own."""
    with llm.answering((5, "\n")):
        yield llm


def adapter(llm: LLM, seed: int, writes: int = 1, rank: int = 4) -> Adapter:
    """Random factors that change every answer; the second write changes the upper layer alone."""
    generator = torch.Generator().manual_seed(seed)

    def factors(name: str) -> dict[str, torch.Tensor]:
        out, into = llm.model.get_submodule(name).weight.shape
        return {
            "A": torch.randn(rank, into, generator=generator) * 0.3,
            "B": torch.randn(out, rank, generator=generator) * 0.3,
        }

    layers = [{name: factors(name) for name in projections(llm.model, min(k, 1))} for k in range(writes)]
    return Adapter(tuple(layers), 2.0)


def same(ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert (a.text, a.ids, a.truncated) == (b.text, b.ids, b.truncated)
        assert torch.allclose(a.hidden, b.hidden, atol=1e-4)
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-5)


def recalls(llm: LLM) -> dict[str, tuple[Recall, int]]:
    """Kinds of recall, and how many prompts of each reach the engine."""
    one, other = adapter(llm, 1), adapter(llm, 2, writes=2)
    some = torch.Generator().manual_seed(0)
    texts = ((TEXT,), (), (TEXT, "It lies in the north."))
    return {
        "nothing": (Recall(), 3),
        "texts": (Recall(contexts=texts), 3),
        "an adapter": (Recall(adapter=one), 3),
        "texts under an adapter of two writes": (Recall(contexts=texts, adapter=other), 3),
        "an adapter a question": (Recall(adapters=(one, None, other)), 3),
        "keys and values": (Recall(prefix=Prefix(*[(torch.randn(2, 3, 16, generator=some),) * 2] * 2)), 0),
        "texts read without it": (Recall(contexts=texts, adapter=one, adapter_scope="decode"), 0),
        "more ranks than vLLM knows": (Recall(adapter=adapter(llm, 3, writes=2, rank=260)), 0),
    }


def test_every_recall_is_answered_as_by_the_own_reader(vllm: type[fake_vllm.LLM], ours: EngineLLM, theirs: LLM) -> None:
    candidates = [("Ines Corde", "1931"), ("1931",), ("forty",)]
    for name, (recall, asked) in recalls(theirs).items():
        vllm.asked.clear()
        same(ours.answer(recall, QUESTIONS, candidates), theirs.answer(recall, QUESTIONS, candidates))
        assert len(vllm.asked) == asked, name
    assert [s["rank"] for s in vllm.started] == [0, 8], "it starts anew for what it has no room for, and then stays"
    worn = adapter(theirs, 4)
    vllm.asked.clear()
    with ours.wearing(worn), theirs.wearing(worn):
        same(ours.answer(Recall(), QUESTIONS), theirs.answer(Recall(), QUESTIONS))
        assert ours.complete(QUESTIONS, 8) == theirs.complete(QUESTIONS, 8)
    assert not vllm.asked, "the engine knows nothing of what the weights wear"
    assert ours.complete(QUESTIONS, 8) == theirs.complete(QUESTIONS, 8)
    assert vllm.asked == [""] * 3


def test_no_two_contents_share_a_name(vllm: type[fake_vllm.LLM], ours: EngineLLM, theirs: LLM) -> None:
    for seed in (1, 2, 1, 3):
        recall = Recall(adapter=adapter(theirs, seed))
        same(ours.answer(recall, QUESTIONS), theirs.answer(recall, QUESTIONS))
    first, second, again, last = vllm.asked[::3]
    assert first == again
    assert len({first, second, last}) == 3
    assert len(list(ours.engine._files.home.iterdir())) == 1, "only what is worn is on the disk"


@pytest.mark.parametrize("part", ["layers", "down_proj", "layers.1"])
def test_an_adapter_that_is_not_applied_is_found_out(
    vllm: type[fake_vllm.LLM], ours: EngineLLM, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(vllm, "ignores", part)
    with pytest.raises(MembenchError, match="nats a token less likely than what tiny itself would say") as refused:
        ours.answer(Recall(adapter=adapter(ours, 1)), QUESTIONS)
    assert "\n" not in str(refused.value)


def played(request: Request, **changes: Any) -> tuple[dict[str, Any], dict[tuple[Any, ...], dict[str, Any]]]:
    results = runner.run(replace(request, **changes), Console(file=io.StringIO()))
    assert [r["status"] for r in results] == ["done"] * len(results), [r["reason"] for r in results]
    records = {
        (cell.recipe["method"], r["episode"], r["step"], r["question"]): r
        for cell in cell_folder.cells(changes["output"])
        for r in cell_folder.records_of(cell)
        if r["type"] == "answer"
    }
    return {r["recipe"]["method"]: r for r in results}, records


def test_cells_are_those_of_the_own_reader_under_ids_of_their_own(
    vllm: type[fake_vllm.LLM], tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    request = Request(
        methods=("bm25", "ft-s"), tasks=("single",), data=(f"jsonl:{data_file}",), model=str(tiny),
        limit=1, device="cpu", style="plain", method_settings=("ft-s.epochs=2", "ft-s.pairs=4", "ft-s.lr=0.05"),
    )  # fmt: skip
    theirs, own = played(request, output=tmp_path / "hf")
    ours, answers = played(request, output=tmp_path / "vllm", engine="vllm")
    assert {"", *vllm.asked} > {""}, "an adapter was asked for"
    assert answers.keys() == own.keys()
    for key, record in answers.items():
        assert record["answer"] == own[key]["answer"], key
        assert record["scores"] == pytest.approx(own[key]["scores"], abs=1e-4), key
    for name, result in ours.items():
        assert result["recipe"].pop("engine") == f"vllm {fake_vllm.VERSION}"
        assert result["recipe"] == theirs[name]["recipe"]
        assert result["id"] != theirs[name]["id"]
        assert result["ledger"] == theirs[name]["ledger"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--engine", "vllm"], "--engine vllm needs vllm, which is not installed: pip install 'membench[vllm]'"),
        (["--engine", "vllm", "--model", "openai:x"], "--engine vllm is for a local model, and openai:x is behind"),
        (["--engine", "vllm", "--device", "cuda:1"], "--engine vllm plays on the first GPU: --device cuda, not cuda:1"),
    ],
)
def test_what_it_cannot_play_is_refused_in_a_line(
    options: list[str], line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    done = CliRunner().invoke(main, ["run", "-m", "bm25", "-t", "single", "-o", str(tmp_path / "r"), *options])
    assert done.exit_code == 2
    (said,) = done.stderr.splitlines()
    assert line in said


def test_two_models_that_do_not_fit_are_refused_in_a_line(
    vllm: type[fake_vllm.LLM], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (100_000, 10**9))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    engine = VllmEngine(tiny, "tiny", "float32", 2048, torch.device("cuda"), False, print)
    with pytest.raises(MembenchError, match=r"holds a second copy of tiny \(0.0 GiB\) beside the own reader"):
        engine.decoded([[1, 2]], [None], 4, "\n", [])
    assert not vllm.started


@pytest.mark.skipif(not (torch.cuda.is_available() and find_spec("vllm")), reason="wants a GPU and vLLM")
def test_vllm_itself_reads_the_same_model_and_wears_the_adapter(tiny: Path) -> None:
    ours = load(tiny, "cuda")
    ours.engine = vllm_on(tiny, ours)

    def answered(recall: Recall) -> list[str]:
        return [r.text for r in ours.answer(recall, QUESTIONS)]

    plain = answered(Recall())
    assert answered(Recall(adapter=adapter(ours, 1))) != plain  # and none is refused: they are the model's own
    assert answered(Recall()) == plain
