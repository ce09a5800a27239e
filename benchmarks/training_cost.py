"""What the teacher costs: seconds of a write by `selfparam` over those by `ft-s`, for the same sentences and steps.

    python benchmarks/training_cost.py [MODEL] [KEY=VALUE...]

Both write the same three contexts (development seed 1) into an empty memory, in turns first. Settings are selfparam's
defaults and those named, for both. Prints a line of JSON a context, then the medians and their ratio. The released code
of SELF-PARAM runs the teacher at every step; here it reads each sentence once.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Any

from membench.api import Context, settings_of
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry, settings
from membench.targets.scribe import Scribe

METHODS = ("ft-s", "selfparam")
SEED, CONTEXTS = "1", 3


def equal_settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """For each method the same values of all settings that both have."""
    classes = {name: registry.load("methods", name) for name in METHODS}
    chosen = settings.split(given, {"selfparam": classes["selfparam"]})["selfparam"]
    values = settings_of(settings.build(classes["selfparam"], chosen))
    return {name: {k: v for k, v in values.items() if k in settings.types_of(classes[name])} for name in METHODS}


def seconds(llm: LLM, name: str, context: Context, **chosen: Any) -> float:
    """Wall time of one write."""
    scribe = Scribe({context.text: context.targets}, None)
    method = registry.load("methods", name)(llm=llm, scribe=scribe, **chosen)
    started = time.perf_counter()
    method.write(None, [context.text])
    return time.perf_counter() - started


def main() -> None:
    model, given = "smollm2-135m", sys.argv[1:]
    if given and "=" not in given[0]:
        model, *given = given
    chosen = equal_settings(given)
    llm = LLM.load(weights.resolve(model), name=model)
    contexts = registry.load("data", "worlds")().load(SEED, CONTEXTS, 0).contexts
    for name in METHODS:  # the first steps of a process are slower than all others
        seconds(llm, name, contexts[0], **chosen[name] | {"epochs": 1})
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    for turn, context in enumerate(contexts):
        for name in METHODS if turn % 2 == 0 else reversed(METHODS):
            found[name].append(seconds(llm, name, context, **chosen[name]))
        print(json.dumps({"context": context.id, **{name: round(times[-1], 2) for name, times in found.items()}}))
    typical = {name: median(times) for name, times in found.items()}
    ratio = typical["selfparam"] / typical["ft-s"]
    print(json.dumps({"median": {k: round(v, 2) for k, v in typical.items()}, "ratio": round(ratio, 3)}))


if __name__ == "__main__":
    main()
