"""What hangs on an answered prompt: likelihoods of candidate answers, and the divergence from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from membench.model.language_model import LanguageModel
from membench.reading.token_tree import Node, Tree, chunks

SPAN = 128  # rows of logits at once: few enough for memory, and enough to read the head's weights seldom


@dataclass(frozen=True)
class Reference:
    """What the in-context reference answered: its tokens, and the hidden state that predicted each and the stop.

    `hidden` is [tokens + 1, width] (or [tokens, width] if the answer was cut), float32.
    """

    ids: tuple[int, ...]
    hidden: Tensor


def branch_states(
    model: LanguageModel,
    tree: Tree,
    tails: Sequence[Node],
    last: Sequence[Tensor],
    branches: Sequence[tuple[int, Sequence[int]]],
) -> list[Tensor]:
    """Hidden states [tokens, width] that predict each token of each branch (row index, tokens)."""
    out: list[Tensor] = []
    mark = tree.mark()
    for span in chunks([len(tokens) for _, tokens in branches], model.budgets.pass_tokens):
        part = [branches[k] for k in span]
        runs = [(tails[i], tokens[:-1]) for i, tokens in part if len(tokens) > 1]
        states = iter(tree.grow(runs)[1]) if runs else iter(())
        for i, tokens in part:
            first = last[i][None]
            out.append(torch.cat([first, next(states)]) if len(tokens) > 1 else first)
        tree.rewind(mark)
    return out


def candidate_logprobs(
    model: LanguageModel, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], candidates: Sequence[Sequence[str]]
) -> list[tuple[float, ...]]:
    """Mean log-probability per token of each candidate answer, for each row."""
    branches = [
        (i, model.ids(model.renderer.answer(text).rstrip("\n"))) for i, texts in enumerate(candidates) for text in texts
    ]
    out: list[list[float]] = [[] for _ in candidates]
    for (i, _), score in zip(branches, branch_logprobs(model, tree, tails, last, branches), strict=True):
        out[i].append(score)
    return [tuple(scores) for scores in out]


def branch_logprobs(
    model: LanguageModel,
    tree: Tree,
    tails: Sequence[Node],
    last: Sequence[Tensor],
    branches: Sequence[tuple[int, Sequence[int]]],
) -> list[float]:
    """Mean log-probability per token of each branch (row index, tokens)."""
    if not branches:
        return []
    states = torch.cat(branch_states(model, tree, tails, last, branches))
    chosen = torch.tensor([token for _, tokens in branches for token in tokens], device=states.device)
    spans = zip(torch.split(states, SPAN), torch.split(chosen, SPAN), strict=True)
    logp = torch.cat([-F.cross_entropy(model.logits(h), picked, reduction="none") for h, picked in spans])
    return _means(logp, [len(tokens) for _, tokens in branches])


def divergences(
    model: LanguageModel,
    tree: Tree,
    tails: Sequence[Node],
    last: Sequence[Tensor],
    references: Sequence[Reference | None],
) -> list[float | None]:
    """KL(reference ‖ this memory) per token along the reference's answer, the stop included."""
    rows = [(i, ref) for i, ref in enumerate(references) if ref is not None]
    branches = [(i, [*ref.ids, 0][: len(ref.hidden)]) for i, ref in rows]  # the last token is predicted, never read
    out: list[float | None] = [None] * len(references)
    if not rows:
        return out
    ours = torch.cat(branch_states(model, tree, tails, last, branches))
    theirs = torch.cat([ref.hidden for _, ref in rows]).to(ours.device, ours.dtype)
    kl = torch.cat([_kl(model, *span) for span in zip(torch.split(theirs, SPAN), torch.split(ours, SPAN), strict=True)])
    for (i, _), mean in zip(rows, _means(kl, [len(ref.hidden) for _, ref in rows]), strict=True):
        out[i] = mean
    return out


def _means(values: Tensor, sizes: Sequence[int]) -> list[float]:
    """The mean of each consecutive part of these sizes; all come from the device at once."""
    means: list[float] = torch.stack([part.mean() for part in torch.split(values, list(sizes))]).tolist()
    return means


def _kl(model: LanguageModel, theirs: Tensor, ours: Tensor) -> Tensor:
    """KL(theirs ‖ ours) in nats of the distributions that hidden states [tokens, width] predict, one a token."""
    target, found = (logits.log_softmax(-1) for logits in model.logits(torch.cat([theirs, ours])).chunk(2))
    return F.kl_div(found, target, log_target=True, reduction="none").sum(-1)
