"""InfLLM's memory: a stream of texts as unrotated keys and values, the units they make, and how it is read.

The stream stands behind the worked examples, in the form that recalled texts have in the prompt. A memory depends on
the texts and their order alone, not on how many came in one write: each text is streamed in chunks of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from membench.errors import MembenchError
from membench.io.memory_codec import nbytes
from membench.keyvalues.block_attention import NAME, Pass, Rule, unit_vectors
from membench.reading.token_tree import Node, Tree, head_width

if TYPE_CHECKING:
    from membench.model.llm import LLM

MODELS = ("llama", "mistral", "qwen2", "qwen3")


@dataclass(frozen=True)
class Stream:
    """The memory. Tokens are those of the texts; the worked examples' are not in it."""

    texts: tuple[str, ...]
    keys: Tensor  # [layers, kv_heads, tokens, head_dim], not rotated
    values: Tensor  # the same
    vectors: Tensor  # [layers, units, heads, head_dim]
    received: Tensor  # [layers, heads, tokens behind the units]: attention that they received in the window so far


@dataclass(frozen=True)
class StreamLookup:
    """What a stream brings to reading: its keys and values, with the rule by which they are looked up."""

    rule: Rule
    stream: Stream

    @property
    def nbytes(self) -> int:
        """Bytes of keys, values and vectors; not of the texts, which are not read again."""
        stream = self.stream
        return sum(map(nbytes, (stream.keys, stream.values, stream.vectors, stream.received)))

    def tree(self, model: nn.Module) -> Tree:
        """An empty tree that reads by this rule."""
        return LookupTree(model, self.rule, self.stream)


class LookupTree(Tree):
    """A tree whose tokens attend by InfLLM's rule. It is handed rotations of nothing: position 0 for every token."""

    def __init__(self, model: nn.Module, rule: Rule, stream: Stream | None):
        super().__init__(model)
        self.rule: Rule = rule
        self.stream = stream
        device = next(self.decoder.parameters()).device
        self.vectors = stream.vectors.to(device) if stream else _no_vectors(model, device)
        self.received: dict[int, Tensor] = dict(enumerate(stream.received.to(device))) if stream else {}
        self._start = 0  # where the chunks of a question, or of a text, are counted from
        self._levels = 2  # nodes from the root to the end of a prompt
        self._last: Pass | None = None
        self.writing = False

    def _added(self, visible: Tensor) -> Tensor:
        """Boolean: the rule's own attention masks with it."""
        return visible

    def plant(self, root: Node) -> Node:
        """The stream, below the worked examples."""
        if self.stream is None:
            return root
        device = self.vectors.device
        node = self.insert(root, list(zip(self.stream.keys.to(device), self.stream.values.to(device), strict=True)))
        self._start, self._levels = node.depth, 3
        return node

    def extend(self, node: Node, tokens: Sequence[int]) -> Node:
        """The stream with one more chunk of tokens, its units made; `node` is its end, or the root."""
        fresh = node.index == 0
        self.writing, self._start = True, node.depth
        (grown,), _ = self.grow([(node, tokens)], extend=not fresh)
        assert self._last is not None
        for layer, new in self._last.received.items():
            before = self.received.get(layer, new[:, :0])
            self.received[layer] = new + nn.functional.pad(before, (0, new.shape[1] - before.shape[1]))
        self._make_units(grown.depth)
        return grown

    def _make_units(self, total: int) -> None:
        """Turn what has left the window into units, as far as it fills them."""
        old, size = self.vectors.shape[1], self.rule.unit
        count = self.rule.units(total) - old
        if not count:
            return
        first = self.rule.initial + old * size
        made = []
        for layer, (keys, _) in enumerate(self.layers()):
            received = self.received[layer]
            evicted, self.received[layer] = received[:, : count * size], received[:, count * size :]
            made.append(unit_vectors(keys[:, first : first + count * size], evicted, self.rule))
        self.vectors = torch.cat([self.vectors, torch.stack(made)], 1)

    def _forward(self, ids: list[int], owners: list[int], positions: list[int]) -> Tensor:
        with _installed(self.decoder):
            return super()._forward(ids, owners, positions)

    def _placed(self, owner: Tensor, depth: Tensor) -> dict[str, Any]:
        self._last = Pass(
            self.rule, depth, torch.cat(self._depth), self._chunks(owner, depth), self.vectors,
            self.decoder.rotary_emb.inv_freq, self.writing, {},
        )  # fmt: skip
        return {"position_ids": torch.zeros_like(depth)[None], "lookup": self._last}

    def _chunks(self, owner: Tensor, depth: Tensor) -> Tensor:
        """A number for each chunk: texts and questions look up in chunks, an answer token by token, as if decoded."""
        prompt = torch.tensor([len(line) <= self._levels for line in self._lineage], device=owner.device)[owner]
        place = torch.where(prompt, (depth - self._start) // self.rule.chunk, depth)
        numbers: Tensor = torch.unique(torch.stack([owner, place]), dim=1, return_inverse=True)[1]
        return numbers


@torch.no_grad()
def write(llm: LLM, rule: Rule, stream: Stream | None, texts: Sequence[str]) -> Stream:
    """The stream with these texts behind it. Raises MembenchError for a model that is not Llama-style."""
    refuse(llm)
    tree = LookupTree(llm.model, rule, stream)
    root = llm.first_segment.root(tree, llm.segment_ids([], "")[0])
    node = tree.plant(root)
    for text in texts:
        tokens = llm.segment_ids([text], "")[1]
        for start in range(0, len(tokens), rule.chunk):
            node = tree.extend(node, tokens[start : start + rule.chunk])
    llm.meter.add(read=tree.tokens_read)
    keys, values = (torch.stack(part).cpu() for part in zip(*tree.layers(root.depth), strict=True))
    received = torch.stack([tree.received[layer] for layer in range(len(keys))]).cpu()
    return Stream((*(stream.texts if stream else ()), *texts), keys, values, tree.vectors.cpu(), received)


def rule_for(llm: LLM, rule: Rule) -> Rule:
    """The rule with the worked examples among the initial tokens."""
    return replace(rule, initial=len(llm.segment_ids([], "")[0]) + rule.initial)


def refuse(llm: LLM) -> None:
    """Raise MembenchError for a model whose attention this is not: keys must be rotated as in Llama, and all seen."""
    config = llm.model.config
    rotary = getattr(llm.model.get_decoder(), "rotary_emb", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    reason = ""
    if config.model_type not in MODELS or rotary is None:
        reason = f"its type {config.model_type!r} is none of {', '.join(MODELS)}"
    elif kinds - {"full_attention"} or (getattr(config, "sliding_window", None) and not kinds):
        reason = "it has sliding windows of its own"
    elif rotary.rope_type not in ("default", "linear", "llama3") or rotary.attention_scaling != 1:
        reason = f"its rotary embedding {rotary.rope_type!r} changes with the length of the input"
    if reason:
        raise MembenchError(f"infllm needs a Llama-style model, and {llm.name} is not one: {reason}")


def _no_vectors(model: nn.Module, device: torch.device) -> Tensor:
    config: Any = model.config
    size = (config.num_hidden_layers, 0, config.num_attention_heads, head_width(config))
    return torch.zeros(*size, device=device, dtype=next(model.parameters()).dtype)


@contextmanager
def _installed(decoder: Any) -> Iterator[None]:
    """The model with this attention in place of its own."""
    own = decoder.config._attn_implementation
    decoder.set_attn_implementation(NAME)
    try:
        yield
    finally:
        decoder.set_attn_implementation(own)
