"""The teacher of SELF-PARAM: the model with the context in its prompt. It is frozen, so it reads each sentence once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.reading.token_tree import Node, Tree, chunks
from membench.trained.sentences import Sentence
from membench.values import Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM


@torch.no_grad()
def teach(llm: LLM, sentences: Iterable[Sentence]) -> dict[Sentence, Tensor]:
    """The teacher's final hidden states [loss tokens, width] of each distinct sentence, read once, context included.

    They are kept in float32; where that would take more than the model's budgets allow, in float16.
    """
    below: dict[tuple[tuple[int, ...], ...], dict[tuple[int, ...], list[tuple[Sentence, int]]]] = {}
    for s in dict.fromkeys(sentences):
        given, tokens, start = _as_read(s)
        below.setdefault(given, {}).setdefault(tokens, []).append((s, start))
    kept = sum(len(run) - _first(those) for texts in below.values() for run, those in texts.items())
    whole = kept * llm.model.config.get_text_config().hidden_size * 4 <= llm.budgets.kept_bytes
    out: dict[Sentence, Tensor] = {}
    turns = {given[:1]: turn for turn, given in enumerate(below)}  # what begins alike follows one another
    with llm.meter.role("teacher"):
        for given, texts in sorted(below.items(), key=lambda pair: turns[pair[0][:1]]):
            tree = llm.tree(Recall())
            node, last = _grown(llm, tree, given)
            runs = list(texts)
            for span in chunks(list(map(len, runs)), llm.budgets.pass_tokens):
                with tree.aside():
                    hidden = tree.grow([(node, runs[i]) for i in span])[1]
                for i, h in zip(span, hidden, strict=True):
                    # Where nothing stands above, the first token is not predicted; no loss is on its row.
                    states = torch.cat([h[:1] if last is None else last, h[:-1]])
                    first = _first(those := texts[runs[i]])
                    states = states[first:].to(torch.float32 if whole else torch.float16, copy=True)
                    out |= {s: states[start - first :] for s, start in those}
            llm.meter.add(read=tree.tokens_read)
    return out


def _first(those: Iterable[tuple[Sentence, int]]) -> int:
    """The first token of a reading that is in a loss."""
    return min(start for _, start in those)


def _as_read(s: Sentence) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...], int]:
    """What the teacher reads first, the tokens below that, and the first of them that is in the loss.

    All suffixes of a text are one reading of the whole text.
    """
    given = tuple(filter(None, s.given))
    if s.kind != "suffix":
        return given, s.tokens, s.start
    return given[:-1], (*given[-1], *s.tokens), len(given[-1]) + s.start


def _grown(llm: LLM, tree: Tree, given: Sequence[tuple[int, ...]]) -> tuple[Node | None, Tensor | None]:
    """A chain of segments in an empty tree: its last node and last hidden state [1, width]; None for no segments."""
    node, last = None, None
    for i, segment in enumerate(given):
        if i == 0 and len(given) > 1:
            node = llm.first_segment.root(tree, segment)  # the worked examples, whose keys and values are at hand
        else:
            nodes, hidden = tree.grow([(node, segment)])
            node, last = nodes[0], hidden[0][-1:]
    return node, last
