"""The measures of benchmarks/gpu.sh that no command of membench makes; each prints lines of JSON.

    python benchmarks/gpu_measures.py --device cuda --model smollm2-135m --shape 8b MEASURE [ARGUMENT] [--epochs 12]

`parity-reading`: answers and likelihoods on the device against the CPU, in float32 and the device's own precision.
`parity-training`: one write of ft-s on both. `speed METHOD`: seconds a context and a question, tokens a second and the
share of the device's matmul rate, for a Llama of the named shape with random weights. `parts-size FOLDER`: whether
what train-memory made may come with the package.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from membench.api import Context, Recall
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe

SEED, CONTEXTS = "1", 4
PARTS_BYTES = 12_000_000
SHAPES = {  # of Llama 3.1 8B; and one for a dry run
    "8b": {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072, "rope_theta": 500000.0,
    },
    "tiny": {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 512, "max_position_embeddings": 8192,
    },
}  # fmt: skip


def say(**found: Any) -> None:
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    print(json.dumps({**found, "card": card}), flush=True)


def texts() -> tuple[Context, ...]:
    contexts: tuple[Context, ...] = registry.load("data", "worlds")().load(SEED, CONTEXTS, 0).contexts
    return contexts


def parity_reading(given: argparse.Namespace) -> None:
    def read(device: str, dtype: str) -> list[Any]:
        llm = LLM.load(weights.resolve(given.model), name=given.model, device=device, dtype=dtype)
        found: list[Any] = []
        for context in texts():
            asked = [q.text for q in context.questions]
            candidates = [(q.answers[0], *q.distractors) for q in context.questions]
            found += llm.answer(Recall(contexts=((context.text,),) * len(asked)), asked, candidates)
        return found

    ours = read("cpu", "float32")
    for dtype in ("float32", "auto"):
        theirs = read(given.device, dtype)
        pairs = [(a, b) for r, s in zip(ours, theirs, strict=True) for a, b in zip(r.logprobs, s.logprobs, strict=True)]
        same = sum(r.text == s.text for r, s in zip(ours, theirs, strict=True)) / len(ours)
        worst = max(abs(a - b) for a, b in pairs)
        say(measure="parity-reading", dtype=dtype, questions=len(ours), same_answers=same, worst_nats=worst)


def parity_training(given: argparse.Namespace) -> None:
    context, found = texts()[0], {}
    for device in ("cpu", given.device):
        llm = LLM.load(weights.resolve(given.model), name=given.model, device=device, dtype="float32")
        scribe = Scribe({context.text: context.targets}, None)
        method = registry.load("methods", "ft-s")(llm=llm, scribe=scribe, precision="float32", epochs=given.epochs)
        memory = method.write(None, [context.text])
        asked = [q.text for q in context.questions]
        answers = llm.answer(Recall(adapter=memory), asked, [(q.answers[0],) for q in context.questions])
        found[device] = [memory.layers[0], answers]
    (ours, said), (theirs, read) = found["cpu"], found[given.device]
    off = max((ours[name][k] - theirs[name][k]).abs().max().item() for name in ours for k in ("A", "B"))
    moved = max(part["B"].abs().max().item() for part in ours.values())
    nats = max(abs(a.logprobs[0] - b.logprobs[0]) for a, b in zip(said, read, strict=True))
    say(measure="parity-training", factors_off=off, factors_moved=moved, worst_nats=nats)


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """FLOPs a second of large products: what the device can do, not what its maker says."""
    size, turns = (8192, 20) if device.type == "cuda" else (256, 5)
    a = torch.randn(size, size, device=device, dtype=dtype)
    for count in (2, turns):
        _settled(device)
        started = time.perf_counter()
        for _ in range(count):
            a @ a
        _settled(device)
    return 2 * size**3 * turns / (time.perf_counter() - started)


def _settled(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def random_model(given: argparse.Namespace) -> LLM:
    """A Llama of the shape, its weights random, with the tokenizer of the named model."""
    device = torch.device(given.device)
    tokenizer = AutoTokenizer.from_pretrained(weights.resolve(given.model))
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = LlamaConfig(**SHAPES[given.shape], **ends)  # type: ignore[arg-type]
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    torch.manual_seed(0)
    with device:
        torch.set_default_dtype(dtype)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    return LLM(model, tokenizer, f"llama-{given.shape}", "plain")


def speed(given: argparse.Namespace) -> None:
    llm = random_model(given)
    rate = matmul_rate(llm.device, llm.model.dtype)
    method = registry.load("methods", given.argument)(
        llm=llm, scribe=Scribe({context.text: context.targets for context in texts()}, None)
    )
    spent: dict[str, tuple[float, float, int, int]] = {}
    for turn, context in enumerate(texts()[:3]):  # the first is slower than all others, and does not count
        asked = [q.text for q in context.questions]
        llm.meter.lap()
        memory = method.write(None, [context.text])
        _settled(llm.device)
        wrote = llm.meter.lap()
        llm.answer(method.recall(memory, asked), asked)
        _settled(llm.device)
        for name, (seconds, tokens), count in (("write", wrote, 1), ("read", llm.meter.lap(), len(asked))):
            kinds = [k for role, k in tokens.items() if role != "encoder"]
            seen = sum(sum(k.values()) for k in kinds)
            flops = sum(llm.parameters * (6 if kind == "trained" else 2) * n for k in kinds for kind, n in k.items())
            old = spent.get(name, (0.0, 0.0, 0, 0)) if turn else (0.0, 0.0, 0, 0)
            now = (seconds, flops, seen, count) if turn else (0.0, 0.0, 0, 0)
            spent[name] = tuple(a + b for a, b in zip(old, now, strict=True))  # type: ignore[assignment]
    for name, (seconds, flops, tokens, count) in spent.items():
        say(
            measure="speed", method=given.argument, shape=given.shape, what=name, seconds_each=seconds / count,
            tokens_a_second=tokens / seconds, matmul_share=flops / seconds / rate, matmul_rate=rate,
            dtype=str(llm.model.dtype),
        )  # fmt: skip


def parts_size(given: argparse.Namespace) -> None:
    size = sum(path.stat().st_size for path in Path(given.argument).iterdir() if path.is_file())
    say(measure="parts-size", bytes=size, limit=PARTS_BYTES)
    if not 0 < size <= PARTS_BYTES:
        sys.exit(f"{given.argument} takes {size} bytes; with the package may come {PARTS_BYTES}")


MEASURES = {
    "parity-reading": parity_reading,
    "parity-training": parity_training,
    "speed": speed,
    "parts-size": parts_size,
}


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("argument", nargs="?")
    parser.add_argument("--device", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    return parser.parse_args(words)


def main() -> None:
    given = parsed()
    MEASURES[given.measure](given)


if __name__ == "__main__":
    main()
