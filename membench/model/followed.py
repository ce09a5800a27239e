"""Answers that were decoded elsewhere, read along: what predicted each token, and whether the model would say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from membench.errors import MembenchError
from membench.model.language_model import LanguageModel
from membench.model.likelihood import SPAN, branch_states
from membench.reading.token_tree import Node, Tree

# Nats a token that an answer may be less likely than the model's own choices: what rounding makes of near ties.
TOLERANCE = {torch.float32: 1e-2, torch.float16: 0.2, torch.bfloat16: 0.5}


@dataclass(frozen=True)
class Written:
    """An answer as tokens, without what ends it; `truncated` where nothing did."""

    ids: tuple[int, ...]
    truncated: bool


@dataclass(frozen=True)
class Row:
    """The same with the hidden states [tokens + 1, width] (or [tokens, width] if it was cut) that predicted it."""

    ids: tuple[int, ...]
    hidden: Tensor
    truncated: bool


def follow(
    model: LanguageModel, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], written: Sequence[Written]
) -> list[Row]:
    """Read answers below their prompts, in one pass in place of one a token.

    Raises MembenchError for one that is not greedy: what decoded it did not read this model, with its adapter.
    """
    branches = [(i, w.ids if w.truncated else (*w.ids, 0)) for i, w in enumerate(written)]  # the last is never read
    states = branch_states(model, tree, tails, last, branches)
    gap = max(_gaps(model, written, states), default=0.0)
    if not gap <= TOLERANCE[model.model.dtype]:
        raise MembenchError(
            f"an answer of the engine is {gap:.2g} nats a token less likely than what {model.name} itself would say "
            "with this memory: it does not read the same model and adapter; take --engine hf"
        )
    return [Row(w.ids, hidden.float(), w.truncated) for w, hidden in zip(written, states, strict=True)]


def _gaps(model: LanguageModel, written: Sequence[Written], states: Sequence[Tensor]) -> list[float]:
    """For each answer that has tokens, how much less likely they are than the model's choices, nats a token."""
    said = [(w.ids, hidden[: len(w.ids)]) for w, hidden in zip(written, states, strict=True) if w.ids]
    if not said:
        return []
    hidden = torch.cat([h for _, h in said])
    chosen = torch.tensor([token for ids, _ in said for token in ids], device=hidden.device)
    parts = []
    for h, picked in zip(torch.split(hidden, SPAN), torch.split(chosen, SPAN), strict=True):
        logits = model.logits(h)
        parts.append(logits.max(-1).values - logits.gather(-1, picked[:, None])[:, 0])
    each = torch.split(torch.cat(parts), [len(ids) for ids, _ in said])
    means: list[float] = torch.stack([part.mean() for part in each]).tolist()
    return means
