"""60 answers on 12 paragraphs of SQuAD, the same prompts, membench beside lm-eval at its default and at its best batch.

    python benchmarks/lm_eval_speed.py SQUAD.json PYTHON_WITH_LM_EVAL [MODEL]

Chat prompt, float32, greedy, model loaded beforehand. The three take turns three times in one run; the best batch is
looked for on 20 of the prompts first. Prints JSON: seconds of each turn, the ratios of their medians, equal answers.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from membench.api import Recall
from membench.io import weights
from membench.model.llm import LLM

PARAGRAPHS, QUESTIONS, TURNS, BATCHES, TRIED = 12, 5, 3, (4, 8, 16), 20


def asked(path: str) -> tuple[list[str], list[str]]:
    """The first paragraphs with enough questions, one of each question's; and the questions."""
    paragraphs = [p for article in json.loads(Path(path).read_text())["data"] for p in article["paragraphs"]]
    chosen = [p for p in paragraphs if len(p["qas"]) >= QUESTIONS][:PARAGRAPHS]
    pairs = [(p["context"], qa["question"]) for p in chosen for qa in p["qas"][:QUESTIONS]]
    return [text for text, _ in pairs], [question for _, question in pairs]


class Other:
    """lm-eval, loaded in a process of its own that waits between its turns."""

    def __init__(self, python: str, model: Path, stop: str, tokens: int):
        self.form = {"stop": stop, "tokens": tokens}
        side = Path(__file__).with_name("lm_eval_side.py")
        self.process = subprocess.Popen(
            [python, str(side), str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def turn(self, prompts: list[str], batch: int) -> tuple[float, list[str]]:
        """Seconds and answers of one pass."""
        assert self.process.stdin is not None
        print(json.dumps({"prompts": prompts, "batch": batch, **self.form}), file=self.process.stdin, flush=True)
        found: dict[str, Any] = json.loads(self._line())
        return found["seconds"], found["answers"]


def main() -> None:
    squad, python, *rest = sys.argv[1:]
    model = rest[0] if rest else "smollm2-135m"
    folder = weights.resolve(model)
    llm = LLM.load(folder, name=model, dtype="float32", style="chat")
    texts, questions = asked(squad)
    prompts = [llm.prompt((text,), question) for text, question in zip(texts, questions, strict=True)]
    recall = Recall(contexts=tuple((text,) for text in texts))
    other = Other(python, folder, llm.stop, llm.max_new_tokens)
    llm.answer(Recall(contexts=recall.contexts[:1]), questions[:1])  # the first pass of a process is the slowest
    trial = {batch: other.turn(prompts[:TRIED], batch)[0] for batch in BATCHES}
    best = min(trial, key=trial.__getitem__)
    seconds: dict[str, list[float]] = {"membench": [], "default": [], "best": []}
    own: list[str] = []
    theirs: list[str] = []
    for _ in range(TURNS):
        started = time.perf_counter()
        own = [reading.text for reading in llm.answer(recall, questions)]
        seconds["membench"].append(round(time.perf_counter() - started, 2))
        for name, batch in (("default", 1), ("best", best)):
            took, theirs = other.turn(prompts, batch)
            seconds[name].append(round(took, 2))
        print(seconds, file=sys.stderr, flush=True)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        json.dumps(
            {
                "answers": len(prompts), "batch": best, "seconds": seconds,
                "faster than default": round(middle["default"] / middle["membench"], 1),
                "faster than best batch": round(middle["best"] / middle["membench"], 1),
                "same answers": sum(a == b.strip() for a, b in zip(own, theirs, strict=True)),
            },
            indent=2,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
