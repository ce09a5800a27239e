"""RAPTOR: a tree of recursive summaries over short passages, searched as a whole (Sarthi et al., ICLR 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from membench.api import AtLeast0, MemoryKind
from membench.io.extras import require
from membench.retrieval import encoders, summarisers
from membench.retrieval.clusters import Group, groups
from membench.retrieval.dense import Dense, nearest
from membench.retrieval.encoders import Vectors
from membench.retrieval.summary_tree import SummaryTree, descend, grow

CLUSTER_TOKENS = 3500  # of the texts that one summary sums up; at most half the reader's window
TRAVERSAL_WIDTH = 5  # nodes kept at each level where k is 0


@dataclass(frozen=True, eq=False)
class Summarised:
    """The contexts as written, and the tree over their passages."""

    contexts: tuple[str, ...]
    tree: SummaryTree


@dataclass(frozen=True)
class Raptor(Dense[Summarised]):
    """Every write clusters and sums up all leaves anew; the vectors of the leaves are kept."""

    storage: ClassVar[str] = "O(n) tree: text, vectors"
    kind: ClassVar[MemoryKind] = "growing"
    licence: ClassVar[str] = "all-minilm-l6-v2: Apache-2.0; the published DPR encoders: CC-BY-NC-4.0"

    k: AtLeast0 = 0  # nodes before a question, 0: as the budget holds; with traversal, nodes of each level
    chunk_tokens: AtLeast0 = 100
    budget: AtLeast0 = 2000
    retrieval: Literal["collapsed", "traversal"] = "collapsed"  # all nodes in one pool, or from the roots down
    summaries: str = "extractive"  # who sums up: extractive, self, openai[:MODEL]

    def __post_init__(self) -> None:
        super().__post_init__()
        summarisers.split(self.summaries)

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The encoder, and who sums up. Raises MembenchError if what clusters is not installed."""
        require("raptor", "method raptor")
        return super().sources(offline) | {"summaries": summarisers.provenance(self.summaries)}

    @property
    def label(self) -> str | None:
        """With its encoder."""
        return f"raptor ({encoders.label(self.encoder)})"

    @property
    def most(self) -> int | None:
        """With traversal, all nodes on the way."""
        return None if self.retrieval == "traversal" else super().most

    def write(self, memory: Summarised | None, contexts: Sequence[str]) -> Summarised | None:
        """The tree over all contexts, these included."""
        if not contexts:
            return memory
        fresh = self.encoded(self.passages(contexts))
        if memory is None:
            return self._grown(tuple(contexts), fresh)
        known = memory.tree.vectors[: memory.tree.leaves]
        return self._grown((*memory.contexts, *contexts), np.concatenate([known, fresh]))

    def texts(self, memory: Summarised) -> Sequence[str]:
        """Leaves, then summaries."""
        return (*self.passages(memory.contexts), *memory.tree.summaries)

    def search(self, memory: Summarised, questions: Sequence[str]) -> list[Sequence[int]]:
        """By inner product with the question: over all nodes, or from the roots down."""
        tree = memory.tree
        asked = self.encoded(questions, question=True)
        if self.retrieval == "traversal":
            return [descend(tree, (tree.vectors @ q).tolist(), self.k or TRAVERSAL_WIDTH) for q in asked]
        most = self.k or self.budget or len(tree.vectors)  # no node takes less than a token
        return list(nearest(tree.vectors, asked, most))

    def forget(self, memory: Summarised, contexts: Sequence[str]) -> Summarised | None:
        """The tree over what is left, as if the others had never been written."""
        gone = set(contexts)
        kept = tuple(text for text in memory.contexts if text not in gone)
        rows = [text not in gone for text in memory.contexts for _ in self.passages([text])]
        return self._grown(kept, memory.tree.vectors[: memory.tree.leaves][rows]) if kept else None

    def _grown(self, contexts: tuple[str, ...], vectors: Vectors) -> Summarised:
        leaves = self.passages(contexts)
        limit = min(CLUSTER_TOKENS, self.llm.window // 2)

        def cluster(texts: Sequence[str], points: Vectors) -> list[Group]:
            return groups(points, [len(self.llm.ids(text)) for text in texts], limit, self.seed)

        extractive = summarisers.Extractive(self.encoded, self.llm, dict(zip(leaves, vectors, strict=True)))
        summarise = summarisers.summariser(self.summaries, extractive, self.scribe, limit)
        return Summarised(contexts, grow(leaves, vectors, cluster, summarise, self.encoded))
