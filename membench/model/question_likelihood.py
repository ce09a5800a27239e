"""How likely a question is behind a text, by which a model can rank texts untrained (UPR, Sachan et al., 2022)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from membench.model.likelihood import branch_logprobs
from membench.model.llm import LLM
from membench.values import Recall


@torch.no_grad()
def question_logprobs(llm: LLM, questions: Sequence[str], texts: Sequence[Sequence[str]]) -> list[list[float]]:
    """For each question and each of its texts the question's mean log-probability, nats a token.

    The question stands as it does in the prompt, behind the worked examples and that text alone. A text is read once
    for all questions that have it. Where a prompt is longer than the window the value is -inf.
    """
    asked: dict[str, list[int]] = {}
    for i, those in enumerate(texts):
        for text in dict.fromkeys(those):
            asked.setdefault(text, []).append(i)
    found: dict[tuple[int, str], float] = {}
    tree = llm.tree(Recall())
    root = None
    for text, places in asked.items():
        paths = llm.paths([(text,)] * len(places), [questions[i] for i in places])
        fitting = [k for k, path in enumerate(paths) if sum(map(len, path)) <= llm.window]
        if not fitting:
            continue
        root = root or tree.plant(llm.first_segment.root(tree, paths[0][0]))
        mark = tree.mark()
        nodes, hidden = tree.grow([(k - 1 if k else root, segment) for k, segment in enumerate(paths[0][1:-1])])
        scores = branch_logprobs(llm, tree, nodes[-1:], [hidden[-1][-1]], [(0, paths[k][-1]) for k in fitting])
        found |= {(places[k], text): score for k, score in zip(fitting, scores, strict=True)}
        tree.rewind(mark)
    llm.meter.add(read=tree.tokens_read)
    return [[found.get((i, text), -math.inf) for text in those] for i, those in enumerate(texts)]
