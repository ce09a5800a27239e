"""Live bytes: what must be in memory beside the model while a question is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import torch

from membench.io.memory_codec import nbytes
from membench.reading.token_tree import Tree
from membench.values import Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.model.text_model import TextModel

_TRIAL = 4  # tokens

_known: WeakKeyDictionary[LLM, int] = WeakKeyDictionary()


def live_bytes(model: TextModel, recall: Recall, questions: Sequence[str]) -> int | None:
    """The most that any of these questions needs, asked alone; None of a model that is elsewhere.

    Keys and values, in the model's precision, of the prompt tokens that recalled texts take and of a prefix; the
    factors of an adapter; keys, values and vectors of a stream that is looked up. None for texts that are read slowly:
    what a model's own states take is not known.
    """
    if not model.is_here:
        return None
    llm, contexts = cast("LLM", model), recall.contexts or ()
    added = [_added(llm, texts, q) for texts, q in zip(contexts, questions, strict=True)] if contexts else None
    prefixes = recall.prefixes or (recall.prefix,) * len(questions)
    planted = [prefix.tokens if prefix else 0 for prefix in prefixes]
    tokens = max(map(sum, zip(added or [0] * len(planted), planted, strict=True)), default=0)
    if tokens and llm.slow:
        return None
    total = tokens * bytes_per_token(llm) if tokens else 0
    worn = {id(adapter): adapter for adapter in (recall.adapter, *(recall.adapters or ())) if adapter}
    total += max((nbytes(adapter.layers) for adapter in worn.values()), default=0)
    if recall.lookup:
        total += recall.lookup.nbytes
    return total


@torch.no_grad()
def bytes_per_token(llm: LLM) -> int:
    """Of the keys and values of one token in all layers, as they are held; for a model that is read in branches."""
    if llm not in _known:
        tree = Tree(llm.model)
        tree.grow([(None, range(1, 1 + _TRIAL))])
        _known[llm] = sum(part.nbytes for pair in tree.layers() for part in pair) // _TRIAL
    return _known[llm]


def _added(llm: LLM, texts: Sequence[str], question: str) -> int:
    """Tokens that texts add to a question's prompt."""
    if not texts:
        return 0
    return sum(map(len, llm.segment_ids(texts, question))) - sum(map(len, llm.segment_ids((), question)))
