"""A grid of learning rates and epochs for the trained methods, the same for each, on the development seed.

    python benchmarks/tune.py selfparam ft-s ft-c > tuning.jsonl

Every method writes each context alone, once a rate and number of epochs (a context of ft-c is one sentence and not
eight, so it takes EPOCHS_OF_ONE). Selection rule: the highest mean of `contains` on rehearsed facts (for ft-c: on all);
ties go to the larger margin. docs/tuning.md tells what has been run.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from membench.io import weights
from membench.metrics.answer_scores import likelihood, score_answer
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe

SEED, CONTEXTS = "1", 4
RATES = (2e-3, 4e-3, 8e-3)
EPOCHS = (12, 24)
EPOCHS_OF_ONE = (24, 48)


def answers_of(llm: LLM, name: str, **settings: Any) -> list[dict[str, Any]]:
    """The scores of every question, each just after its context was written alone."""
    contexts = registry.load("data", "worlds")().load(SEED, CONTEXTS, 0).contexts
    scribe = Scribe({c.text: c.targets for c in contexts}, None)
    method = registry.load("methods", name)(llm=llm, scribe=scribe, **settings)
    out = []
    for context in contexts:
        recall = method.recall(method.write(None, [context.text]), [])
        candidates = [(q.answers[0], *q.distractors) for q in context.questions]
        readings = llm.answer(recall, [q.text for q in context.questions], candidates)
        for question, reading in zip(context.questions, readings, strict=True):
            scores = score_answer(question, reading.text) | likelihood(reading)
            out.append(scores | {"rehearsed": question.tags["rehearsed"] == "yes"})
    return out


def main() -> None:
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m")
    for name in sys.argv[1:]:
        for rate in RATES:
            for epochs in EPOCHS_OF_ONE if name == "ft-c" else EPOCHS:
                started = time.perf_counter()
                answers = answers_of(llm, name, lr=rate, epochs=epochs)
                seconds = (time.perf_counter() - started) / CONTEXTS
                row: dict[str, Any] = {"method": name, "lr": rate, "epochs": epochs, "seconds": round(seconds, 1)}
                for view, wanted in (("rehearsed", (True,)), ("unrehearsed", (False,)), ("all", (True, False))):
                    chosen = [a for a in answers if a["rehearsed"] in wanted]
                    row |= {
                        f"{k}/{view}": round(sum(a[k] for a in chosen) / len(chosen), 3) for k in ("contains", "margin")
                    }
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
