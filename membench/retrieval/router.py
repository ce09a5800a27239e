"""Which of several memories a question is for: BM25 over a text that stands for each."""

from __future__ import annotations

from collections.abc import Sequence

from membench.retrieval.bm25_index import best, postings
from membench.text.words import words

K1, B = 1.5, 0.75  # the defaults of `bm25`, so that a router finds what it finds

Routes = tuple[tuple[int, float], ...]


def routes(keys: Sequence[str], questions: Sequence[str], k: int) -> list[Routes]:
    """For each question the places of the k best keys, the best first, each with its score (0 or more).

    Of equal keys, as for a question that shares no word with any, the one that stands first comes first.
    """
    index = postings(tuple(keys), K1, B)
    found = []
    for question in questions:
        scores = index.get_scores(words(question))
        found.append(tuple((place, float(scores[place])) for place in best(scores, k)))
    return found
