"""What a cell's tokens, seconds and bytes amount to: by role, in FLOPs, at the margin, and per number of questions.

FLOPs are analytic: 2P a token read or generated (a forward pass through P parameters), 4P a token trained on with LoRA
(forward 2P, gradient of the activations 2P; that of the factors is left out, as is attention's quadratic part).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from membench.stats import Interval, ratio_ci
from membench.summary import DIGITS

Record = Mapping[str, Any]
FLOPS = {"read": 2, "generated": 2, "trained": 4}  # a token, in units of the number of parameters
OTHER_MODELS = ("encoder",)  # roles of models whose number of parameters is not that of the one that answers
KINDS = tuple(FLOPS)


class Span(NamedTuple):
    """One stretch of writing and the asking that follows it: seconds and how many of what."""

    write_seconds: float
    contexts: int
    read_seconds: float
    questions: int


def ledger_of(records: Sequence[Record], parameters: int | None) -> dict[str, Any]:
    """What stands under `ledger` in a result; FLOPs are None where the number of parameters is not known."""
    writes = [r for r in records if r["type"] in ("write", "forget")]
    asks = [r for r in records if r["type"] == "ask"]
    contexts = sum(len(r["contexts"]) for r in writes if r["type"] == "write")
    read = sum(r.get("read", r["questions"]) for r in asks)
    written, asked = _by_role(writes), _by_role(asks)
    return {
        "parameters": parameters,
        "write_tokens_per_context": _shared(written, contexts),
        "read_tokens_per_question": _shared(asked, read),
        "write_flops_per_context": _flops(written, parameters, contexts),
        "read_flops_per_question": _flops(asked, parameters, read),
        "marginal_bytes_per_context": _marginal_bytes(writes),
    }


def token_lines(ledger: Mapping[str, Any]) -> list[list[str]]:
    """What stands under `ledger` as lines: of what (a context written, a question read), role, then each of KINDS."""
    units = (("write_tokens_per_context", "a context written"), ("read_tokens_per_question", "a question read"))
    return [
        [unit, role, *(f"{kinds.get(kind, 0):,.0f}" for kind in KINDS)]
        for name, unit in units
        for role, kinds in ledger.get(name, {}).items()
    ]


def spans(records: Iterable[Record]) -> list[Span]:
    """The clusters that costs vary over, in the order of play."""
    out: list[Span] = []
    before = "ask"
    for r in records:
        if r["type"] == "answer":
            continue
        if r["type"] != "ask" and before == "ask":
            out.append(Span(0.0, 0, 0.0, 0))
        last = out.pop() if out else Span(0.0, 0, 0.0, 0)
        if r["type"] == "ask":
            read = r.get("read", r["questions"])
            last = last._replace(read_seconds=last.read_seconds + r["seconds"], questions=last.questions + read)
        else:
            count = len(r["contexts"]) if r["type"] == "write" else 0
            last = last._replace(write_seconds=last.write_seconds + r["seconds"], contexts=last.contexts + count)
        out.append(last)
        before = r["type"]
    return out


def amortised(write: float, read: float, questions: float) -> float:
    """C(N) = W + N·q: what a context costs with the questions that are asked of it."""
    return write + questions * read


class BreakEven(NamedTuple):
    """From how many questions a context on the dearer writer costs less; a line that says why, where it cannot be told.

    An interval without ends: the costs vary over one stretch of play alone.
    """

    questions: Interval | None
    why: str | None


def break_even(a: Sequence[Span], b: Sequence[Span]) -> BreakEven:
    """(W_A - W_B) / (q_B - q_A) in seconds, over the stretches that both have played, in their order."""
    both = zip(a, b, strict=False)
    rated = [(x, y) for x, y in both if x.contexts and y.contexts and x.questions and y.questions]
    writes = [x.write_seconds / x.contexts - y.write_seconds / y.contexts for x, y in rated]
    reads = [y.read_seconds / y.questions - x.read_seconds / x.questions for x, y in rated]
    if not rated:
        return BreakEven(None, "one of them was not asked after a write")
    if sum(writes) * sum(reads) <= 0:
        return BreakEven(None, "one writes and reads no dearer than the other")
    sign = 1.0 if sum(reads) > 0 else -1.0
    if len(rated) < 2:
        return BreakEven(Interval(writes[0] / reads[0], None, None), None)
    found = ratio_ci([sign * w for w in writes], [sign * r for r in reads])
    return BreakEven(found, None if found else "which one reads cheaper is not resolved")


def _by_role(records: Iterable[Record]) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for record in records:
        for role, kinds in record["tokens"].items():
            mine = out.setdefault(role, {})
            for kind, count in kinds.items():
                mine[kind] = mine.get(kind, 0) + count
    return dict(sorted(out.items()))


def _shared(tokens: Mapping[str, Mapping[str, int]], count: int) -> dict[str, dict[str, float]]:
    each = {role: {kind: round(n / count, DIGITS) for kind, n in kinds.items()} for role, kinds in tokens.items()}
    return each if count else {}


def _flops(tokens: Mapping[str, Mapping[str, int]], parameters: int | None, count: int) -> float | None:
    if parameters is None or not count:
        return None
    own = (kinds for role, kinds in tokens.items() if role not in OTHER_MODELS)
    total = sum(FLOPS[kind] * n for kinds in own for kind, n in kinds.items() if kind in FLOPS)
    return float(total * parameters) / count


def _marginal_bytes(writes: Sequence[Record]) -> float | None:
    """Slope of the memory's bytes on the contexts that it holds, by least squares within episodes, which share it.

    Other episodes hold other texts, so that their sizes side by side tell nothing. Where every episode has one size
    alone, the slope is from the empty memory on.
    """
    points: dict[str, list[tuple[int, int]]] = {}
    for r in writes:
        own = points.setdefault(r["episode"], [])
        change = len(r["contexts"]) * (1 if r["type"] == "write" else -1)
        own.append(((own[-1][0] if own else 0) + change, r["state_bytes"]))
    several = [own for own in points.values() if len({size for size, _ in own}) > 1]
    found = [np.array(own, dtype=float) for own in several or ([(0, 0), *own] for own in points.values())]
    if not found:
        return None
    x, y = np.concatenate([own - own.mean(axis=0) for own in found]).T
    return round(float(x @ y / (x @ x)), DIGITS) if x.any() else None
