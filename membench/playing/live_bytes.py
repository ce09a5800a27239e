"""Live bytes: what must be in memory beside the model while a question is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membench.io.memory_codec import nbytes
from membench.reading.token_tree import head_width
from membench.values import Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM


def live_bytes(llm: LLM, recall: Recall, questions: Sequence[str]) -> int:
    """The most that any of these questions needs, asked alone.

    Keys and values, in the model's precision, of the prompt tokens that recalled texts take and of a prefix; the
    factors of an adapter; keys, values and vectors of a stream that is looked up.
    """
    contexts = recall.contexts or ()
    tokens = max((_added(llm, texts, q) for texts, q in zip(contexts, questions, strict=bool(contexts))), default=0)
    tokens += recall.prefix.tokens if recall.prefix else 0
    total = tokens * bytes_per_token(llm)
    if recall.adapter:
        total += nbytes(recall.adapter.layers)
    if recall.lookup:
        total += recall.lookup.nbytes
    return total


def bytes_per_token(llm: LLM) -> int:
    """Of the keys and values of one token in all layers."""
    config = llm.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * head_width(config) * llm.model.dtype.itemsize)


def _added(llm: LLM, texts: Sequence[str], question: str) -> int:
    """Tokens that texts add to a question's prompt."""
    if not texts:
        return 0
    return sum(map(len, llm.segment_ids(texts, question))) - sum(map(len, llm.segment_ids((), question)))
