"""Loading a causal model and its tokenizer, so that every weight comes from the checkpoint and every token has one."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from membench.checkpoints.checks import refuse_kind, refuse_language_model
from membench.checkpoints.devices import placement
from membench.errors import MembenchError

_MASKED = ("eager", "sdpa")  # attention that takes a mask of any shape; flash and flex attention do not
SHOWN = 3  # tensors that a message names


def load_parts(
    path: str | Path, name: str, dtype: torch.dtype, device: str, options: Mapping[str, Any]
) -> tuple[nn.Module, Any]:
    """The model, on its device, and the tokenizer of a local folder or a hub id; `options` are transformers' own.

    Raises MembenchError, with the file where there is one, for what is no causal language model, for tensors that the
    checkpoint lacks or that the model has no place for, and for a tokenizer with more tokens than the model.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder = Path(path) if Path(path).is_dir() else None
    if folder:
        refuse_language_model(folder, name)
    try:
        config = AutoConfig.from_pretrained(path, **options)
        refuse_kind(config.to_dict(), folder / "config.json" if folder else "config.json", name)
        tokenizer = AutoTokenizer.from_pretrained(path, **options)
        if config._attn_implementation not in _MASKED:
            config._attn_implementation = None  # transformers takes one that the model has
        placed = placement(device, _bytes_of(path, dtype))
        model, found = _loaded(path, config, dtype, {**options, **placed})
    except MembenchError:
        raise
    except Exception as error:  # transformers, tokenizers and a model's own code raise anything, also bare Exception
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MembenchError(f"cannot load model {name}: {reason}") from error
    _refuse_report(model, found, f"model {name}: {path}")
    _refuse_tokens(model, tokenizer, f"model {name}: {path}")
    return model, tokenizer


def _loaded(path: str | Path, config: Any, dtype: torch.dtype, options: Mapping[str, Any]) -> Any:
    """The model and transformers' report of what it found, which it would print as well."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        return AutoModelForCausalLM.from_pretrained(
            path, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True,
            ignore_mismatched_sizes=True, **options,
        )  # fmt: skip
    finally:
        transformers_logging.set_verbosity(level)


def _bytes_of(path: str | Path, dtype: torch.dtype) -> int:
    """What a folder's weights take in a precision; 0 for what is no folder yet."""
    return sum(
        math.prod(tensor["shape"]) * dtype.itemsize
        for file in Path(path).glob("*.safetensors")
        for name, tensor in _head(file).items()
        if name != "__metadata__"
    )


def _head(file: Path) -> dict[str, Any]:
    with open(file, "rb") as opened:
        found: dict[str, Any] = json.loads(opened.read(struct.unpack("<Q", opened.read(8))[0]))
    return found


def embeddings(model: Any) -> int:
    """How many tokens a model has vectors for."""
    return int(model.get_input_embeddings().weight.shape[0])


def _refuse_report(model: nn.Module, found: Mapping[str, Any], where: str) -> None:
    """What transformers passes over: it makes up tensors that are missing, and leaves out what it has no place for."""
    if found["mismatched_keys"]:
        key, stored, wanted = sorted(found["mismatched_keys"])[0]
        raise MembenchError(
            f"{where}: tensor {key} has shape {tuple(stored)} and config.json wants {tuple(wanted)}: they are not of "
            "one model, fetch both again"
        )
    if found["missing_keys"]:
        raise MembenchError(f"{where}: the checkpoint lacks {_some(found['missing_keys'])}: fetch the whole model")
    left = [key for key in found["unexpected_keys"] if _belongs(model, key)]
    if left:
        raise MembenchError(
            f"{where}: the model that config.json describes has no place for {_some(left)}: they are not of one model, "
            "fetch both again"
        )


def _belongs(model: nn.Module, key: str) -> bool:
    """Whether a tensor is for a part that the model has; towers for pictures and sound may be left out."""
    modules = {name for name, _ in model.named_modules() if name}
    parts = key.split(".")[:-1]
    return ".".join(parts) in modules or any(".".join(parts[:k]) in modules for k in range(2, len(parts)))


def _refuse_tokens(model: Any, tokenizer: Any, where: str) -> None:
    """Special tokens may lie beyond the model's (marks for pictures do); a text that holds one is refused when read."""
    rows = embeddings(model)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    beyond = [token for token, i in tokenizer.get_vocab().items() if i >= rows and i not in special]
    beyond += tokenizer.convert_ids_to_tokens([i for i in tokenizer("").input_ids if i >= rows])
    if beyond:
        raise MembenchError(
            f"{where}: the tokenizer has tokens that the model, with {rows}, has not ({_some(beyond)}): take the "
            "tokenizer that the model was trained with"
        )


def _some(names: Iterable[str]) -> str:
    every = sorted(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
