"""How a model can be read, found by reading it: two branches below one beginning, against its own forward pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from membench.errors import MembenchError
from membench.reading.kept_verdicts import keep, kept
from membench.reading.output_head import OutputHead, tolerance
from membench.reading.positions import made_small, window_of, windows
from membench.reading.slow_tree import SlowTree, before_head
from membench.reading.token_tree import Tree

_LONGEST = 600  # tokens of the beginning at most; longer windows are crossed as if they were _SMALL
_SMALL = 16
_SHORTEST = 24
_BRANCHES = (5, 7)
_TRIAL = 4

SLOW = "slow"  # what recipes call it
_READER = "reader"

Reader = tuple[Callable[[nn.Module], Tree], OutputHead]


def reader_of(model: Any, name: str, checkpoint: str = "") -> Reader:
    """What reads this model as it reads itself: the tree of branches, else the slow one; and its output head.

    What is found is kept for this checkpoint (membench.reading.kept_verdicts). Raises MembenchError, with the reason,
    for a model that neither reads.
    """
    known = kept(_READER, checkpoint)
    attention = str(model.config._attn_implementation)
    if known is not None and known["attention"] == attention:
        return SlowTree if known["slow"] else Tree, OutputHead(model, known["scale"])
    tree, head = _tried(model, name)
    keep(_READER, checkpoint, {"slow": tree is SlowTree, "scale": head.scale, "attention": attention})
    return tree, head


def known_slow(checkpoint: str) -> bool | None:
    """Whether this checkpoint is read slowly; None if it was not tried yet."""
    known = kept(_READER, checkpoint)
    return None if known is None else bool(known["slow"])


@torch.no_grad()
def _tried(model: Any, name: str) -> Reader:
    reasons = []
    ids = _tokens(model)
    for way, tree in (("in branches", Tree), ("slowly", SlowTree)):
        try:
            head = OutputHead.tried(model, *_trial(model, slow=tree is SlowTree))
            found = _difference(model, tree, head, ids)
            if tree is Tree:
                with made_small(model.config, _LONGEST, _SMALL) as some:
                    found = max(found, _difference(model, tree, head, ids) if some else 0.0)
        except Exception as error:  # code of any architecture runs here and may raise anything
            reasons.append(f"{way}: {type(error).__name__}: {error}".splitlines()[0])
            continue
        if found <= 1:
            return tree, head
        reasons.append(f"{way} its answers differ from its own forward pass")
    raise MembenchError(f"model {name} cannot be read ({'; '.join(reasons)}): take a causal language model")


def _trial(model: Any, slow: bool) -> tuple[Tensor, Tensor]:
    """Final hidden states [tokens, width] of a few tokens, and the model's own logits of them."""
    device = model.get_output_embeddings().weight.device
    ids = torch.arange(1, _TRIAL + 1, device=device)[None]
    own = model(ids, use_cache=False).logits[0].float()
    if slow:
        return before_head(model, ids[0].tolist()), own
    return model.get_decoder()(ids, use_cache=False).last_hidden_state[0], own


def _difference(model: Any, tree: Callable[[nn.Module], Tree], head: OutputHead, ids: list[int]) -> float:
    """The largest difference of logits on two branches, one token after another in the second, in tolerances."""
    begin, first, second = len(ids) - sum(_BRANCHES), *_BRANCHES
    shared, one, two = ids[:begin], ids[begin : begin + first], ids[begin + first :]
    grown = tree(model)
    (root,), _ = grown.grow([(None, shared)])
    nodes, states = grown.grow([(root, one), (root, two[:1])])
    rest = []
    node = nodes[1]
    for k, token in enumerate(two[1:]):
        (node,), (state,) = grown.grow([(node, [token])], extend=k > 0)
        rest.append(state)
    worst = 0.0
    for branch, mine in ((one, states[0]), (two, torch.cat([states[1], *rest]))):
        whole = torch.tensor([[*shared, *branch]], device=mine.device)
        plain = model(whole, use_cache=False).logits[0].float()
        if not _causal(model, whole, plain):
            raise ValueError("it looks ahead, so that it is no causal model")
        own = plain[begin:]
        worst = max(worst, (head(mine) - own).abs().max().item() / (tolerance(model) * own.abs().max().item()))
    assert second == len(two)
    return worst


def _causal(model: Any, whole: Tensor, plain: Tensor) -> bool:
    """Whether what stands behind a token leaves its logits as they are."""
    shorter = model(whole[:, :-1], use_cache=False).logits[0].float()
    return bool((shorter - plain[:-1]).abs().max().item() <= 2 * tolerance(model) * plain.abs().max().item())


def _tokens(model: Any) -> list[int]:
    """A beginning beyond every window that is not too long, and two branches; the same every time."""
    config = model.config.get_text_config()
    limit = window_of(config)
    begin = max([_SHORTEST, *(w + 8 for w in windows(config).values() if w + 8 <= _LONGEST)])
    begin = min(begin, limit - sum(_BRANCHES) - 1)
    rng = random.Random(0)
    top = min(model.get_input_embeddings().weight.shape[0], 4096)
    return [rng.randrange(3, top) for _ in range(begin + sum(_BRANCHES))]
