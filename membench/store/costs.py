"""What a cell's tokens, seconds and bytes amount to: by role, in FLOPs, at the margin, and per number of questions.

FLOPs are analytic: 2P a token read or generated (a forward pass through P parameters), 4P a token trained on with LoRA
(forward 2P, gradient of the activations 2P; that of the factors is left out, as is attention's quadratic part).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from membench.endpoints.prices import price_of
from membench.values import DIGITS, CostSpec

Record = Mapping[str, Any]
Tokens = Mapping[str, Mapping[str, int]]  # by role and kind

NOTES = {"tokens_cut": "tokens_cut_per_question", "regime": "regime"}  # what a Recall may note -> its cost

COSTS = (
    CostSpec(
        "write_seconds_per_context", "s", "write s", "seconds a context to write",
        budget="write-seconds", of="a context", front="w",
    ),
    CostSpec(
        "read_seconds_per_question", "s", "read s", "seconds a question to answer and score", 3,
        budget="read-seconds", of="a question", front="r",
    ),
    CostSpec("tokens_trained_per_context", "tokens", "trained", "tokens trained on, a context", 0),
    CostSpec("teacher_tokens_per_context", "tokens"),
    CostSpec("writer_tokens_per_context", "tokens"),
    CostSpec(
        "tokens_read_per_question", "tokens", "read", "tokens read, a question (answering and scoring)", 0,
        budget="read-tokens", of="a question",
    ),
    CostSpec("tokens_generated_per_question", "tokens"),
    CostSpec("state_bytes", "B", budget="bytes", of="the whole memory"),
    CostSpec("state_bytes_per_context", "B", "state", "bytes of the memory, a context", front="b"),
    CostSpec("deployed_growth_bytes", "B", "growth", "bytes that a deployment adds; 0 for merged weights"),
    CostSpec(
        "cell_peak_bytes", "B", "peak",
        "most bytes in use while the cell was played, model and program included; on a GPU, allocated there",
    ),
    CostSpec(
        "marginal_bytes_per_context", "B", "marginal",
        "bytes that one more context adds: slope over memory sizes, within episodes", derived=True,
    ),
    CostSpec(
        "write_flops_per_context", "FLOP", "write FLOP",
        "analytic, a context: 2P a token that the model reads or generates, 4P trained (less where only upper layers "
        "are); an encoder's are left out",
        budget="write-flops", of="a context", derived=True,
    ),
    CostSpec(
        "read_flops_per_question", "FLOP", "read FLOP", "analytic, a question",
        budget="read-flops", of="a question", derived=True,
    ),
    CostSpec(
        "write_price_per_context", "price", "write price",
        "what an endpoint's tokens cost, a context, in the currency of --price-in and --price-out", 6, derived=True,
    ),
    CostSpec(
        "read_price_per_question", "price", "read price", "what an endpoint's tokens cost, a question, in the same", 6,
        budget="read-price", of="a question", derived=True,
    ),
    CostSpec("forget_seconds_per_context", "s", "forget s", "seconds a context to forget"),
    CostSpec("unforgotten_bytes", "B", "memory, before", "bytes before contexts were forgotten; *memory* is after it"),
    CostSpec(
        "tokens_cut_per_question", "tokens", "dropped",
        "tokens of the memory's texts that found no room before a question", 0,
    ),
    CostSpec("regime", "ratio", "regime", "tokens streamed over the local window; up to 1 it is full attention"),
    CostSpec(
        "live_bytes", "B", "live",
        "most bytes beside the model while a question is answered: keys and values of recalled tokens or of a prefix, "
        "adapter",
        budget="live-bytes", of="beside the model, a question",
    ),
    CostSpec("beside", "cells"),
)  # fmt: skip


FLOPS = {"read": 2, "generated": 2, "trained": 4}  # a token, in units of the number of parameters
OTHER_MODELS = ("encoder",)  # roles of models whose number of parameters is not that of the one that answers
KINDS = tuple(FLOPS)


def ledger_of(
    records: Sequence[Record], parameters: int | None, prices: Sequence[float] | None = None
) -> dict[str, Any]:
    """What stands under `ledger` in a result; FLOPs are None where the number of parameters is not known.

    `prices` are those of a million tokens read and of a million generated; without any, none is charged.
    """
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
        **(_prices(prices, written, contexts, asked, read) if prices else {}),
    }


def token_lines(ledger: Mapping[str, Any]) -> list[list[str]]:
    """What stands under `ledger` as lines: of what (a context written, a question read), role, then each of KINDS."""
    units = (("write_tokens_per_context", "a context written"), ("read_tokens_per_question", "a question read"))
    return [
        [unit, role, *(f"{kinds.get(kind, 0):,.0f}" for kind in KINDS)]
        for name, unit in units
        for role, kinds in ledger.get(name, {}).items()
    ]


def _by_role(records: Iterable[Record]) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for record in records:
        for role, kinds in record["tokens"].items():
            mine = out.setdefault(role, {})
            for kind, count in kinds.items():
                mine[kind] = mine.get(kind, 0) + count
    return dict(sorted(out.items()))


def _shared(tokens: Tokens, count: int) -> dict[str, dict[str, float]]:
    each = {role: {kind: round(n / count, DIGITS) for kind, n in kinds.items()} for role, kinds in tokens.items()}
    return each if count else {}


def _flops(tokens: Tokens, parameters: int | None, count: int) -> float | None:
    if parameters is None or not count:
        return None
    own = (kinds for role, kinds in tokens.items() if role not in OTHER_MODELS)
    total = sum(FLOPS[kind] * n for kinds in own for kind, n in kinds.items() if kind in FLOPS)
    return float(total * parameters) / count


def _prices(prices: Sequence[float], written: Tokens, contexts: int, asked: Tokens, read: int) -> dict[str, Any]:
    """The prices, and what a context and a question cost at them; encoders cost nothing."""
    own = [[kinds for role, kinds in tokens.items() if role not in OTHER_MODELS] for tokens in (written, asked)]
    writing, reading = price_of(own[0], contexts, prices), price_of(own[1], read, prices)
    return {"prices": list(prices), "write_price_per_context": writing, "read_price_per_question": reading}


def _marginal_bytes(writes: Sequence[Record]) -> float | None:
    """Slope of the memory's bytes on the contexts that it holds, by least squares within episodes, which share it.

    Other episodes hold other texts, so that their sizes side by side tell nothing. Where every episode has one size
    alone, the slope is from the empty memory on. What is forgotten is left out: to unlearn may take more bytes.
    """
    points: dict[str, list[tuple[int, int]]] = {}
    held: dict[str, int] = {}
    for r in writes:
        wrote = r["type"] == "write"
        held[r["episode"]] = held.get(r["episode"], 0) + len(r["contexts"]) * (1 if wrote else -1)
        if wrote:
            points.setdefault(r["episode"], []).append((held[r["episode"]], r["state_bytes"]))
    several = [own for own in points.values() if len({size for size, _ in own}) > 1]
    found = [np.array(own, dtype=float) for own in several or ([(0, 0), *own] for own in points.values())]
    if not found:
        return None
    x, y = np.concatenate([own - own.mean(axis=0) for own in found]).T
    return round(float(x @ y / (x @ x)), DIGITS) if x.any() else None


def costs_of(records: Sequence[Record]) -> dict[str, float | None]:
    """What writing cost per context and reading per question; seconds, tokens, bytes. None where nothing was done.

    A question that was asked again of an unchanged memory is not read again and counts once. `state_bytes` and
    `deployed_growth_bytes` are of the memory at the end of an episode, the mean over episodes, or over those that
    forget where any does: `unforgotten_bytes` are of the memory before. `live_bytes` is the most that any question
    needed; records of the first versions do not tell it. `cell_peak_bytes` is the most in use while
    the cell was played. The first versions kept `peak_bytes` in its place, the most that the process ever held, in
    which cells before have a part: a bound for estimates, which no table shows. `beside` is the most other cells that
    were played on the machine meanwhile, None where seconds were measured alone.
    """
    writes = [record for record in records if record["type"] == "write"]
    forgets = [record for record in records if record["type"] == "forget"]
    asks = [record for record in records if record["type"] == "ask"]
    contexts = sum(len(record["contexts"]) for record in writes)
    read = sum(record.get("read", record["questions"]) for record in asks)
    telling = {record["episode"] for record in forgets} or {record["episode"] for record in writes}
    changes = [r for r in records if r["type"] in ("write", "forget") and r["episode"] in telling]
    ends = _ends(changes)
    first = {r["episode"]: r["step"] for r in reversed(forgets)}
    before = _ends(r for r in changes if r["step"] < first.get(r["episode"], 0))
    return {
        "write_seconds_per_context": _per(_seconds(writes), contexts),
        "forget_seconds_per_context": _per(_seconds(forgets), sum(len(record["contexts"]) for record in forgets)),
        "read_seconds_per_question": _per(_seconds(asks), read),
        "tokens_trained_per_context": _per(_tokens(writes, ("trained",)), contexts),
        "teacher_tokens_per_context": _per(_tokens(writes, ("read", "generated"), "teacher"), contexts),
        "writer_tokens_per_context": _per(_tokens(writes, ("read", "generated"), "writer"), contexts),
        "tokens_read_per_question": _per(_tokens(asks, ("read",)), read),
        "tokens_generated_per_question": _per(_tokens(asks, ("generated",)), read),
        "state_bytes": _per(sum(end["state_bytes"] for end, _ in ends), len(ends)),
        "state_bytes_per_context": _per(sum(end["state_bytes"] for end, _ in ends), sum(held for _, held in ends)),
        "deployed_growth_bytes": _per(sum(end["growth_bytes"] for end, _ in ends), len(ends)),
        "peak_bytes": _most(records, "peak_bytes"),
        "cell_peak_bytes": _most(records, "cell_peak_bytes"),
        "live_bytes": _most(asks, "live_bytes"),
        "beside": _most(records, "beside"),
        **{cost: _noted(asks, name) for name, cost in NOTES.items()},
        **({"unforgotten_bytes": _per(sum(end["state_bytes"] for end, _ in before), len(before))} if before else {}),
    }


def _ends(writes: Iterable[Record]) -> list[tuple[Record, int]]:
    """The last change of each episode, and how many contexts its memory then holds."""
    ends: dict[str, tuple[Record, int]] = {}
    for record in writes:
        held = ends[record["episode"]][1] if record["episode"] in ends else 0
        change = len(record["contexts"]) * (1 if record["type"] == "write" else -1)
        ends[record["episode"]] = (record, held + change)
    return list(ends.values())


def _seconds(records: Iterable[Record]) -> float:
    return float(sum(record["seconds"] for record in records))


def _noted(asks: Iterable[Record], name: str) -> float | None:
    """The mean of a note over the questions that were read under it."""
    found = [(record["notes"][name], record["read"]) for record in asks if name in record.get("notes", {})]
    return _per(sum(value * read for value, read in found), sum(read for _, read in found))


def _most(records: Iterable[Record], name: str) -> int | None:
    """The greatest number of this name; None where no record has it."""
    found: list[int] = [record[name] for record in records if record.get(name) is not None]
    return max(found, default=None)


def _tokens(records: Iterable[Record], kinds: Sequence[str], only: str | None = None) -> int:
    return sum(
        record["tokens"][role].get(kind, 0)
        for record in records
        for role in record["tokens"]
        if only in (None, role)
        for kind in kinds
    )


def _per(total: float, count: int) -> float | None:
    return round(total / count, DIGITS) if count else None
