"""A stand-in for vLLM: the part of its documented interface that membench uses, on transformers, with its known traps.

Adapters are cached by number, keys and values by adapter name, both blindly, as vLLM does: whoever gives two contents
one name or number gets the first one's answers.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from membench.reading.cache_argument import kept_in

VERSION = "0.0.1"
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


@dataclass
class SamplingParams:
    temperature: float = 1.0
    max_tokens: int = 16
    stop: list[str] = field(default_factory=list)
    stop_token_ids: list[int] = field(default_factory=list)


class LLM:
    """`started` are the options of each that was made, `asked` how often a prompt was decoded under each adapter name;
    `ignores` are parts of an adapter's module names whose factors are silently left out.
    """

    started: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[str]] = []
    ignores: ClassVar[str] = ""

    def __init__(
        self, model: str, *, dtype: str, max_model_len: int, trust_remote_code: bool, enable_prefix_caching: bool,
        seed: int, enable_lora: bool = False, max_lora_rank: int = 16, max_loras: int = 1,
    ):  # fmt: skip
        if max_lora_rank not in _RANKS:
            raise ValueError(f"max_lora_rank {max_lora_rank} is none of {_RANKS}")
        self.model: Any = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype))
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.rank = max_lora_rank if enable_lora else 0
        self.window = max_model_len
        self.by_number: dict[int, dict[str, torch.Tensor]] = {}
        self.by_name: dict[str, dict[str, torch.Tensor]] = {}
        assert enable_prefix_caching
        self.started.append({"rank": self.rank, "window": max_model_len})

    def generate(
        self, prompts: list[dict[str, list[int]]], sampling_params: SamplingParams, *, use_tqdm: bool,
        lora_request: list[LoRARequest | None] | None,
    ) -> list[Any]:  # fmt: skip
        assert sampling_params.temperature == 0
        worn = lora_request or [None] * len(prompts)
        assert len(worn) == len(prompts)
        return [self._one(p["prompt_token_ids"], sampling_params, r) for p, r in zip(prompts, worn, strict=True)]

    @torch.no_grad()
    def _one(self, prompt: list[int], params: SamplingParams, request: LoRARequest | None) -> Any:
        if len(prompt) + params.max_tokens > self.window:
            raise ValueError(f"The prompt is longer than the maximum model length of {self.window}.")
        self.asked.append(request.lora_name if request else "")
        changes = self._changes(request) if request else {}
        kept = {name: self.model.get_submodule(name).weight.clone() for name in changes}
        for name, change in changes.items():
            self.model.get_submodule(name).weight += change
        try:
            ids, reason = self._greedy(prompt, params)
        finally:
            for name, weight in kept.items():
                self.model.get_submodule(name).weight.copy_(weight)
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=ids, finish_reason=reason)])

    def _greedy(self, prompt: list[int], params: SamplingParams) -> tuple[list[int], str]:
        ids: list[int] = []
        read, past = prompt, DynamicCache()
        for _ in range(params.max_tokens):
            out = self.model(input_ids=torch.tensor([read]), use_cache=True, **kept_in(self.model, past))
            ids.append(int(out.logits[0, -1].argmax()))
            read = ids[-1:]
            text = self.tokenizer.decode(ids, skip_special_tokens=True)
            if ids[-1] in params.stop_token_ids or any(stop in text for stop in params.stop):
                return ids, "stop"
        return ids, "length"

    def _changes(self, request: LoRARequest) -> dict[str, torch.Tensor]:
        if not self.rank:
            raise ValueError(f"Got lora_request {request} but LoRA is not enabled!")
        if request.lora_int_id not in self.by_number:
            self.by_number[request.lora_int_id] = self._read(Path(request.lora_path))
        return self.by_name.setdefault(request.lora_name, self.by_number[request.lora_int_id])

    def _read(self, folder: Path) -> dict[str, torch.Tensor]:
        config = json.loads((folder / "adapter_config.json").read_text())
        if config["r"] > self.rank:
            raise ValueError(f"LoRA rank {config['r']} is greater than max_lora_rank {self.rank}.")
        factors = load_file(folder / "adapter_model.safetensors")
        names = {key.removeprefix("base_model.model.").rpartition(".lora_")[0] for key in factors}
        return {
            name: factors[f"base_model.model.{name}.lora_B.weight"]
            @ factors[f"base_model.model.{name}.lora_A.weight"]
            * (config["lora_alpha"] / config["r"])
            for name in names
            if not (self.ignores and self.ignores in name)
        }


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> type[LLM]:
    """Let `import vllm` find the stand-in, and its version; returns what it makes models of."""
    monkeypatch.setattr(LLM, "started", [])
    monkeypatch.setattr(LLM, "asked", [])
    parts = {"vllm": (LLM, SamplingParams), "vllm.lora": (), "vllm.lora.request": (LoRARequest,)}
    for name, contents in parts.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__dict__.update({content.__name__: content for content in contents})
        monkeypatch.setitem(sys.modules, name, module)
    info = folder / f"vllm-{VERSION}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}\n")
    monkeypatch.syspath_prepend(folder)
    return LLM
