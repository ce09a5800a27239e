"""Answers that are kept: they come back as they were, and one that is damaged on the disk is asked for again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from membench.endpoints.prompt_logprobs import Scored
from membench.served.endpoint_model import _KeptScore
from membench.served.kept_answers import KeptAnswers


@dataclass(frozen=True)
class Answer:
    text: str
    logprobs: tuple[float, ...]


ANSWER = Answer("Inés 😀", (-0.5, -2.0))


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{}", b"[" * 100_000, b"\xff", b'{"text": 5, "logprobs": []}', b'{"text": "a", "logprobs": ["1"]}',
        b'{"text": "a", "logprobs": [NaN]}', b'{"text": "a", "logprobs": {}}',
    ],
)  # fmt: skip
def test_what_is_damaged_is_asked_for_again(tmp_path: Path, damage: bytes) -> None:
    kept = KeptAnswers(tmp_path)
    kept.put({"prompt": "Q"}, ANSWER)
    assert kept.get({"prompt": "Q"}, Answer) == ANSWER
    assert kept.get({"prompt": "R"}, Answer) is None
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(damage)
    assert kept.get({"prompt": "Q"}, Answer) is None
    path.unlink()
    path.mkdir()
    assert kept.get({"prompt": "Q"}, Answer) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"seconds": -1.0}, {"answer": {"logprobs": [], "read": 3}}, {"answer": {"logprobs": [-1.0], "read": -3}},
    ],
)  # fmt: skip
def test_so_is_what_no_endpoint_says(tmp_path: Path, damage: dict[str, object]) -> None:
    whole = {"answer": {"logprobs": [-1.0], "read": 3}, "seconds": 0.5}
    kept = KeptAnswers(tmp_path)
    kept.put("Q", _KeptScore(Scored((-1.0,), 3), 0.5))
    (path,) = tmp_path.rglob("*.json")
    assert json.loads(path.read_bytes()) == whole
    path.write_text(json.dumps(whole | damage))
    assert kept.get("Q", _KeptScore) is None
