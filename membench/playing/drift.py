"""What a memory does to the model elsewhere: likelihood of generic text, and small test sets, against the empty memory.

Perplexity and KL on held-out generic text, and flips on multiple choice, are measured for every kind of memory alike,
retrieval included: what it recalls for a prompt stands before that prompt (docs/contamination.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from membench.corpora.test_suites import KNOWN_ONLY, Item, drift_texts, suite, suite_label
from membench.model.decode_scope import read_without_adapter
from membench.model.recall_groups import in_parts
from membench.reading.token_tree import Node, Tree, chunks
from membench.values import DIGITS, Drift, Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.model.text_model import TextModel

PROMPT_TOKENS = 12  # of each text: what a memory is asked with; it sees nothing of what is scored
SCORED_TOKENS = 48  # of each text, behind the prompt


@dataclass(frozen=True)
class Prompt:
    """A prompt as text and tokens, and what may follow it, as tokens."""

    text: str
    ids: tuple[int, ...]
    ends: tuple[tuple[int, ...], ...]
    gold: int = 0


@dataclass(frozen=True)
class Baseline:
    """What the model does without a memory: the same for every cell of a run.

    `hidden` is [tokens, width] for each text, the states that predict its scored tokens; `right` parallels `items`.
    """

    texts: tuple[Prompt, ...]
    hidden: tuple[Tensor, ...]
    items: dict[str, tuple[Prompt, ...]]
    right: dict[str, tuple[bool, ...]]


def baseline(model: TextModel, step: Drift) -> Baseline:
    """Read what a step reads with the empty memory; of KNOWN_ONLY sets, items that are then wrong are left out.

    The model is one that is here: no task with such a step is planned at an endpoint.
    """
    llm = cast("LLM", model)
    texts = tuple(_text_prompt(llm, text) for text in drift_texts(step.text))
    suites = {suite_label(name): suite(name, step.items) for name in step.suites}
    items = {name: tuple(_item_prompt(llm, item) for item in those) for name, those in suites.items()}
    hidden, right = _read(llm, lambda _: Recall(), texts, items)
    for name in items:
        if name.partition(":")[0] in KNOWN_ONLY:
            kept = tuple(p for p, ok in zip(items[name], right[name], strict=True) if ok)[: step.items]
            items[name], right[name] = kept, (True,) * len(kept)
    return Baseline(texts, hidden, items, right)


def measure(model: TextModel, recall: Callable[[Sequence[str]], Recall], base: Baseline) -> dict[str, Any]:
    """What a record of drift holds of one memory; `recall` is what it brings to these prompts.

    `texts`: for each text its number of scored tokens, negative log-likelihood without and with the memory, and
    KL(without ‖ with), nats per token. `items`: for each test set, [right without, right with] per item, 0 or 1.
    """
    llm = cast("LLM", model)
    hidden, right = _read(llm, recall, base.texts, base.items)
    texts = [_compare(llm, p, h0, h1) for p, h0, h1 in zip(base.texts, base.hidden, hidden, strict=True)]
    items = {
        name: [[int(a), int(b)] for a, b in zip(base.right[name], right[name], strict=True)] for name in base.items
    }
    return {"texts": texts, "items": items}


def _read(
    llm: LLM,
    recall: Callable[[Sequence[str]], Recall],
    texts: Sequence[Prompt],
    items: dict[str, tuple[Prompt, ...]],
) -> tuple[tuple[Tensor, ...], dict[str, tuple[bool, ...]]]:
    """The hidden states of the texts and which items are right, all under one recall."""
    prompts = [*texts, *(p for those in items.values() for p in those)]
    states = follow(llm, recall([p.text for p in prompts]), prompts)
    hidden = tuple(ends[0].float() for ends in states[: len(texts)])
    verdicts = iter([_is_right(llm, p, s) for p, s in zip(prompts[len(texts) :], states[len(texts) :], strict=True)])
    return hidden, {name: tuple(next(verdicts) for _ in those) for name, those in items.items()}


@torch.no_grad()
def follow(llm: LLM, recall: Recall, prompts: Sequence[Prompt]) -> list[list[Tensor]]:
    """The states [tokens, width] that predict each end of each prompt, under a recall.

    Recalled keys and values stand first, then recalled texts, a line each, then the prompt; prompts below the same
    texts read them once.
    """
    out: dict[int, list[Tensor]] = {}
    for places, part in in_parts(recall, len(prompts)):
        out |= zip(places, _follow(llm, part, [prompts[i] for i in places]), strict=True)
    return [out[i] for i in range(len(prompts))]


def _follow(llm: LLM, recall: Recall, prompts: Sequence[Prompt]) -> list[list[Tensor]]:
    """The same under a recall with at most one adapter and one prefix."""
    given = [tuple(texts) for texts in recall.contexts] if recall.contexts else [()] * len(prompts)
    apart = read_without_adapter(recall)
    lent = {texts: _opened(llm, recall, texts)[0].layers() for texts in dict.fromkeys(given) if texts and apart}
    out: dict[int, list[Tensor]] = {}
    with llm.wearing(recall.adapter):
        for texts in dict.fromkeys(given):
            if texts in lent:
                tree = llm.tree(recall)
                root = tree.insert(None, lent[texts])
            else:
                tree, root = _opened(llm, recall, texts)
            mark = tree.mark()
            group = [i for i, those in enumerate(given) if those == texts]
            sizes = [len(prompts[i].ids) + sum(map(len, prompts[i].ends)) for i in group]
            for span in chunks(sizes, llm.budgets.pass_tokens):
                chosen = [group[k] for k in span]
                out |= dict(zip(chosen, _below(tree, root, [prompts[i] for i in chosen]), strict=True))
                tree.rewind(mark)
            llm.meter.add(read=tree.tokens_read)
    return [out[i] for i in range(len(prompts))]


def _opened(llm: LLM, recall: Recall, texts: Sequence[str]) -> tuple[Tree, Node]:
    """A tree whose root is all that stands before a prompt: recalled keys and values, then these texts."""
    # A newline where nothing stands before: no tree without a root, and the first token always sees one.
    lines = [token for text in texts for token in llm.ids(f"{text}\n")]
    tree = llm.tree(recall)
    if recall.prefix or recall.lookup:
        root = tree.plant(tree.grow([(None, llm.bos or llm.ids("\n"))])[0][0])
        return tree, tree.grow([(root, lines)])[0][0] if lines else root
    return tree, tree.grow([(None, [*llm.bos, *lines] or llm.ids("\n"))])[0][0]


def _below(tree: Tree, root: Node, prompts: Sequence[Prompt]) -> list[list[Tensor]]:
    runs: list[tuple[Node | int | None, Sequence[int]]] = [(root, p.ids) for p in prompts]
    longer = [(k, end) for k, p in enumerate(prompts) for end in p.ends if len(end) > 1]
    _, hidden = tree.grow([*runs, *((k, end[:-1]) for k, end in longer)])
    rest = iter(hidden[len(prompts) :])
    return [
        [torch.cat([last[-1:], next(rest)]) if len(end) > 1 else last[-1:] for end in p.ends]
        for p, last in zip(prompts, hidden, strict=False)
    ]


def _text_prompt(llm: LLM, text: str) -> Prompt:
    ids = tuple(llm.ids(text)[: PROMPT_TOKENS + SCORED_TOKENS])
    return Prompt(llm.decode(ids[:PROMPT_TOKENS]), ids[:PROMPT_TOKENS], (ids[PROMPT_TOKENS:],))


def _item_prompt(llm: LLM, item: Item) -> Prompt:
    ends = tuple(tuple(llm.ids(f" {choice}")) for choice in item.choices)
    return Prompt(item.prompt, tuple(llm.ids(item.prompt)), ends, item.gold)


def _is_right(llm: LLM, prompt: Prompt, states: Sequence[Tensor]) -> bool:
    """Of several ends, the right one has the highest likelihood a token; a single one is what greedy decoding gives."""
    logps = [llm.logits(h).log_softmax(-1) for h in states]
    if len(logps) == 1:
        return bool((logps[0].argmax(-1).cpu() == torch.tensor(prompt.ends[0])).all())
    scores = [logp[range(len(end)), end].mean().item() for logp, end in zip(logps, prompt.ends, strict=True)]
    return scores.index(max(scores)) == prompt.gold


def _compare(llm: LLM, prompt: Prompt, before: Tensor, after: Tensor) -> list[float]:
    (tokens,) = prompt.ends
    dtype = llm.model.get_output_embeddings().weight.dtype
    base, ours = (llm.logits(h.to(dtype)).log_softmax(-1) for h in (before, after))
    nll = [-logp[range(len(tokens)), tokens].mean().item() for logp in (base, ours)]
    kl = torch.nn.functional.kl_div(ours, base, log_target=True, reduction="sum").item() / len(tokens)
    return [len(tokens), *(round(value, DIGITS) for value in (*nll, kl))]
