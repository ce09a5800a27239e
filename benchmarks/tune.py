"""A grid of learning rates and passes for the trained methods, six rows each, on the development seed.

    python benchmarks/tune.py selfparam ft-s ft-c cartridge

Every method writes each context alone, once a rate and number of passes. Its rates lie around its default; a context of
ft-c is one sentence and not eight, so it has twice the passes. Selection rule: the highest mean of `contains` on
rehearsed facts (for ft-c: on all); ties go to the larger margin. Rows are added to benchmarks/tuning.jsonl; those that
are there are not played again. docs/tuning.md shows them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tune_rows import GRID, ROWS, stored

from membench.io import weights
from membench.metrics.answer_scores import likelihood, score_answer
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe

SEED, CONTEXTS = "1", 4
STYLE = "twice"  # the report's prompt


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


def row(llm: LLM, name: str, rate: float, epochs: int) -> dict[str, Any]:
    """Means over the questions of all contexts, and the seconds of one context."""
    started = time.perf_counter()
    answers = answers_of(llm, name, lr=rate, epochs=epochs)
    seconds = (time.perf_counter() - started) / CONTEXTS
    out: dict[str, Any] = {"method": name, "lr": rate, "epochs": epochs, "seconds": round(seconds, 1)}
    for view, wanted in (("rehearsed", (True,)), ("unrehearsed", (False,)), ("all", (True, False))):
        chosen = [a for a in answers if a["rehearsed"] in wanted]
        out |= {f"{k}/{view}": round(sum(a[k] for a in chosen) / len(chosen), 3) for k in ("contains", "margin")}
    return out


def main() -> None:
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", style=STYLE)
    for name in sys.argv[1:]:
        rates, passes = GRID[name]
        for rate in rates:
            for epochs in passes:
                if (name, rate, epochs) not in {(r["method"], r["lr"], r["epochs"]) for r in stored()}:
                    line = json.dumps(row(llm, name, rate, epochs))
                    print(line, flush=True)
                    with ROWS.open("a", encoding="utf-8") as file:
                        file.write(f"{line}\n")


if __name__ == "__main__":
    main()
