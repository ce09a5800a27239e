"""A grid of learning rates and epochs for the trained methods, the same for each, on the development seed.

    python benchmarks/tune.py selfparam ft-s ft-c > tuning.jsonl

Every method is trained once a learning rate and context for the largest number of epochs, and read after each of
EPOCHS: the rate is constant, so the first n epochs are what n epochs alone would be. Selection rule: the highest mean
of `contains` on rehearsed facts (for ft-c: on all), then the larger margin. docs/tuning.md tells what has been run.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from membench import registry, weights
from membench.api import Adapter, Recall
from membench.llm import LLM
from membench.play import likelihood
from membench.score import score_answer
from membench.scribe import Scribe
from membench.train import Lora, factors, train

SEED, CONTEXTS = "1", 3
RATES = (1e-3, 2e-3, 4e-3)
EPOCHS = (8, 12, 16)


def curves(llm: LLM, name: str, rate: float, **settings: Any) -> dict[int, list[dict[str, Any]]]:
    data = registry.load("data", "worlds")().load(SEED, CONTEXTS, 0)
    method = registry.load("methods", name)
    scribe = Scribe({c.text: c.targets for c in data.contexts}, None)
    out: dict[int, list[dict[str, Any]]] = {epochs: [] for epochs in EPOCHS}
    for context in data.contexts:
        trained = method(llm=llm, scribe=scribe, lr=rate, epochs=max(EPOCHS), **settings)
        steps = list(trained.steps([context.text], trained.pairs_about([context.text]), random.Random(0)))
        every = len(steps) // max(EPOCHS)
        taken: dict[int, Any] = {}

        def keep(i: int, _value: float, wrapped: Any, every: int = every, taken: dict[int, Any] = taken) -> None:
            if (i + 1) % every == 0 and (i + 1) // every in EPOCHS:
                taken[(i + 1) // every] = factors(wrapped)

        train(llm, steps, trained.loss, Lora(trained.rank, trained.alpha, lr=rate), on_step=keep)
        questions = context.questions
        for epochs, layer in taken.items():
            recall = Recall(adapter=Adapter((layer,), trained.alpha / trained.rank))
            readings = llm.answer(
                recall, [q.text for q in questions], [(q.answers[0], *q.distractors) for q in questions]
            )
            for question, reading in zip(questions, readings, strict=True):
                scores = score_answer(question, reading.text) | likelihood(reading)
                out[epochs].append(scores | {"rehearsed": question.tags["rehearsed"] == "yes"})
    return out


def main() -> None:
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m")
    for name in sys.argv[1:]:
        for rate in RATES:
            started = time.perf_counter()
            for epochs, answers in curves(llm, name, rate).items():
                row: dict[str, Any] = {"method": name, "lr": rate, "epochs": epochs}
                for view, wanted in (("rehearsed", True), ("unrehearsed", False)):
                    chosen = [a for a in answers if a["rehearsed"] == wanted]
                    row |= {
                        f"{k}/{view}": round(sum(a[k] for a in chosen) / len(chosen), 3)
                        for k in ("contains", "f1", "margin")
                    }
                print(json.dumps(row), flush=True)
            print(f"{name} {rate}: {time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
