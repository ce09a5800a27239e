"""One reader for all methods: greedy answers, likelihoods of candidates, divergence from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.errors import MembenchError
from membench.tree import Node, Tree, chunks

if TYPE_CHECKING:
    from membench.api import Prefix
    from membench.llm import LLM

GROUP_TOKENS = 1280  # prompt tokens in flight; more makes attention over the other branches cost more than it saves
PASS_TOKENS = 512  # tokens of one forward pass, where two CPU cores were fastest (benchmarks/reading.py)


@dataclass(frozen=True)
class Reference:
    """What the in-context reference answered: its tokens, and the hidden state that predicted each and the stop.

    `hidden` is [tokens + 1, width] (or [tokens, width] if the answer was cut), float32.
    """

    ids: tuple[int, ...]
    hidden: Tensor


@dataclass(frozen=True)
class Reading:
    """An answered question: text, tokens and the hidden states that predicted them, and what was asked beside."""

    text: str
    ids: tuple[int, ...]
    truncated: bool
    hidden: Tensor
    logprobs: tuple[float, ...] = ()  # per candidate, nats per token
    divergence: float | None = None  # KL(reference ‖ this), nats per token


@dataclass(frozen=True)
class Completion:
    """A continued prompt."""

    text: str
    ids: tuple[int, ...]
    truncated: bool


def read(
    llm: LLM,
    contexts: Sequence[Sequence[str]],
    questions: Sequence[str],
    candidates: Sequence[Sequence[str]] | None,
    references: Sequence[Reference | None] | None,
    prefix: Prefix | None = None,
) -> list[Reading]:
    """Answer questions, each below a prefix and its own contexts; prompts that begin alike are read once."""
    paths = [llm.segment_ids(texts, question) for texts, question in zip(contexts, questions, strict=True)]
    if prefix is not None:
        _require_room(llm, prefix, paths)
    order = sorted(range(len(paths)), key=lambda i: (paths[i][:-1], i))
    out: dict[int, Reading] = {}
    tree = Tree(llm.model)
    roots = _Roots(tree, prefix)
    generated = 0
    for span in chunks(_new_tokens([paths[i] for i in order]), GROUP_TOKENS):
        group = [order[k] for k in span]
        mark, tails, last = roots.below([paths[i] for i in group])
        rows = decode(llm, tree, tails, last, llm.max_new_tokens, "\n")
        generated += sum(len(row.ids) for row in rows)
        tree.rewind(mark)
        logprobs = _candidates(llm, tree, tails, last, [candidates[i] if candidates else () for i in group])
        divergences = _divergences(llm, tree, tails, last, [references[i] if references else None for i in group])
        for i, row, scores, kl in zip(group, rows, logprobs, divergences, strict=True):
            text = llm.decode(row.ids).strip()
            out[i] = Reading(text, row.ids, row.truncated, row.hidden, scores, kl)
        roots.reset()
    llm.meter.add(read=tree.tokens_read - generated, generated=generated)
    return [out[i] for i in range(len(paths))]


def _require_room(llm: LLM, prefix: Prefix, paths: Sequence[Sequence[Sequence[int]]]) -> None:
    longest = max((sum(map(len, path)) for path in paths), default=0) + llm.max_new_tokens
    if prefix.tokens + longest > llm.window:
        raise MembenchError(
            f"a memory of {prefix.tokens} tokens and a prompt of {longest} exceed the window of {llm.name}, "
            f"{llm.window}: make the memory smaller, or take a model with a longer window"
        )


def _new_tokens(paths: Sequence[Sequence[Sequence[int]]]) -> list[int]:
    """Tokens that each prompt adds to the one before it."""
    sizes = []
    before: Sequence[Sequence[int]] = ()
    for path in paths:
        shared = 0
        while shared < min(len(path), len(before)) and path[shared] == before[shared]:
            shared += 1
        sizes.append(sum(map(len, path[max(shared, 1) :])))
        before = path
    return sizes


class _Roots:
    """The shared beginnings of prompts: the first segment is kept for a whole call, the others for a group."""

    def __init__(self, tree: Tree, prefix: Prefix | None):
        self.tree = tree
        self.prefix = prefix
        self.known: dict[tuple[tuple[int, ...], ...], Node] = {}
        self.base: tuple[int, int, int] | None = None
        self.first: tuple[tuple[int, ...], ...] = ()

    def below(self, paths: Sequence[Sequence[Sequence[int]]]) -> tuple[tuple[int, int, int], list[Node], list[Tensor]]:
        """Grow these prompts; returns a mark behind them, their last nodes and last hidden states [width]."""
        if self.base is None:
            self.first = (tuple(paths[0][0]),)
            node = self.tree.grow([(None, paths[0][0])])[0][0]
            self.known[self.first] = self.tree.insert(node, self.prefix) if self.prefix else node
            self.base = self.tree.mark()
        for level in range(1, max(map(len, paths)) - 1):
            keys = {tuple(map(tuple, path[: level + 1])) for path in paths if len(path) - 1 > level}
            missing = sorted(keys - self.known.keys())
            for key, (node, _) in zip(missing, self._grow([(self.known[k[:-1]], k[-1]) for k in missing]), strict=True):
                self.known[key] = node
        grown = self._grow([(self.known[tuple(map(tuple, path[:-1]))], path[-1]) for path in paths])
        return self.tree.mark(), [node for node, _ in grown], [hidden for _, hidden in grown]

    def _grow(self, runs: Sequence[tuple[Node, Sequence[int]]]) -> list[tuple[Node, Tensor]]:
        out: list[tuple[Node, Tensor]] = []
        for span in chunks([len(tokens) for _, tokens in runs], PASS_TOKENS):
            nodes, hidden = self.tree.grow([runs[i] for i in span])
            out += [(node, h[-1]) for node, h in zip(nodes, hidden, strict=True)]
        return out

    def reset(self) -> None:
        """Forget everything but the first segment."""
        assert self.base is not None
        self.tree.rewind(self.base)
        self.known = {self.first: self.known[self.first]}


@dataclass
class _Row:
    ids: tuple[int, ...]
    hidden: Tensor
    truncated: bool


def decode(
    llm: LLM, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], max_new_tokens: int, stop: str
) -> list[_Row]:
    """Greedy continuations of tree nodes until `stop` appears in the text, the model ends it, or the limit."""
    ends = _end_ids(llm)
    ids: list[list[int]] = [[] for _ in tails]
    hidden: list[list[Tensor]] = [[h] for h in last]
    nodes: list[Node] = list(tails)
    alive = list(range(len(tails)))
    done: set[int] = set()
    for step in range(max_new_tokens):
        picked = llm.logits(torch.stack([hidden[i][-1] for i in alive])).argmax(-1).tolist()
        going = []
        for i, token in zip(alive, picked, strict=True):
            if token in ends or stop in llm.decode([*ids[i], token]):
                done.add(i)
            else:
                ids[i].append(token)
                going.append(i)
        alive = going
        if not alive or step == max_new_tokens - 1:
            break
        grown, states = tree.grow([(nodes[i], [ids[i][-1]]) for i in alive], extend=step > 0)
        for i, node, state in zip(alive, grown, states, strict=True):
            nodes[i] = node
            hidden[i].append(state[-1])
    return [_Row(tuple(ids[i]), torch.stack(hidden[i]).float(), i not in done) for i in range(len(tails))]


def _end_ids(llm: LLM) -> set[int]:
    """Tokens that end a sequence, by the tokenizer and by the model's own settings."""
    ends = llm.model.generation_config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    return {i for i in (*listed, llm.tokenizer.eos_token_id) if i is not None}


def _branch(
    llm: LLM, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], branches: Sequence[tuple[int, Sequence[int]]]
) -> list[Tensor]:
    """Hidden states [tokens, width] that predict each token of each branch (row index, tokens)."""
    out: list[Tensor] = []
    mark = tree.mark()
    for span in chunks([len(tokens) for _, tokens in branches], PASS_TOKENS):
        part = [branches[k] for k in span]
        runs = [(tails[i], tokens[:-1]) for i, tokens in part if len(tokens) > 1]
        states = iter(tree.grow(runs)[1]) if runs else iter(())
        for i, tokens in part:
            first = last[i][None]
            out.append(torch.cat([first, next(states)]) if len(tokens) > 1 else first)
        tree.rewind(mark)
    return out


def _candidates(
    llm: LLM, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], candidates: Sequence[Sequence[str]]
) -> list[tuple[float, ...]]:
    """Mean log-probability per token of each candidate answer, for each row."""
    branches = [
        (i, llm.ids(llm.renderer.answer(text).rstrip("\n"))) for i, texts in enumerate(candidates) for text in texts
    ]
    states = _branch(llm, tree, tails, last, branches)
    out: list[list[float]] = [[] for _ in candidates]
    for (i, tokens), hidden in zip(branches, states, strict=True):
        logp = llm.logits(hidden).log_softmax(-1)
        out[i].append(logp[range(len(tokens)), tokens].mean().item())
    return [tuple(scores) for scores in out]


def _divergences(
    llm: LLM, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], references: Sequence[Reference | None]
) -> list[float | None]:
    """KL(reference ‖ this memory) per token along the reference's answer, the stop included."""
    rows = [(i, ref) for i, ref in enumerate(references) if ref is not None]
    branches = [(i, [*ref.ids, 0][: len(ref.hidden)]) for i, ref in rows]  # the last token is predicted, never read
    out: list[float | None] = [None] * len(references)
    for (i, ref), hidden in zip(rows, _branch(llm, tree, tails, last, branches), strict=True):
        target = llm.logits(ref.hidden.to(hidden.device, hidden.dtype)).log_softmax(-1)
        ours = llm.logits(hidden).log_softmax(-1)
        out[i] = torch.nn.functional.kl_div(ours, target, log_target=True, reduction="sum").item() / len(hidden)
    return out


def complete(llm: LLM, prompts: Sequence[str], max_new_tokens: int, stop: str) -> list[Completion]:
    """Greedy continuations of raw prompts, one tree for those that fit together."""
    paths = [[*llm.bos, *llm.ids(prompt)] for prompt in prompts]
    out: list[Completion] = []
    for span in chunks([len(path) for path in paths], GROUP_TOKENS):
        tree = Tree(llm.model)
        nodes, hidden = tree.grow([(None, paths[i]) for i in span])
        rows = decode(llm, tree, nodes, [h[-1] for h in hidden], max_new_tokens, stop)
        generated = sum(len(row.ids) for row in rows)
        llm.meter.add(read=tree.tokens_read - generated, generated=generated)
        out += [Completion(llm.decode(row.ids), row.ids, row.truncated) for row in rows]
    return out
