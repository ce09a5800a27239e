"""Test questions and target pairs about passages, kept apart; what is written to a file for `--data jsonl:FILE`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from membench.documents.cloze import cloze
from membench.documents.passages import Passage
from membench.targets.overlap import audit
from membench.targets.pairs import distinct, holds, words
from membench.values import Pair, Question

Writer = Callable[[str, int], Sequence[Pair]]  # a passage and how many pairs are wanted of it
COUNT = 4  # test questions about a passage, at most


@dataclass(frozen=True)
class Draft:
    """What was written about one passage; the two lists share no question."""

    passage: Passage
    test: tuple[Pair, ...]
    targets: tuple[Pair, ...]


def by_template(passage: Passage) -> Draft:
    """Sentences with a gap; every second fact that is asked about is also a target pair, in another wording."""
    made = [found for found in (cloze(passage.title, sentence) for sentence in passage.sentences) if found][:COUNT]
    return Draft(passage, tuple(asked for asked, _ in made), tuple(target for _, target in made[::2]))


def by_writer(passage: Passage, write: Writer) -> Draft:
    """Pairs of a target writer. Of two with one answer the first is a test question, the others are target pairs.

    Answers that come once are test questions and target pairs by turns. A pair whose answer does not stand in the
    passage, or stands in its own question, is left out, as is a target pair that gives a test question away by the leak
    gate (membench.targets.overlap).
    """
    usable = [p for p in distinct(write(passage.text, 2 * COUNT)) if _usable(p, passage.text)]
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in usable:
        groups.setdefault(tuple(words(pair.answer)), []).append(pair)
    test: list[Pair] = []
    targets: list[Pair] = []
    for group in groups.values():
        alone = len(group) == 1
        (targets if alone and len(targets) < len(test) else test).append(group[0])
        targets += group[1:]
    test = test[:COUNT]
    return Draft(passage, tuple(test), tuple(t for t in targets if not _gives_away(t, test, passage)))


def _usable(pair: Pair, text: str) -> bool:
    return holds(text, pair.answer) and not holds(pair.question, pair.answer)


def _gives_away(target: Pair, test: Iterable[Pair], passage: Passage) -> bool:
    asked = [Question(str(k), pair.question, (pair.answer,), passage.id) for k, pair in enumerate(test)]
    return bool(audit({passage.text: [target]}, asked)["leaked"])
