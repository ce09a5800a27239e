"""How much is read and kept at once: what was fastest on a CPU, and what an accelerator's free memory allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

_PARTS = 8  # of the free memory, for each of the three
_MOST_PASS, _MOST_GROUP = 8192, 16384  # tokens beyond which attention over other branches costs more than it saves
_FIRST_WRITES = 8  # whose sentences fill a pass that one context's leave mostly empty
_COPIES = 32  # of a token's state that a pass holds at its widest: projections, activations, logits of some


@dataclass(frozen=True)
class Budgets:
    """Tokens of one pass, prompt tokens in flight, bytes of states that a write keeps, first writes trained at once."""

    pass_tokens: int = 512  # where two CPU cores were fastest
    group_tokens: int = 1280  # more makes attention over the other branches cost more than it saves
    kept_bytes: int = 2**30  # a thousand contexts have more
    first_writes: int = 1  # that are trained in one pass; two CPU cores are no faster with more


def budgets_of(model: Any, device: torch.device) -> Budgets:
    """Those of a model on the device where its weights are, by what is free there now; on a CPU always the same."""
    if device.type != "cuda":
        return Budgets()
    free, _ = torch.cuda.mem_get_info(device)
    config, size = model.config.get_text_config(), model.dtype.itemsize
    layers = int(getattr(config, "num_hidden_layers", None) or 32)
    share, least = free // _PARTS, Budgets()
    return Budgets(
        max(least.pass_tokens, min(_MOST_PASS, share // (_COPIES * config.hidden_size * size))),
        max(least.group_tokens, min(_MOST_GROUP, share // (2 * layers * config.hidden_size * size))),
        max(least.kept_bytes, share),
        _FIRST_WRITES,
    )
