"""BM25Plus of rank-bm25 over posting lists: the same scores, found without a look at every document's words."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Plus


def words(text: str) -> list[str]:
    """Lower-case words, punctuation dropped."""
    return re.findall(r"\w+", text.lower())


class Postings(BM25Plus):  # type: ignore[misc]
    """rank-bm25's formula, IDF and parameters; bit for bit its scores.

    The library keeps a dictionary a document and asks all of them for every word of a query. Here each word knows its
    documents; any other gets the constant that the formula gives a document without the word.
    """

    def _initialize(self, corpus: Iterable[Sequence[str]]) -> dict[str, int]:
        """Documents with each word."""
        codes: dict[str, int] = {}
        places, documents, counts, lengths = array("i"), array("i"), array("i"), array("i")
        for document, tokens in enumerate(corpus):
            lengths.append(len(tokens))
            for word, count in Counter(tokens).items():
                places.append(codes.setdefault(word, len(codes)))
                documents.append(document)
                counts.append(count)
        words_of = np.array(places, np.int32)
        order = np.argsort(words_of, kind="stable")
        self._documents = np.array(documents, np.int32)[order]
        self._counts = np.array(counts, np.int32)[order]
        found = np.bincount(words_of, minlength=len(codes))
        ends = np.cumsum(found)
        self._spans = dict(zip(codes, zip(ends - found, ends, strict=True), strict=True))
        self.corpus_size = len(lengths)
        self.doc_len = np.array(lengths)
        self.avgdl = self.doc_len.sum() / self.corpus_size or 1.0
        return dict(zip(codes, found.tolist(), strict=True))

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """The score of every document [documents]."""
        total = np.zeros(self.corpus_size)
        for word in query:
            if word not in self._spans:
                continue
            start, end = self._spans[word]
            documents, count = self._documents[start:end], self._counts[start:end]
            norm = self.k1 * (1 - self.b + self.b * self.doc_len[documents] / self.avgdl) + count
            share = np.full(self.corpus_size, self.idf[word] * self.delta)
            share[documents] = self.idf[word] * (self.delta + (count * (self.k1 + 1)) / norm)
            total += share
        return total


@lru_cache(maxsize=2)
def postings(texts: tuple[str, ...], k1: float, b: float) -> Postings:
    """The index of these texts; the last two are kept, as one memory is asked many times."""
    return Postings((words(text) for text in texts), k1=k1, b=b)
