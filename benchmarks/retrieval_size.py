"""What retrieval costs as the memory grows: seconds to write and to index, latency of a question, memory at the peak.

    OMP_NUM_THREADS=1 python benchmarks/retrieval_size.py PASSAGES [--sizes 1000,6000] [--methods bm25,dpr,raptor]
    OMP_NUM_THREADS=1 python benchmarks/retrieval_size.py --generated 100000,1000000

PASSAGES is a text file with a passage on each line. Generated are passages of words with Zipf's frequencies for bm25,
and random unit vectors in place of embeddings for the dense index: to embed a million passages takes hours. Each line
of the table is measured in a process of its own; questions are asked one at a time. Seconds are those that the
processor spent: with one thread, what a question takes where nothing else runs.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click
import numpy as np

from membench.model.meter import peak_bytes
from membench.plugins import registry

QUESTIONS = 50
WORDS = 60  # of a generated passage
BLOCK = 10_000
VOCABULARY = 50_000
WIDTH = 384  # of a generated vector, as all-minilm-l6-v2 has it
HEAD = ("memory", "passages", "write s", "first question s", "median ms", "p95 ms", "state MB", "peak MB")


def generated(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    out: list[str] = []
    while len(out) < count:  # in blocks, so that making them has no part in the peak
        block = np.minimum(rng.zipf(1.3, size=(min(BLOCK, count - len(out)), WORDS)), VOCABULARY)
        out += (" ".join(f"w{word}" for word in row) for row in block.tolist())
    return out


def asked(passages: Sequence[str]) -> list[str]:
    """Eight words of a random passage each."""
    rng = random.Random(0)
    return [" ".join(rng.sample((words := p.split()), min(8, len(words)))) for p in rng.choices(passages, k=QUESTIONS)]


def latencies(ask: Callable[[Any], Any], questions: Sequence[Any]) -> list[float]:
    out = []
    for question in questions:
        started = time.process_time()
        ask(question)
        out.append(time.process_time() - started)
    return out


def texts(name: str, passages: Sequence[str]) -> tuple[float, list[float], int]:
    """Seconds of the write, of each question, and bytes of the memory."""
    from membench.io import memory_codec as memories

    method = registry.load("methods", name)()
    if name != "bm25":
        from membench.io import weights
        from membench.model.llm import LLM
        from membench.retrieval import encoders

        model = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m")
        method = registry.load("methods", name)(llm=model)
        encoders.load(method.encoder, "cpu")
    started = time.process_time()
    memory = method.write(None, passages)
    seconds = time.process_time() - started
    return seconds, latencies(lambda q: method.recall(memory, [q]), asked(passages)), memories.nbytes(memory)


def vectors(count: int) -> tuple[float, list[float], int]:
    """The same of an index of random unit vectors; there is nothing to write."""
    from membench.retrieval.dense import nearest

    rng = np.random.default_rng(0)
    rows, questions = (rng.standard_normal((n, WIDTH), dtype=np.float32) for n in (count, QUESTIONS))
    for matrix in (rows, questions):
        for start in range(0, len(matrix), BLOCK):
            block = matrix[start : start + BLOCK]
            block /= np.linalg.norm(block, axis=1, keepdims=True)
    return 0.0, latencies(lambda q: nearest(rows, q[None], 1), list(questions)), rows.nbytes


def measure(name: str, count: int, file: str) -> list[Any]:
    if name == "vectors":
        write, seconds, state = vectors(count)
    else:
        lines = Path(file).read_text(encoding="utf-8").splitlines() if file else generated(count)
        write, seconds, state = texts(name, [line for line in lines if line.strip()][:count])
    first, *rest = seconds
    cut = quantiles(rest, n=20)[-1]
    ms = [round(1000 * value, 2) for value in (median(rest), cut)]
    return [name, count, round(write, 2), round(first, 2), *ms, round(state / 1e6, 1), round(peak_bytes() / 1e6)]


@click.command()
@click.argument("passages", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--sizes", default="1000", help="Passages of the file, with commas between.")
@click.option("--methods", default="bm25,dpr,raptor", help="With a file.")
@click.option("--generated", "made", default="", help="Generated passages and vectors, e.g. 100000,1000000.")
@click.option("--one", nargs=2, hidden=True)
def main(passages: str | None, sizes: str, methods: str, made: str, one: tuple[str, str] | None) -> None:
    """Measure and print a table."""
    if one:
        click.echo(json.dumps(measure(one[0], int(one[1]), passages or "")))
        return
    due = [(name, size, [passages]) for name in methods.split(",") for size in sizes.split(",") if passages]
    due += [(name, size, []) for name in ("bm25", "vectors") for size in made.split(",") if size]
    click.echo(f"| {' | '.join(HEAD)} |\n|{'--:|' * len(HEAD)}")
    for name, size, file in due:
        command = [sys.executable, __file__, *file, "--one", name, size]
        row = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        click.echo(f"| {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main()
