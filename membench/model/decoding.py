"""One reader for all methods: greedy answers, likelihoods of candidates, divergence from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from membench.errors import MembenchError
from membench.model.followed import Row, Written, follow
from membench.model.language_model import LanguageModel
from membench.model.likelihood import Reference, candidate_logprobs, divergences
from membench.reading.prefix_cache import PrefixCache
from membench.reading.token_tree import Node, Tree, chunks
from membench.values import Prefix


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
    model: LanguageModel,
    first_segment: PrefixCache,
    tree: Tree,
    form: tuple[int, str],
    contexts: Sequence[Sequence[str]],
    questions: Sequence[str],
    candidates: Sequence[Sequence[str]] | None,
    references: Sequence[Reference | None] | None,
    written: Sequence[Written] | None = None,
) -> list[Reading]:
    """Answer questions in an empty tree, each below its own contexts; prompts that begin alike are read once.

    `form` is what an answer may be: (max_new_tokens, stop). `written` are the answers where something else decoded
    them; they are then read along (membench.model.followed).

    Raises MembenchError if a prompt, with the memory before it, is longer than the window.
    """
    paths = model.paths(contexts, questions)
    max_new_tokens, stop = form
    _require_room(model, tree.prefix, paths, max_new_tokens)
    order = sorted(range(len(paths)), key=lambda i: (paths[i][:-1], i))
    out: dict[int, Reading] = {}
    roots = _Roots(first_segment, tree, model.budgets.pass_tokens)
    generated = 0
    for span in chunks(_new_tokens([paths[i] for i in order]), model.budgets.group_tokens):
        group = [order[k] for k in span]
        mark, tails, last = roots.below([paths[i] for i in group])
        if written is None:
            rows = decode(model, tree, tails, last, max_new_tokens, stop)
        else:
            rows = follow(model, tree, tails, last, [written[i] for i in group])
        generated += sum(len(row.ids) for row in rows)
        tree.rewind(mark)
        logprobs = candidate_logprobs(model, tree, tails, last, [candidates[i] if candidates else () for i in group])
        kls = divergences(model, tree, tails, last, [references[i] if references else None for i in group])
        for i, row, scores, kl in zip(group, rows, logprobs, kls, strict=True):
            text = _without(stop, model.decode(row.ids)).strip()
            out[i] = Reading(text, row.ids, row.truncated, row.hidden, scores, kl)
    model.meter.add(read=tree.tokens_read - generated, generated=generated)
    return [out[i] for i in range(len(paths))]


def _require_room(
    model: LanguageModel, prefix: Prefix | None, paths: Sequence[Sequence[Sequence[int]]], max_new_tokens: int
) -> None:
    longest = max((sum(map(len, path)) for path in paths), default=0) + max_new_tokens
    if prefix is None and longest > model.window:
        raise MembenchError(
            f"a prompt and its answer take {longest} tokens; the window of {model.name} is {model.window}"
        )
    if prefix is not None and prefix.tokens + longest > model.window:
        raise MembenchError(
            f"a memory of {prefix.tokens} tokens and a prompt of {longest} exceed the window of {model.name}, "
            f"{model.window}: make the memory smaller, or take a model with a longer window"
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
    """The shared beginnings of prompts. What also begins the next group's, above all the first segment, stays."""

    def __init__(self, first_segment: PrefixCache, tree: Tree, pass_tokens: int):
        self.pass_tokens = pass_tokens
        self.first_segment = first_segment
        self.tree = tree
        self.known: dict[tuple[tuple[int, ...], ...], Node] = {}
        self.trunk: list[tuple[tuple[tuple[int, ...], ...], tuple[int, int, int]]] = []  # and a mark behind each

    def below(self, paths: Sequence[Sequence[Sequence[int]]]) -> tuple[tuple[int, int, int], list[Node], list[Tensor]]:
        """Grow these prompts; returns a mark behind them, their last nodes and last hidden states [width]."""
        chains = [tuple(map(tuple, path[:-1])) for path in paths]
        self._cut_back(chains[0])
        for level in range(1, max(map(len, chains))):
            keys = {chain[: level + 1] for chain in chains if len(chain) > level}
            missing = sorted(keys - self.known.keys())
            for key, (node, _) in zip(missing, self._grow([(self.known[k[:-1]], k[-1]) for k in missing]), strict=True):
                self.known[key] = node
            if missing and len(keys) == 1 and len(self.trunk) == level:
                self.trunk.append((missing[0], self.tree.mark()))
        grown = self._grow([(self.known[chain], path[-1]) for chain, path in zip(chains, paths, strict=True)])
        return self.tree.mark(), [node for node, _ in grown], [hidden for _, hidden in grown]

    def _cut_back(self, chain: tuple[tuple[int, ...], ...]) -> None:
        """Drop all that does not begin this chain of segments; the first segment always does."""
        if not self.trunk:
            self.known[chain[:1]] = self.tree.plant(self.first_segment.root(self.tree, chain[0]))
            self.trunk.append((chain[:1], self.tree.mark()))
        while self.trunk[-1][0] != chain[: len(self.trunk)]:
            self.trunk.pop()
        self.tree.rewind(self.trunk[-1][1])
        self.known = {key: self.known[key] for key, _ in self.trunk}

    def _grow(self, runs: Sequence[tuple[Node, Sequence[int]]]) -> list[tuple[Node, Tensor]]:
        out: list[tuple[Node, Tensor]] = []
        for span in chunks([len(tokens) for _, tokens in runs], self.pass_tokens):
            nodes, hidden = self.tree.grow([runs[i] for i in span])
            out += [(node, h[-1]) for node, h in zip(nodes, hidden, strict=True)]
        return out


def decode(
    model: LanguageModel, tree: Tree, tails: Sequence[Node], last: Sequence[Tensor], max_new_tokens: int, stop: str
) -> list[Row]:
    """Greedy continuations of tree nodes until `stop` appears in the text, the model ends it, or the limit."""
    ends = end_ids(model)
    ids: list[list[int]] = [[] for _ in tails]
    hidden: list[list[Tensor]] = [[h] for h in last]
    nodes: list[Node] = list(tails)
    alive = list(range(len(tails)))
    done: set[int] = set()
    for step in range(max_new_tokens):
        picked = model.logits(torch.stack([hidden[i][-1] for i in alive])).argmax(-1).tolist()
        going = []
        for i, token in zip(alive, picked, strict=True):
            if token in ends or stop in model.decode([*ids[i], token]):
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
    return [Row(tuple(ids[i]), torch.stack(hidden[i]).float(), i not in done) for i in range(len(tails))]


def _without(stop: str, text: str) -> str:
    """A text without the beginning of `stop` at its end: the token that completed it was left out, those before not."""
    cut = max(size for size in range(len(stop)) if text.endswith(stop[:size]))
    return text[: len(text) - cut]


def end_ids(model: LanguageModel) -> set[int]:
    """Tokens that end a sequence, by the tokenizer and by the model's own settings."""
    ends = model.model.generation_config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    return {i for i in (*listed, model.tokenizer.eos_token_id) if i is not None}


def complete(model: LanguageModel, prompts: Sequence[str], max_new_tokens: int, stop: str) -> list[Completion]:
    """Greedy continuations of raw prompts, one tree for those that fit together."""
    paths = [model.first_ids(prompt) for prompt in prompts]
    out: list[Completion] = []
    for span in chunks([len(path) for path in paths], model.budgets.group_tokens):
        tree = model.reader[0](model.model)
        nodes, hidden = tree.grow([(None, paths[i]) for i in span])
        rows = decode(model, tree, nodes, [h[-1] for h in hidden], max_new_tokens, stop)
        generated = sum(len(row.ids) for row in rows)
        model.meter.add(read=tree.tokens_read - generated, generated=generated)
        out += [Completion(model.decode(row.ids), row.ids, row.truncated) for row in rows]
    return out
