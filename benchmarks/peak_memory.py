"""The largest resident memory of a write of many contexts and of a few questions, each method in a process of its own.

    python benchmarks/peak_memory.py [--contexts 1000] [--limit SECONDS] [METHOD...]

Contexts are those of `worlds:1`, settings the defaults, all contexts are written at once as `batch` does. A process
that reaches the limit is stopped, and the memory that it had until then counts; `*` marks it.

All that a trained method holds of the contexts (target sentences, what the teacher said, states of the lower layers) is
there before its first step: it is stopped after STEPS of them. And it is as much on a model of SHALLOW layers (the
others stay in memory unused), which reads in a fraction of the time. What the depth itself takes (adapters, optimiser,
gradients) is measured with FEW contexts at both depths; the column is the sum. Answers of the pairs are the writer's,
so that the model need not write a thousand of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import click
from torch import nn

from membench.api import settings_of
from membench.io import weights
from membench.model.llm import LLM
from membench.model.meter import Meter
from membench.plugins import registry
from membench.retrieval import encoders
from membench.targets.scribe import Scribe

METHODS = ("base", "in-context", "full-context", "bm25", "dpr", "raptor", "memoryllm", "ft-c", "ft-s", "selfparam")
SHALLOW, FEW, STEPS, QUESTIONS = 2, 2, 20, 4


class Enough(Exception):
    """Enough steps of training have been made."""


class Steps(Meter):
    """Counts steps of training, and stops them."""

    steps = 0

    def add(self, read: int = 0, generated: int = 0, trained: int = 0) -> None:
        """As a meter does."""
        super().add(read, generated, trained)
        self.steps += bool(trained)
        if self.steps == STEPS:
            raise Enough


def shallow(llm: LLM) -> list[nn.Module]:
    """Leave the model its first layers; returns all of them, so that they stay in memory."""
    decoder, config = llm.model.get_decoder(), llm.model.config
    every = list(decoder.layers)
    decoder.layers = nn.ModuleList(every[:SHALLOW])
    config.num_hidden_layers = SHALLOW
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:SHALLOW]
    return every


def play(name: str, count: int, cut: bool) -> None:
    """Write, then ask about the first and the last context; a training is stopped before its end."""
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", style=weights.style("smollm2-135m"))
    held = shallow(llm) if cut else []
    contexts = registry.load("data", "worlds")().load("1", count, 0).contexts
    cls: Any = registry.load("methods", name)
    chosen = {"answers": "gold"} if "answers" in settings_of(cls()) else {}
    method = cls(llm=llm, scribe=Scribe({c.text: c.targets for c in contexts}, None), **chosen)
    if hasattr(method, "encoder"):
        encoders.load(method.encoder, "cpu")
    written = contexts[-1:] if name == "in-context" else contexts  # the reference has one context in its prompt
    llm.meter = Steps()
    try:
        memory = method.write(None, [c.text for c in written])
    except Enough:
        del held
        return
    asked = [q for c in (contexts[0], contexts[-1]) for q in c.questions][:QUESTIONS]
    texts = [q.text for q in asked]
    llm.answer(method.recall(memory, texts), texts, [(q.answers[0], *q.distractors) for q in asked])


def peak(name: str, count: int, cut: bool, limit: float) -> tuple[int, float, bool]:
    """Bytes at the peak, seconds, and whether the process came to its end."""
    command = [sys.executable, __file__, "--one", name, str(count), str(int(cut))]
    started = time.perf_counter()
    child, stopped = subprocess.Popen(command), False
    while True:
        done, status, usage = os.wait4(child.pid, os.WNOHANG)
        if done:
            break
        if time.perf_counter() - started > limit:
            stopped = True
            child.send_signal(signal.SIGKILL)
        time.sleep(0.2)
    ended = os.waitstatus_to_exitcode(status)
    if ended and not stopped:  # a kill that was not ours is most often that of a machine without memory left
        raise click.ClickException(f"{name} failed with {ended}")
    scale = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * scale, time.perf_counter() - started, ended == 0


@click.command()
@click.argument("methods", nargs=-1)
@click.option("--contexts", default=1000)
@click.option("--limit", default=120.0, help="Seconds of a process, at most.")
@click.option("--one", nargs=3, hidden=True)
def main(methods: tuple[str, ...], contexts: int, limit: float, one: tuple[str, str, str] | None) -> None:
    """Measure and print a table."""
    if one:
        play(one[0], int(one[1]), bool(int(one[2])))
        return
    click.echo("| method | peak MB | seconds |\n|:--|--:|--:|")
    for name in methods or METHODS:
        trained = hasattr(registry.load("methods", name)(), "epochs")
        found, seconds, ended = peak(name, contexts, trained, limit)
        if trained:
            few, deep = (peak(name, FEW, cut, limit) for cut in (True, False))
            found += max(deep[0] - few[0], 0)
            ended = ended and few[2] and deep[2]
        click.echo(f"| {name}{'' if ended else ' *'} | {found / 1e6:.0f} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
