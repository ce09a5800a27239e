"""What reading prompts that begin alike once is worth: 10 questions on a context of 500 tokens.

    python benchmarks/prefix_reuse.py [MODEL]

Prints JSON: seconds for all questions in one call, for a call each, and for a call each where the worked examples are
read anew, too; and whether all three gave the same answers. Answers alone are read, no candidates.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from membench.api import Recall
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.reading.prefix_cache import PrefixCache

TOKENS, QUESTIONS, SEED = 500, 10, "1"


def material(llm: LLM) -> tuple[str, list[str]]:
    """Contexts of a development seed, joined up to the wanted number of tokens, and questions on each in turn."""
    text, asked = "", []
    for context in registry.load("data", "worlds")().load(SEED, 10, 0).contexts:
        if len(llm.ids(text)) >= TOKENS:
            break
        text = f"{text} {context.text}".strip()
        asked.append([question.text for question in context.questions])
    text = llm.decode(llm.ids(text)[:TOKENS])
    return text, [question for some in zip(*asked, strict=False) for question in some][:QUESTIONS]


def timed(llm: LLM, text: str, calls: Sequence[Sequence[str]], keep: bool) -> tuple[float, list[str]]:
    """Seconds and answers of these calls, with the worked examples kept between them or not."""
    started, answers = time.perf_counter(), []
    for questions in calls:
        if not keep:
            llm.first_segment = PrefixCache()
        readings = llm.answer(Recall(contexts=((text,),) * len(questions)), questions)
        answers += [reading.text for reading in readings]
    return time.perf_counter() - started, answers


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m"
    llm = LLM.load(weights.resolve(model), name=model, style=weights.style(model))
    text, questions = material(llm)
    alone = [[question] for question in questions]
    timed(llm, text, alone[:1], False)  # the first pass of a process is slower than all others
    together, one = timed(llm, text, [questions], False)
    kept, two = timed(llm, text, alone, True)
    anew, three = timed(llm, text, alone, False)
    print(
        json.dumps(
            {
                "tokens": len(llm.ids(text)), "questions": len(questions), "together": round(together, 2),
                "alone": round(kept, 2), "alone, nothing kept": round(anew, 2),
                "faster": round(anew / together, 1), "faster than with examples kept": round(kept / together, 1),
                "examples kept save a call": round((anew - kept) / len(questions), 2), "same": one == two == three,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
