"""How well and how fast the retrieval methods find the passage that a question is about: recall, ranks, time, bytes.

    OMP_NUM_THREADS=1 python benchmarks/retrieval_ladder.py --data squad:FILE --fill PASSAGES [--kept FOLDER]

The store has every context of the data and, up to its size, passages of a JSON list of {"title", "text"} that no
question is about. Questions are drawn at random, the same for all methods, and asked one at a time; the first also
derives the index, where there is one, and is not timed. Seconds are those that the processor spent in one thread. With
--kept the vectors are written in blocks and kept, so that a run that was stopped goes on.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import click

from membench.api import Method
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.retrieval import Retrieval
from membench.values import Dataset

DEPTH = 10  # ranks that are looked at
BLOCK = 200  # passages of a write that is kept
HEAD = ("retriever", "questions", "recall@1", "recall@5", "MRR@10", "ms a question", "write s", "state MB")


def store(data: Dataset, fill: Path | None, size: int) -> list[str]:
    """The passages: the data's contexts, then others, as many as there is room for."""
    own = list(dict.fromkeys(context.text for context in data.contexts))
    others = json.loads(fill.read_text(encoding="utf-8")) if fill else []
    known = set(own)
    rest = (f"{one['title']}\n{one['text']}" for one in others)
    return (own + [text for text in dict.fromkeys(rest) if text not in known])[:size]


def written(method: Method[Any], passages: Sequence[str], kept: Path | None) -> tuple[Any, float]:
    """The memory of these passages and the seconds that its writes took, those of a run before included."""
    memory, done, seconds = None, 0, 0.0
    block = BLOCK if kept else len(passages)
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


def row(name: str, method: Retrieval[Any], memory: Any, asked: Sequence[tuple[str, str]]) -> list[str]:
    """Recall, ranks, time and bytes of one retriever; `asked` are questions and the texts that they are about.

    A part of the text is found, too: `raptor` cuts texts, and ranks summaries among the parts.
    """
    texts = method.texts(memory)
    ranks, spent = [], []
    for question, gold in asked:
        started = time.process_time()
        (found,) = method.search(memory, [question])
        spent.append(time.process_time() - started)
        ranks.append(next((rank for rank, place in enumerate(found[:DEPTH], 1) if texts[place] in gold), None))
    hits = [mean(rank is not None and rank <= k for rank in ranks) for k in (1, 5)]
    mrr = mean(1 / rank if rank else 0.0 for rank in ranks)
    ms = 1000 * median(spent[1:] or spent)
    size = memories.nbytes(memory) / 1e6
    return [name, str(len(asked)), *(f"{value:.3f}" for value in (*hits, mrr)), f"{ms:.1f}", "", f"{size:.1f}"]


@click.command()
@click.option("--data", required=True, help="Contexts with questions, as membench run takes it.")
@click.option("--fill", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Other passages (JSON).")
@click.option("--size", default=6119, help="Passages of the store.")
@click.option("--questions", default=500, help="Questions that are asked.")
@click.option("--few", default=50, help="Of these, questions that `rerank` is asked.")
@click.option("--methods", default="bm25,dpr,hybrid,rerank")
@click.option("--kept", type=click.Path(file_okay=False, path_type=Path), help="Where vectors are kept.")
def main(data: str, fill: Path | None, size: int, questions: int, few: int, methods: str, kept: Path | None) -> None:
    """Measure and print a table."""
    source, _, argument = data.partition(":")
    loaded = registry.load("data", source)().load(argument, 10**9, 0)
    passages = store(loaded, fill, size)
    held = set(passages)
    every = [(q.text, c.text) for c in loaded.contexts for q in c.questions if c.text in held]
    asked = random.Random(0).sample(every, min(questions, len(every)))
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", style=weights.style("smollm2-135m"))
    click.echo(f"{len(passages)} passages, {len(held & {c.text for c in loaded.contexts})} of them with questions\n")
    click.echo(f"| {' | '.join(HEAD)} |\n|{'--:|' * len(HEAD)}")
    for name in methods.split(","):
        method = registry.load("methods", name)(llm=llm, k=DEPTH)
        if not isinstance(method, Retrieval):
            raise MembenchError(f"{name} searches no texts")
        dense = name in ("dpr", "hybrid")
        memory, seconds = written(method, passages, kept if dense else None)
        line = row(name, method, memory, asked[:few] if name == "rerank" else asked)
        click.echo(f"| {' | '.join([*line[:6], f'{seconds:.1f}', line[7]])} |")


if __name__ == "__main__":
    main()
