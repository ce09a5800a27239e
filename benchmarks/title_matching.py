"""How long it takes to read and match the lists of a whole evaluation: prints seconds of one core (CPU time).

python benchmarks/title_matching.py [FOLDER]

FOLDER has test.jsonl, entity2id.json and item_ids.json (docs/data.md); without one, 3,552 turns and 6,281 invented
items take their place. Each turn is answered with 20 titles: as they stand in the catalogue, with one to three letters
changed, or not of it at all, a third each.
"""

from __future__ import annotations

import random
import string
import sys
import time

from membench.data._conversations import load_published
from membench.metrics.title_lists import read_titles
from membench.metrics.titles import Titles

TURNS, ITEMS, K = 3552, 6281, 20


def invented(rng: random.Random) -> str:
    return " ".join(
        "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))).title() for _ in range(rng.randint(1, 6))
    )


def changed(title: str, rng: random.Random) -> str:
    letters = list(title)
    for _ in range(rng.randint(1, 3)):
        letters[rng.randrange(len(letters))] = rng.choice(string.ascii_lowercase)
    return "".join(letters)


def written(items: tuple[str, ...], rng: random.Random) -> str:
    title = rng.choice(items)
    return rng.choice((title, changed(title, rng), invented(rng)))


def main(folder: str | None) -> None:
    rng = random.Random(0)
    start = time.process_time()
    if folder:
        data = load_published("redial", folder, 1, 0)
        items, turns = data.items, all_turns(folder)
        print(f"{time.process_time() - start:.1f} s  read {folder}")
    else:
        items, turns = tuple(invented(rng) for _ in range(ITEMS)), TURNS
    answers = ["\n".join(f"{n}. {written(items, rng)}" for n in range(1, K + 1)) for _ in range(turns)]
    start = time.process_time()
    catalogue = Titles(items)
    lists = [read_titles(answer, catalogue.holds) for answer in answers]
    read = time.process_time()
    exact = 0
    for titles in lists:  # an answer at a time, as the task does it
        exact += sum(distance == 0 for _, distance in catalogue.nearest(titles))
    matched = time.process_time()
    titles = sum(map(len, lists))
    print(f"{read - start:.1f} s  read {titles} titles from {turns} answers")
    print(f"{matched - read:.1f} s  matched them with {len(items)} items, {exact} exactly")


def all_turns(folder: str) -> int:
    with open(f"{folder}/test.jsonl", encoding="utf-8") as lines:
        return sum(1 for _ in lines)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
