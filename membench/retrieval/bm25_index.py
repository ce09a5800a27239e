"""BM25Plus of rank-bm25 over posting lists: the same scores, found without a look at every document's words."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from membench.text.words import words

BLOCK = 2_000  # documents that are counted together

Counts = NDArray[np.int32]


class Postings(BM25Plus):  # type: ignore[misc]
    """rank-bm25's formula, IDF and parameters; bit for bit its scores.

    The library keeps a dictionary a document and asks all of them for every word of a query. Here each word knows its
    documents; any other gets the constant that the formula gives a document without the word.
    """

    def _initialize(self, corpus: Iterable[Sequence[str]]) -> dict[str, int]:
        """Documents with each word."""
        codes: defaultdict[str, int] = defaultdict(itertools.count().__next__)
        lengths: list[int] = []
        parts: list[tuple[Counts, Counts, Counts]] = []
        stream = iter(corpus)
        while block := list(itertools.islice(stream, BLOCK)):
            parts.append(_counted(block, codes, len(lengths)))
            lengths += map(len, block)
        found = sum((np.bincount(part[0], minlength=len(codes)) for part in parts), np.zeros(len(codes), np.int64))
        ends = np.cumsum(found)
        self._documents, self._counts = _by_word(parts, ends - found)
        self._spans = dict(zip(codes, zip(ends - found, ends, strict=True), strict=True))
        self.corpus_size = len(lengths)
        self.doc_len = np.array(lengths)
        self.avgdl = self.doc_len.sum() / self.corpus_size or 1.0
        self._norms = self.k1 * (1 - self.b + self.b * self.doc_len / self.avgdl)
        return dict(zip(codes, found.tolist(), strict=True))

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """The score of every document [documents]."""
        total = np.zeros(self.corpus_size)
        for word in query:
            if word not in self._spans:
                continue
            documents, counts = (part[slice(*self._spans[word])] for part in (self._documents, self._counts))
            share = self.idf[word] * (self.delta + (counts * (self.k1 + 1)) / (self._norms[documents] + counts))
            with_word = total[documents] + share
            total += self.idf[word] * self.delta
            total[documents] = with_word
        return total

    def ranked(self, query: Sequence[str], k: int) -> list[int]:
        """The k best documents among those that share a word with the query, the first of equal ones first."""
        spans = [slice(*self._spans[word]) for word in set(query) & self._spans.keys()]
        sharing = np.unique(np.concatenate([self._documents[span] for span in spans])) if spans else np.zeros(0, int)
        return [int(sharing[i]) for i in best(self.get_scores(query)[sharing], k)]


def best(scores: NDArray[np.float64], k: int) -> list[int]:
    """The places of the k highest scores, the highest first, the first of equal ones first."""
    least = np.partition(scores, -k)[-k] if k < len(scores) else -np.inf
    candidates = np.flatnonzero(scores >= least)
    return [int(i) for i in candidates[np.argsort(-scores[candidates], kind="stable")[:k]]]


def _counted(block: Sequence[Sequence[str]], codes: Mapping[str, int], first: int) -> tuple[Counts, Counts, Counts]:
    """The words of these documents by number, ascending; the documents, numbered from `first` on; and how often."""
    words_of = np.array([codes[word] for tokens in block for word in tokens], np.int64)
    documents = np.repeat(np.arange(first, first + len(block)), [len(tokens) for tokens in block])
    pairs, counts = np.unique(words_of << 32 | documents, return_counts=True)
    return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32), counts.astype(np.int32)


def _by_word(parts: Sequence[tuple[Counts, Counts, Counts]], starts: NDArray[np.int64]) -> tuple[Counts, Counts]:
    """Documents and counts of all blocks, those of a word together; `starts` is where each word's begin."""
    documents, counts = (np.empty(sum(len(part[0]) for part in parts), np.int32) for _ in range(2))
    free = starts.copy()
    for words_of, those, often in parts:
        place = free[words_of] + np.arange(len(words_of)) - np.searchsorted(words_of, words_of)
        documents[place], counts[place] = those, often
        free += np.bincount(words_of, minlength=len(free))
    return documents, counts


@lru_cache(maxsize=2)
def postings(texts: tuple[str, ...], k1: float, b: float) -> Postings:
    """The index of these texts; the last two are kept, as one memory is asked many times."""
    return Postings((words(text) for text in texts), k1=k1, b=b)
