"""Write training dialogues jointly, then ask in other dialogues which films to recommend next."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from membench.api import Answer, Ask, AtLeast0, AtLeast1, Dataset, Episode, Metric, Question, Task, Write, lent
from membench.corpora.dialogues import Dialogues, fingerprint, mentioned
from membench.errors import MembenchError
from membench.metrics.recommendation import ranks, summarise_recommendations
from membench.metrics.title_lists import read_titles
from membench.metrics.titles import Titles

# Of four wordings tried, the one to which the default model most often answers with a list.
REQUEST = "Name the {k} films that the system should recommend next, separated by commas."
TOKENS_PER_TITLE = 16  # a title with number and year takes about 10; published: 512 for 20
SAMPLED = 20  # items that the gold one is compared with by likelihood


@dataclass(frozen=True)
class Recommendation(Task):
    """One episode: write all training dialogues, ask at turns of test dialogues for k films (He et al., CIKM 2023).

    Floor and reference play this script too: `in-context` has all written dialogues in the prompt.
    """

    k: AtLeast1 = 5  # films asked for; published: 20
    turns: AtLeast0 = 40  # test turns, drawn by their ids; 0 means all
    exclude_seen: bool = False  # leave out recommended films that were mentioned before
    max_distance: AtLeast0 | None = None  # leave out titles further than this from every item; published: none and 2
    data: Dialogues | None = lent()
    catalogue: Titles | None = lent()
    default_limit: ClassVar[int] = 20
    held_out: ClassVar[int] = 5
    gold_script: ClassVar[bool] = False

    def over(self, data: Dataset) -> Recommendation:
        """The task with this data's catalogue. Raises MembenchError if the data has none."""
        if not isinstance(data, Dialogues):
            raise MembenchError(
                f"recommendation wants dialogues, and {data.name} has none: --data movie-worlds, redial or inspired"
            )
        return replace(self, data=data, catalogue=Titles(data.items))

    @property
    def form(self) -> tuple[int, str]:
        """A list may take several lines; the next question of the plain prompt ends it."""
        return TOKENS_PER_TITLE * self.k, "\nQ:"

    def provenance(self) -> dict[str, Any]:
        """What was asked, of which catalogue, and how training and test dialogues were told apart."""
        data, (tokens, stop) = self._data, self.form
        asked = {"request": REQUEST, "max_new_tokens": tokens, "stop": stop}
        return {"data_hash": fingerprint(data), "split": data.split, "items": len(data.items), **asked}

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The one episode; the same turns for every seed. Those about held-out dialogues are its placebo."""
        unwritten = {context.id for context in data.held_out}
        turns = sorted((t for t in self._data.turns if t.context not in unwritten), key=lambda t: _draw(t.id))
        asked = turns[: self.turns or None] + [t for t in self._data.turns if t.context in unwritten]
        yield Episode("recommendation", (Write(data.contexts), Ask(tuple(map(self._question, asked)))))

    def score(self, question: Question, answer: str) -> dict[str, float]:
        """Ranks of the gold items in the answer's list and in those of the baselines (membench.metrics.recommendation).

        `valid`: the answer is a list of at least half as many titles as were asked for, repeated ones included.
        `titles`: how many different items it recommends after the filters, at most k.
        """
        assert self.catalogue is not None
        titles = read_titles(answer, self.catalogue.holds)
        golds = self._numbers(question.answers)
        seen = set(self._numbers(mentioned(question.tags))) if self.exclude_seen else set()
        picks = [number for number in self._picks(titles) if number not in seen][: self.k]
        scores = {"valid": float(2 * len(titles) >= self.k), "titles": float(len(picks))}
        scores["words"] = float(len(answer.split()))
        scores |= ranks(golds, picks, "rank") | {f"pick_{n}": float(number) for n, number in enumerate(picks, 1)}
        popular = [number for number in self._popular() if number not in seen][: self.k]
        others = [number for number in range(len(self._data.items)) if number not in seen]
        drawn = random.Random(f"random/{question.id}").sample(others, min(self.k, len(others)))
        return scores | ranks(golds, popular, "popularity") | ranks(golds, drawn, "random")

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Recall@k, NDCG@k, MRR with baselines, validity and variety of the lists, and the likelihood ranking."""
        return summarise_recommendations(answers, self.k)

    @property
    def _data(self) -> Dialogues:
        assert self.data is not None, "the task is played over data that it was fitted to"
        return self.data

    def _numbers(self, titles: Sequence[str]) -> list[int]:
        """Catalogue numbers of titles that are items."""
        assert self.catalogue is not None
        return [number for number, distance in self.catalogue.nearest(titles) if distance == 0]

    def _picks(self, titles: Sequence[str]) -> list[int]:
        """The items that titles mean, each once."""
        assert self.catalogue is not None
        most = self.max_distance
        near = [n for n, distance in self.catalogue.nearest(titles) if most is None or distance <= most]
        return list(dict.fromkeys(near))

    def _popular(self) -> list[int]:
        """The items of the written dialogues, the one most often recommended first; of equals the first recommended."""
        written = (title for c in self._data.contexts for title in self._data.recommended[c.id])
        return self._numbers([title for title, _ in Counter(written).most_common()])

    def _question(self, turn: Question) -> Question:
        """The turn with the request, and items sampled for the likelihood ranking: none of them gold or mentioned."""
        known = {*turn.answers, *mentioned(turn.tags)}
        rng = random.Random(f"sampled/{turn.id}")
        drawn = rng.sample(self._data.items, min(SAMPLED + len(known), len(self._data.items)))
        others = [title for title in drawn if title not in known]
        text = f"{turn.text}\n{REQUEST.format(k=self.k)}"
        return replace(turn, text=text, distractors=tuple(others[:SAMPLED]))


def _draw(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()
