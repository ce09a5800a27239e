"""A method that trains on target sentences is refused before anything is played where nobody has written any."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from membench.errors import MembenchError
from membench.planning.plan import plan
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.plugins import registry

MODEL = ModelInfo("m", "", "w", "float32", "plain")
TEXTS = ("The harbour of Vellmar was built in 1931.", "The Oxley bank opened in March.")


@pytest.fixture
def bare(tmp_path: Path) -> str:
    rows = [
        {"context": text, "questions": [{"question": "When?", "answers": [str(k)]}]} for k, text in enumerate(TEXTS)
    ]
    (tmp_path / "bare.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return f"jsonl:{tmp_path / 'bare.jsonl'}"


def planned(data: str, method: str, *settings: str) -> int:
    request = Request((method,), ("batch",), (data,), yardsticks=False, method_settings=settings)
    return len(plan(request, MODEL, ""))


@pytest.mark.parametrize("method", ["selfparam", "ft-s", "cartridge", "lora-bank", "cartridge-bank", "bm25+selfparam"])
def test_data_without_any_are_refused(method: str, bare: str) -> None:
    with pytest.raises(
        MembenchError, match=r"no pairs about the passage .*: take targets=self, openai or recorded:FILE"
    ):
        planned(bare, method)
    assert planned("worlds", method) == 1


@pytest.mark.parametrize("method", ["bm25", "ft-c", "full-context"])
def test_who_needs_none_plays(method: str, bare: str) -> None:
    assert planned(bare, method) == 1


def test_a_file_that_lacks_a_passage_is_refused(bare: str, tmp_path: Path) -> None:
    pairs = [{"question": "When was it built?", "answer": "1931"}]
    lines = [json.dumps({"context": text, "pairs": pairs}) for text in TEXTS]
    file = tmp_path / "written.jsonl"
    file.write_text(lines[0] + "\n")
    with pytest.raises(MembenchError, match="no pairs about the passage 'The Oxley bank"):
        planned(bare, "selfparam", f"targets=recorded:{file}")
    file.write_text("\n".join(lines) + "\n")
    assert planned(bare, "selfparam", f"targets=recorded:{file}") == 1
    assert planned(bare, "selfparam", "targets=self") == 1


def test_what_trains_nothing_or_means_something_else_by_these_names_plays(
    bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert planned(bare, "cartridge", "epochs=0") == 1

    @dataclass(frozen=True)
    class Aims(registry.load("methods", "bm25")):  # type: ignore[misc]
        targets: str = "accuracy"
        pairs: int = 2

    load = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: Aims if name == "bm25" else load(kind, name))
    assert planned(bare, "bm25") == 1


def test_the_line_says_which_method_on_which_data(bare: str) -> None:
    with pytest.raises(MembenchError, match=r"^selfparam on jsonl:bare\.jsonl: target writer template has no pairs"):
        planned(bare, "selfparam")
