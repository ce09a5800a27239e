"""Writes whose adapters read no input that those of earlier writes read."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from membench.errors import MembenchError
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.values import Pair

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde.",
    "The Oban Survey is paid by the Hedran Trust.",
    "Olna is red.",
)
QUESTIONS = ("Who built the harbour of Vellmar?", "Who pays the Oban Survey?", "Which colour is Olna?")
BOOK = {t: (Pair(q, a),) for t, q, a in zip(TEXTS, QUESTIONS, ("Ines Corde", "Hedran Trust", "red"), strict=True)}


def written(llm: Any, texts: tuple[str, ...], **settings: Any) -> Any:
    small: dict[str, Any] = {"epochs": 3, "answers": "gold", "rank": 2, "suffix": 0.0, "generic": 0.0, "lr": 1e-2}
    made = registry.load("methods", "selfparam")
    method, memory = made(llm=llm, scribe=Scribe(BOOK, None), **small | settings), None
    for text in texts:
        memory = method.write(memory, [text])
    return memory


def test_what_earlier_adapters_read_passes_a_later_one_unchanged(llm: Any) -> None:
    """ΔW of the third write is 0 on every input that A of the first or second write reads; without it, it is not."""
    for orthogonal in (True, False):
        *earlier, last = written(llm, TEXTS, orthogonal=orthogonal).layers
        for name, part in last.items():
            read = torch.cat([layer[name]["A"] for layer in earlier]).T
            change = part["B"] @ (part["A"] @ read)
            assert float(part["B"].norm()) > 0, "it has learned"
            assert (float(change.norm() / (part["B"].norm() * read.norm())) < 1e-6) == orthogonal


def test_a_first_write_has_nothing_to_avoid(llm: Any) -> None:
    apart, free = (written(llm, TEXTS[:1], orthogonal=orthogonal) for orthogonal in (True, False))
    for name, part in free.layers[0].items():
        assert torch.equal(apart.layers[0][name]["A"], part["A"])
        assert torch.equal(apart.layers[0][name]["B"], part["B"])


def test_where_no_input_is_left_a_write_says_so(llm: Any) -> None:
    inputs = min(part["A"].shape[1] for part in written(llm, TEXTS[:1]).layers[0].values())
    with pytest.raises(MembenchError, match="orthogonal=true: the adapters of 2 writes read all"):
        written(llm, TEXTS, orthogonal=True, rank=-(-inputs // 2))


def test_forgetting_may_touch_what_was_written(llm: Any) -> None:
    """An unlearning step stands on the inputs of the write that it takes back."""
    made = registry.load("methods", "selfparam")
    settings: dict[str, Any] = {"epochs": 3, "answers": "gold", "rank": 2, "suffix": 0.0, "generic": 0.0, "lr": 1e-2}
    method = made(llm=llm, scribe=Scribe(BOOK, None), orthogonal=True, **settings)
    memory = method.forget(method.write(None, TEXTS[:1]), TEXTS[:1])
    first, last = memory.layers
    assert any(float((last[name]["A"] @ first[name]["A"].T).abs().max()) > 1e-4 for name in last)
