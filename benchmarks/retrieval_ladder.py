"""How well and how fast the retrieval methods find the passage that a question is about: ranks, time, bytes.

    OMP_NUM_THREADS=1 python benchmarks/retrieval_ladder.py --data squad:FILE --fill PASSAGES [--kept FOLDER]

The store has every context of the data and, up to its size, passages of a JSON list of {"title", "text"} that no
question is about. Each question is about another passage; which ones, and in which order, is drawn at random, the same
for all methods. They are asked one at a time, behind one that is not timed, as it also derives the index where there is
one. Seconds are those that the processor spent in one thread. Blocks of questions are added to benchmarks/ladder.jsonl,
from which `make tables` writes the table of docs/retrieval.md; those that are there are not asked again. With --kept
vectors are written in blocks, too, and kept, so that a run that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from ladder_rows import DEPTH, ROWS, stored

from membench.api import Method
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.retrieval import Retrieval
from membench.values import Dataset

WRITTEN = 200  # passages of a write that is kept
ASKED = 20  # questions of a row
Question = tuple[str, str]  # and the text that it is about


def store(data: Dataset, fill: Path | None, size: int) -> list[str]:
    """The passages: the data's contexts, then others, as many as there is room for."""
    own = list(dict.fromkeys(context.text for context in data.contexts))
    others = json.loads(fill.read_text(encoding="utf-8")) if fill else []
    known = set(own)
    rest = (f"{one['title']}\n{one['text']}" for one in others)
    return (own + [text for text in dict.fromkeys(rest) if text not in known])[:size]


def drawn(data: Dataset, passages: Sequence[str]) -> list[Question]:
    """A question about each of these passages that has any, in random order."""
    draw, held = random.Random(0), set(passages)
    found = [(draw.choice(c.questions).text, c.text) for c in data.contexts if c.questions and c.text in held]
    return draw.sample(found, len(found))


def written(method: Method[Any], passages: Sequence[str], kept: Path | None) -> tuple[Any, float]:
    """The memory of these passages and the seconds that its writes took, those of a run before included."""
    memory, done, seconds = None, 0, 0.0
    block = WRITTEN if kept else len(passages)
    state = kept and kept / "seconds.json"
    if kept and state and state.exists():
        memory = memories.load(kept, [type(method)])
        done, seconds = json.loads(state.read_text())
    while done < len(passages):
        started = time.process_time()
        memory = method.write(memory, passages[done : done + block])
        seconds, done = seconds + time.process_time() - started, min(done + block, len(passages))
        if kept and state:
            memories.save(memory, kept)
            state.write_text(json.dumps([done, seconds]))
            click.echo(f"{done} of {len(passages)} passages written", err=True)
    return memory, seconds


def ranked(method: Retrieval[Any], memory: Any, asked: Sequence[Question]) -> tuple[list[int | None], list[float]]:
    """Where each question's passage stands among the first, from 1, and the milliseconds that each took.

    A part of the text is found, too: `raptor` cuts texts, and ranks summaries among the parts.
    """
    texts, ranks, spent = method.texts(memory), [], []
    for question, gold in asked:
        started = time.process_time()
        (found,) = method.search(memory, [question])
        spent.append(round(1000 * (time.process_time() - started), 2))
        ranks.append(next((rank for rank, place in enumerate(found[:DEPTH], 1) if texts[place] in gold), None))
    return ranks, spent


@click.command()
@click.option("--data", required=True, help="Contexts with questions, as membench run takes it.")
@click.option("--fill", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Other passages (JSON).")
@click.option("--size", default=6119, help="Passages of the store.")
@click.option("--questions", default=10**9, help="Questions that are asked, at most.")
@click.option("--few", default=100, help="Of these, questions that `rerank` is asked.")
@click.option("--methods", default="bm25,dpr,hybrid,raptor,rerank")
@click.option("--kept", type=click.Path(file_okay=False, path_type=Path), help="Where vectors are kept.")
def main(data: str, fill: Path | None, size: int, questions: int, few: int, methods: str, kept: Path | None) -> None:
    """Measure what is not stored, and store it."""
    source, _, argument = data.partition(":")
    loaded = registry.load("data", source)().load(argument, 10**9, 0)
    passages = store(loaded, fill, size)
    asked = drawn(loaded, passages)[:questions]
    of = hashlib.sha256(json.dumps([passages, drawn(loaded, passages)]).encode()).hexdigest()[:12]
    if any(row["of"] != of for row in stored()):
        raise MembenchError(f"{ROWS} is about other passages or questions: move it away")
    click.echo(f"{len(passages)} passages, {len(asked)} questions", err=True)
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", style=weights.style("smollm2-135m"))
    for name in methods.split(","):
        method = registry.load("methods", name)(llm=llm, k=DEPTH)
        if not isinstance(method, Retrieval):
            raise MembenchError(f"{name} searches no texts")
        there = {row["first"]: len(row["ranks"]) for row in stored() if row["retriever"] == name}
        count = min(few, len(asked)) if name == "rerank" else len(asked)
        left = [first for first in range(0, count, ASKED) if there.get(first, 0) < min(ASKED, count - first)]
        if not left:
            continue
        memory, seconds = written(method, passages, kept if name in ("dpr", "hybrid") else None)
        method.search(memory, [asked[0][0]])
        for first in left:
            ranks, spent = ranked(method, memory, asked[first : min(first + ASKED, count)])
            cost = {"write_s": round(seconds, 1), "bytes": memories.nbytes(memory)}
            row = {"retriever": name, "of": of, "first": first, "ranks": ranks, "ms": spent, **cost}
            with ROWS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            click.echo(f"{name}: {first + len(ranks)} of {count} questions", err=True)


if __name__ == "__main__":
    main()
