"""How far a student's token distributions are from a teacher's, token by token, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

Divergence = Literal["forward", "reverse", "top_k", "hidden"]


@dataclass(frozen=True)
class Objective:
    """What is minimised: which divergence, how it is averaged, and whose answers it is taken on."""

    divergence: Divergence = "forward"
    reduction: str = "token_mean"  # vocab_mean divides by the size of the vocabulary too, as SELF-PARAM's released code
    top_k: int = 32  # tokens that `top_k` tells apart
    on_policy: bool = False  # on answers that the student samples as it is, in place of those of the targets


FORWARD = Objective()


class Said(NamedTuple):
    """What a teacher says of tokens, as a divergence wants it; see `said_of`."""

    target: Tensor  # [tokens, vocabulary]: probabilities or their logarithms; [tokens, width] where states are compared
    entropy: Tensor  # [tokens], nats, of the forward divergence; 0 elsewhere


@torch.no_grad()
def said_of(objective: Objective, teacher: Tensor, logits: Callable[[Tensor], Tensor]) -> Said:
    """The teacher's part of a divergence, from its final hidden states [tokens, width] and the output head.

    It is the same at every step, so that it can be kept.
    """
    if objective.divergence == "hidden":
        return Said(teacher.float(), teacher.new_zeros(len(teacher)))
    logs = logits(teacher).log_softmax(-1)
    if objective.divergence == "forward":
        return _forward(logs)
    return Said(logs, logs.new_zeros(len(logs)))


def of_tokens(objective: Objective, student: Tensor, said: Said, logits: Callable[[Tensor], Tensor]) -> Tensor:
    """The divergence [tokens] at each token whose final hidden states [tokens, width] these are.

    `logits` is the output head of both. Gradients flow into the student's states alone.
    """
    if objective.divergence == "hidden":
        return hidden_distance(student.float(), said.target)
    own = logits(student)
    if objective.divergence == "forward":
        return forward_kl(own, said)
    if objective.divergence == "reverse":
        return reverse_kl(own, said.target)
    return top_k_kl(own, said.target, objective.top_k)


def _forward(logs: Tensor) -> Said:
    shares = logs.exp()
    return Said(shares, -(shares * logs).sum(-1))


def forward_kl(logits: Tensor, said: Said) -> Tensor:
    """KL(teacher ‖ student) [tokens], of the student's logits [tokens, vocabulary] and the teacher's probabilities."""
    crossed: Tensor = _CrossEntropy.apply(logits, said.target)  # type: ignore[no-untyped-call]
    return crossed.sub(said.entropy)


class _CrossEntropy(torch.autograd.Function):
    """Cross-entropy with soft labels that carry no gradient: one pass over the vocabulary there, one back."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, shares: Tensor) -> Tensor:
        logs = logits.log_softmax(-1)
        ctx.save_for_backward(logs, shares)
        value: Tensor = torch.linalg.vecdot(shares, logs)
        return -value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        logs, shares = ctx.saved_tensors
        return logs.exp().sub_(shares).mul_(grads[0][:, None]), None


def reverse_kl(logits: Tensor, target: Tensor) -> Tensor:
    """KL(student ‖ teacher) [tokens], exact over the vocabulary."""
    own = logits.log_softmax(-1)
    return (own.exp() * (own - target)).sum(-1)


def top_k_kl(logits: Tensor, target: Tensor, k: int) -> Tensor:
    """KL(teacher ‖ student) [tokens] of the teacher's k likeliest tokens and of all others as one.

    To take tokens together loses information, so it is never more than the full KL; with all tokens it is that.
    """
    if k >= logits.shape[-1]:
        return forward_kl(logits, _forward(target))
    best, places = target.topk(k, dim=-1)
    own = logits.log_softmax(-1)
    named = torch.zeros_like(own, dtype=torch.bool).scatter(-1, places, True)
    tail, own_tail = (x.masked_fill(named, -torch.inf).logsumexp(-1) for x in (target, own))
    return (best.exp() * (best - own.gather(-1, places))).sum(-1) + tail.exp() * (tail - own_tail)


def hidden_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared distance of final hidden states [tokens, width], as a share of the teacher's squared length."""
    return (student - teacher).square().sum(-1) / teacher.square().sum(-1).clamp_min(1e-12)
