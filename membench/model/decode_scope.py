"""Reading recalled texts without the adapter, for an adapter that works on question and answer alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from membench.errors import MembenchError
from membench.model.language_model import LanguageModel
from membench.model.recall_groups import in_parts, selected
from membench.reading.lent_texts import Layers, LentTexts, Path
from membench.reading.prefix_cache import PrefixCache
from membench.reading.token_tree import Tree, chunks
from membench.values import Recall

TEXT_TOKENS = 8192  # of texts whose keys and values are held at once


def read_without_adapter(recall: Recall) -> bool:
    """Whether texts are to be read without the adapter: where there are both."""
    return recall.adapter_scope == "decode" and recall.adapter is not None and any(recall.contexts or ())


def in_turn(model: LanguageModel, recall: Recall, questions: Sequence[str]) -> Iterator[tuple[Sequence[int], Recall]]:
    """Parts of a recall that are read one after another, with the places of their questions.

    A part wears one adapter; of texts that are read without it, it has no more than can be held. Raises MembenchError
    where texts cannot be lent to the reader with the adapter.
    """
    for places, part in in_parts(recall, len(questions)):
        if not read_without_adapter(part):
            yield places, part
            continue
        if model.slow:
            raise MembenchError(f"{model.name} is read by its own forward pass, which adapter_scope=decode cannot part")
        if part.lookup:
            raise MembenchError("adapter_scope=decode has no place beside a memory that is looked up: take all")
        for chosen in _together(model, part.contexts or ()):
            yield [places[k] for k in chosen], selected(part, chosen)


def _together(model: LanguageModel, contexts: Sequence[tuple[str, ...]]) -> Iterator[list[int]]:
    """Places of questions whose texts are held together, those with the same texts side by side."""
    order = sorted(range(len(contexts)), key=lambda i: contexts[i])
    sizes: list[int] = []
    for before, i in zip([None, *order], order, strict=False):
        same = before is not None and contexts[before] == contexts[i]
        sizes.append(0 if same else sum(len(model.ids(text)) for text in contexts[i]))
    for span in chunks(sizes, TEXT_TOKENS // model.renderer.times):
        yield [order[k] for k in span]


def lent_tree(
    model: LanguageModel, tree: Tree, first_segment: PrefixCache, recall: Recall, questions: Sequence[str]
) -> Tree:
    """An empty tree that has the texts of these questions as the model reads them that is worn now: the base."""
    first, known = None, dict[Path, Layers]()
    for path in model.paths(recall.contexts or (), questions):
        texts = tuple(path[1:-1])
        if first is None:
            first = tree.plant(first_segment.root(tree, path[0]))
        if not texts or texts in known:
            continue
        mark = tree.mark()
        tree.grow([(k - 1 if k else first, tokens) for k, tokens in enumerate(texts)])
        read = tree.layers(mark[2])
        start = 0
        for k, tokens in enumerate(texts):
            end = start + len(tokens)
            known[texts[: k + 1]] = [
                (keys[:, start:end].clone(), values[:, start:end].clone()) for keys, values in read
            ]
            start = end
        tree.rewind(mark)
    model.meter.add(read=tree.tokens_read)
    return LentTexts(model.model, known, recall.prefix)
