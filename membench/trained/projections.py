"""What of a model LoRA is put on: query, key, value, up, gate and down projections, whatever their names.

In the decoder's layers these are all linear modules but a few: the projection at the end of an attention (or of what
stands in its place), the routers of experts, the experts, and the streams beside the layers of Gemma 3n and 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from membench.errors import MembenchError

LLAMA = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "down_proj")  # the roles by Llama's names

_ENDS = re.compile(r"(o|out|output|wo|dense|c_proj|[a-z]*_?out|(o|out|resid|output)_proj)")
_MLP = re.compile(r"(^|\.)([a-z_]*mlp[a-z_]*|ffn?|feed_?forward|shared_experts?)\.")
_ASIDE = re.compile(r"router|expert_gate|altup|laurel|per_layer|(^|\.)experts(\.|$)|(^|\.)dt_proj$")


def decoder_of(model: Any) -> nn.Module:
    """The part of a language model between its tokens and its output head."""
    found: nn.Module = model.get_decoder()
    if found is model or found is model.get_output_embeddings():  # Llama 4's answer, and ModernBERT's
        return model.base_model  # type: ignore[no-any-return]
    return found


def layers_of(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """The decoder's layers, and what their list is called inside the model.

    It is the list of modules that holds most of the decoder's parameters. Raises MembenchError where there is none.
    """
    decoder = decoder_of(model)
    prefix = next(name for name, module in model.named_modules() if module is decoder)
    lists = [(name, m) for name, m in decoder.named_modules(prefix=prefix) if isinstance(m, nn.ModuleList) and len(m)]
    if not lists:
        raise MembenchError(f"{type(decoder).__name__} keeps its layers in no list: membench cannot train such a model")
    return max(lists, key=lambda pair: sum(p.numel() for p in pair[1].parameters()))


def projections(model: nn.Module, first: int = 0) -> list[str]:
    """The names inside the model of the modules that LoRA is put on, in the layers from `first` on."""
    prefix, layers = layers_of(model)
    return [f"{prefix}.{i}.{name}" for i in range(first, len(layers)) for name in _found(layers[i])]


def roles(model: nn.Module) -> tuple[str, ...]:
    """What LoRA is put on, each once, by its name inside a layer; `LLAMA` where that is all as in Llama."""
    _, layers = layers_of(model)
    names = dict.fromkeys(name for layer in layers for name in _found(layer))
    leaves = {name.rpartition(".")[2] for name in names}
    return LLAMA if leaves == set(LLAMA) and not has_experts(model) else tuple(names)


@cache
def planned_roles(path: str, offline: bool = False, trust_remote_code: bool = False) -> tuple[str, ...]:
    """The roles of a model whose weights are not loaded yet, by its configuration. Raises MembenchError.

    `path` is a local folder or a hub id.
    """
    options = {"local_files_only": offline, "trust_remote_code": trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(path, **options)
        if "LlamaForCausalLM" in (config.architectures or ()):
            return LLAMA
        with torch.device("meta"):
            return roles(AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code))  # type: ignore[no-untyped-call]
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise MembenchError(f"cannot load model {path}: {str(error).strip().partition(chr(10))[0]}") from error


def has_experts(model: nn.Module) -> bool:
    """Whether the layers choose among experts, which are left as they are."""
    return any(re.search(r"(^|\.)experts(\.|$)", name) for name, _ in layers_of(model)[1].named_modules())


def _found(layer: nn.Module) -> Iterator[str]:
    for name, module in layer.named_modules():
        if isinstance(module, (nn.Linear, Conv1D)) and _is_role(name) and not _routes(layer, name):
            yield name


@cache
def _is_role(name: str) -> bool:
    """Whether a linear module with this name inside a layer has one of the roles."""
    ends = _ENDS.fullmatch(name.rpartition(".")[2]) and not _MLP.search(name)
    return not ends and not _ASIDE.search(name)


def _routes(layer: nn.Module, name: str) -> bool:
    """Whether this module chooses among the experts beside it."""
    parts = name.split(".")  # the gate itself, or what it is made of
    return any(
        part == "gate" and hasattr(layer.get_submodule(".".join(parts[:k])), "experts") for k, part in enumerate(parts)
    )
