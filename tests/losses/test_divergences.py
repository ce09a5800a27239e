"""What holds of every divergence from a teacher, and each against its plain formula, gradients too."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from membench.losses.divergences import Objective, of_tokens, said_of, top_k_kl

TOKENS, WIDTH, VOCABULARY = 7, 5, 40
DRAWN = torch.Generator().manual_seed(3)
HEAD = torch.randn(VOCABULARY, WIDTH, generator=DRAWN, dtype=torch.float64)
STUDENT, TEACHER = torch.randn(2, TOKENS, WIDTH, generator=DRAWN, dtype=torch.float64)
EVERY = [Objective("forward"), Objective("reverse"), Objective("top_k", top_k=5), Objective("hidden")]


def logits(hidden: Tensor) -> Tensor:
    return hidden.to(HEAD.dtype) @ HEAD.T


def value(objective: Objective, student: Tensor = STUDENT) -> Tensor:
    return of_tokens(objective, student, said_of(objective, TEACHER, logits), logits)


def plainly(objective: Objective, student: Tensor) -> Tensor:
    """The formula, token by token, as a book has it."""
    out = []
    for s, t in zip(student, TEACHER, strict=True):
        p, q = logits(t).softmax(-1), logits(s).softmax(-1)
        if objective.divergence == "hidden":
            out.append(((s - t) ** 2).sum() / (t**2).sum())
            continue
        if objective.divergence == "reverse":
            p, q = q, p
        if objective.divergence == "top_k":
            best = p.argsort(descending=True)[: objective.top_k]
            p, q = (torch.cat([x[best], 1 - x[best].sum()[None]]) for x in (p, q))
        out.append((p * (p / q).log()).sum())
    return torch.stack(out)


@pytest.mark.parametrize("objective", EVERY, ids=lambda o: o.divergence)
def test_it_is_the_plain_formula_and_so_is_its_gradient(objective: Objective) -> None:
    one, other = (STUDENT.clone().requires_grad_() for _ in range(2))
    ours, plain = value(objective, one), plainly(objective, other)
    assert ours.detach().numpy() == pytest.approx(plain.detach().numpy(), rel=1e-5)
    for total in (ours.sum(), plain.sum()):
        total.backward()  # type: ignore[no-untyped-call]
    assert one.grad is not None
    assert other.grad is not None
    assert torch.allclose(one.grad, other.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("objective", EVERY, ids=lambda o: o.divergence)
def test_it_is_nothing_where_teacher_and_student_agree_and_more_elsewhere(objective: Objective) -> None:
    assert value(objective, TEACHER).abs().max() < 1e-9
    assert value(objective).min() > 1e-3


def test_top_k_with_the_whole_vocabulary_is_the_full_divergence() -> None:
    full = value(Objective("forward"))
    for k in (VOCABULARY, VOCABULARY + 9):
        assert torch.equal(value(Objective("top_k", top_k=k)), full)
    assert value(Objective("top_k", top_k=VOCABULARY - 1)).numpy() == pytest.approx(full.numpy(), rel=1e-9)


def test_top_k_never_exceeds_the_full_divergence_grows_with_k_and_is_never_negative() -> None:
    """Data processing: what is told apart less is nearer."""
    found = [value(Objective("top_k", top_k=k)) for k in range(1, VOCABULARY + 1)]
    assert all(bool((a <= b + 1e-12).all()) for a, b in pairwise(found))
    drawn = torch.Generator().manual_seed(4)
    for sharp in (0.01, 1.0, 30.0, 300.0):
        own, target = (sharp * torch.randn(2, 200, 64, generator=drawn)).float()
        target = target.log_softmax(-1)
        full: Any = F.cross_entropy(own, target.exp(), reduction="none") + (target.exp() * target).sum(-1)
        for k in (1, 5, 63):
            part = top_k_kl(own, target, k)
            assert part.isfinite().all()
            assert (part >= -1e-5).all()
            assert (part <= full + 1e-4 * (1 + full)).all()


def test_a_tail_without_any_mass_has_a_gradient() -> None:
    own = torch.zeros(1, 6, requires_grad=True)
    target = torch.tensor([[0.0, -1e4, -1e4, -1e4, -1e4, -1e4]]).log_softmax(-1)
    top_k_kl(own, target, 2).sum().backward()  # type: ignore[no-untyped-call]
    assert own.grad is not None
    assert own.grad.isfinite().all()
