"""What is gained by training the adapters of several contexts in one pass: seconds a context, and how far they are off.

    python benchmarks/batched_writes.py [MODEL] [--together 1,2,4] [--contexts 4] [--epochs 12] [--device auto]

Trains ft-s's sentences of `worlds` (development seed 1), all contexts with each number at once, in turn. Prints a line
of JSON for each: seconds a context, tokens trained a second, and the greatest distance of a factor from the one that is
trained alone, beside the greatest distance that training moved one.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence

import torch

from membench.api import Context
from membench.batched.together import Plan, train_together
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained.lora import Layer, Lora
from membench.trained.sentences import learnable

SEED = "1"


def plans(llm: LLM, contexts: Sequence[Context], epochs: int) -> list[Plan]:
    """What ft-s trains on for each context, written alone into an empty memory."""
    out = []
    for context in contexts:
        scribe = Scribe({context.text: context.targets}, None)
        method = registry.load("methods", "ft-s")(llm=llm, scribe=scribe, epochs=epochs)
        pairs = method.pairs_about([context.text])
        steps = learnable(method.steps([context.text], pairs, random.Random(0)))
        out.append(Plan(tuple(map(tuple, steps)), 0))
    return out


def off(ours: Layer, theirs: Layer) -> float:
    return max((ours[name][key] - theirs[name][key]).abs().max().item() for name in ours for key in ("A", "B"))


def timed(llm: LLM, chosen: Sequence[Plan], together: int, lora: Lora) -> tuple[float, list[Layer]]:
    found: list[Layer] = []
    started = time.perf_counter()
    for start in range(0, len(chosen), together):
        found += train_together(llm, chosen[start : start + together], "ce", lora)
    if llm.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started, found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="smollm2-135m")
    parser.add_argument("--together", default="1,2,4")
    parser.add_argument("--contexts", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    llm = LLM.load(weights.resolve(given.model), name=given.model, device=given.device)
    chosen = plans(llm, registry.load("data", "worlds")().load(SEED, given.contexts, 0).contexts, given.epochs)
    trained = sum(len(s.tokens) for plan in chosen for step in plan.steps for s in step)
    lora = Lora(lr=4e-3)
    timed(llm, [Plan(plan.steps[:2], 0) for plan in chosen[:1]], 1, lora)  # the first steps are slower than all others
    alone: list[Layer] = []
    for together in map(int, given.together.split(",")):
        seconds, found = timed(llm, chosen, together, lora)
        alone = alone or found
        print(
            json.dumps({
                "together": together, "seconds_a_context": round(seconds / len(chosen), 2),
                "trained_tokens_a_second": round(trained / seconds),
                "off": max(off(a, b) for a, b in zip(found, alone, strict=True)),
                "moved": max(part["B"].abs().max().item() for layer in alone for part in layer.values()),
                "device": str(llm.device), "dtype": str(llm.model.dtype),
            }),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
