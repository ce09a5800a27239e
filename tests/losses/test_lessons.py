"""A teacher's distributions are those of its states, whether they are kept or made anew."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

import pytest
import torch

from membench.losses import divergences, lessons
from membench.losses.divergences import Objective, said_of
from membench.losses.lessons import Lessons
from membench.model.llm import LLM
from membench.trained.sentences import Sentence

FIRST, SECOND, ONCE = (Sentence("qa", (), (), tuple(range(n)), 0) for n in (2, 3, 4))
PLAN = [[FIRST, SECOND], [ONCE, FIRST], [SECOND, FIRST]]


def made(llm: LLM, objective: Objective, plan: Sequence[Sequence[Sentence]]) -> tuple[int, list[divergences.Said]]:
    """How often the head was asked, and what was said at each step."""
    width = llm.model.config.hidden_size
    drawn = torch.Generator().manual_seed(1)
    states = {s: torch.randn(len(s.tokens), width, generator=drawn) for s in (FIRST, SECOND, ONCE)}
    with mock.patch.object(lessons, "said_of", wraps=said_of) as asked:
        said = Lessons(states, plan, llm.logits, llm.budgets.kept_bytes, objective)
        out = [said.on(step, llm.device) for step in plan]
    for step, (target, entropy) in zip(plan, out, strict=True):
        whole = said_of(objective, torch.cat([states[s] for s in step]), llm.logits)
        assert torch.allclose(target, whole.target, rtol=1e-4, atol=1e-6)
        assert torch.allclose(entropy, whole.entropy, rtol=1e-4, atol=1e-5)
    return asked.call_count, out


@pytest.mark.parametrize("divergence", ["forward", "reverse", "hidden"])
def test_what_comes_again_is_made_once(llm: LLM, divergence: str) -> None:
    assert made(llm, Objective(divergence), PLAN)[0] == 3  # type: ignore[arg-type]


def test_without_room_it_is_made_anew_to_the_same_numbers(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kept = made(llm, Objective(), PLAN)
    monkeypatch.setattr(lessons, "_SHARE", 2**40)
    asked, anew = made(llm, Objective(), PLAN)
    assert asked == 6
    assert all(
        torch.equal(a.target, b.target) and torch.equal(a.entropy, b.entropy) for a, b in zip(kept, anew, strict=True)
    )
