"""Which item of a catalogue a written title means: the same words, else the nearest by edit distance."""

from __future__ import annotations

import re
from collections.abc import Sequence

from membench.text.fold import fold

CLOSE = 3  # edits up to which only items of about the same length are looked at: most titles that are not exact
CHUNK = 4096  # titles matched in one go; bounds the distance matrix to some 50 MB for 6,000 items

_PARENTHESES = re.compile(r"\([^()]*\)")


def bare(title: str) -> str:
    """A title without what stands in parentheses, `_` and `-` as spaces: the name that published results compare."""
    return " ".join(_PARENTHESES.sub(" ", title).replace("_", " ").replace("-", " ").split())


class Titles:
    """A catalogue that finds titles; built once for some items."""

    def __init__(self, items: Sequence[str]):
        self._names = [_key(item) for item in items]
        self._exact = {name: number for number, name in reversed(list(enumerate(self._names)))}
        self._by_length: dict[int, tuple[list[int], list[str]]] = {}
        self._spelt = {_key(_plain(item)) for item in items}

    def holds(self, title: str) -> bool:
        """Whether a text is the name of an item as it stands, whatever its dashes."""
        return _key(_plain(title)) in self._spelt

    def nearest(self, titles: Sequence[str]) -> list[tuple[int, int]]:
        """(number of the item, edit distance) for each title.

        Compared in lower case. An exact match first; else the smallest Levenshtein distance, and of equally near items
        the first of the catalogue, as in the published evaluation (He et al., CIKM 2023).
        """
        keys = [_key(title) for title in titles]
        near = self._search([key for key in dict.fromkeys(keys) if key not in self._exact])
        return [near[key] if key in near else (self._exact[key], 0) for key in keys]

    def _search(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        close = {key: found for key in keys if (found := self._close(key))}
        return close | self._far([key for key in keys if key not in close])

    def _close(self, key: str) -> tuple[int, int] | None:
        """The nearest item if it is at most CLOSE edits away: its length then differs by no more than that."""
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import extractOne

        if len(key) not in self._by_length:
            numbers = [i for i, name in enumerate(self._names) if abs(len(name) - len(key)) <= CLOSE]
            self._by_length[len(key)] = numbers, [self._names[i] for i in numbers]
        numbers, names = self._by_length[len(key)]
        found = extractOne(key, names, scorer=Levenshtein.distance, score_cutoff=CLOSE)  # the first of equals
        return (numbers[found[2]], int(found[1])) if found else None

    def _far(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        import numpy as np
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cdist

        out: dict[str, tuple[int, int]] = {}
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            distances = cdist(part, self._names, scorer=Levenshtein.distance, dtype=np.uint16)
            best = distances.argmin(axis=1)  # of equal ones the first
            out |= {key: (int(i), int(row[i])) for key, i, row in zip(part, best, distances, strict=True)}
        return out


def _plain(title: str) -> str:
    return title.replace("–", "-").replace("—", "-")


def _key(title: str) -> str:
    return fold(bare(title))
