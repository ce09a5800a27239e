"""How far a student's token distributions are from a teacher's, token by token, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Divergence = Literal["forward", "reverse", "top_k", "hidden"]


@dataclass(frozen=True)
class Objective:
    """What is minimised: which divergence, how it is averaged, and whose answers it is taken on."""

    divergence: Divergence = "forward"
    reduction: str = "token_mean"  # vocab_mean divides by the size of the vocabulary too, as SELF-PARAM's released code
    top_k: int = 32  # tokens that `top_k` tells apart
    on_policy: bool = False  # on answers that the student samples as it is, in place of those of the targets


def of_tokens(objective: Objective, student: Tensor, teacher: Tensor, logits: Callable[[Tensor], Tensor]) -> Tensor:
    """The divergence [tokens] at each token whose final hidden states [tokens, width] these are.

    `logits` is the output head of both. Gradients flow into the student's states alone.
    """
    if objective.divergence == "hidden":
        return hidden_distance(student.float(), teacher.float())
    own = logits(student)
    with torch.no_grad():
        target = logits(teacher).log_softmax(-1)
    if objective.divergence == "forward":
        return forward_kl(own, target)
    if objective.divergence == "reverse":
        return reverse_kl(own, target)
    return top_k_kl(own, target, objective.top_k)


def forward_kl(logits: Tensor, target: Tensor) -> Tensor:
    """KL(teacher ‖ student) [tokens], of its logits and the teacher's log-probabilities [tokens, vocabulary]."""
    with torch.no_grad():
        weight = target.exp()
        entropy = -(weight * target).sum(-1)
    return F.cross_entropy(logits, weight, reduction="none") - entropy


def reverse_kl(logits: Tensor, target: Tensor) -> Tensor:
    """KL(student ‖ teacher) [tokens], exact over the vocabulary."""
    own = logits.log_softmax(-1)
    return (own.exp() * (own - target)).sum(-1)


def top_k_kl(logits: Tensor, target: Tensor, k: int) -> Tensor:
    """KL(teacher ‖ student) [tokens] of the teacher's k likeliest tokens and of all others as one.

    To take tokens together loses information, so it is never more than the full KL; with all tokens it is that.
    """
    if k >= logits.shape[-1]:
        return forward_kl(logits, target)
    best, places = target.topk(k, dim=-1)
    own = logits.log_softmax(-1)
    named = torch.zeros_like(own, dtype=torch.bool).scatter(-1, places, True)
    tail, own_tail = (x.masked_fill(named, -torch.inf).logsumexp(-1) for x in (target, own))
    return (best.exp() * (best - own.gather(-1, places))).sum(-1) + tail.exp() * (tail - own_tail)


def hidden_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared distance of final hidden states [tokens, width], as a share of the teacher's squared length."""
    return (student - teacher).square().sum(-1) / teacher.square().sum(-1).clamp_min(1e-12)
