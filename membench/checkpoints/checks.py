"""What a model's folder must be before anything is loaded from it; else it is refused in a line that names the file.

Nothing here reads weights: of a safetensors file only its head, which says how long the file must be.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from membench.checkpoints.refused import refuse_published
from membench.errors import MembenchError
from membench.io.model_files import model_files

_POINTER = b"version https://git-lfs"
_FLOATS = {"F64", "F32", "F16", "BF16"}
_TOKENIZERS = ("token*", "vocab*", "*.model", "*.spm", "*.tiktoken", "merges*")
_CAUSAL = "take a causal language model"
_WHOLE = "take the whole model, in float32, bfloat16 or float16"


def refuse_language_model(folder: Path, name: str) -> None:
    """Refuse a folder that no causal language model can be loaded from as it is. Raises MembenchError."""
    if (folder / "adapter_config.json").exists():
        raise MembenchError(
            f"model {name}: {folder / 'adapter_config.json'}: an adapter and no whole model: merge it into its base "
            "model (peft's merge_and_unload) and save that"
        )
    packed = sorted(folder.glob("*.gguf"))
    if packed and not any(folder.glob("*.safetensors")):
        raise MembenchError(
            f"model {name}: {packed[0]}: GGUF files are not read: take the model's safetensors, or load the file with "
            "transformers (gguf_file=) and save it"
        )
    path = folder / "config.json"
    if not path.exists():
        raise MembenchError(f"model {name}: {path} is missing: name the folder that holds the model's config.json")
    if not any(folder.glob("*.safetensors")):
        raise MembenchError(f"model {name}: {folder} holds no .safetensors weights (pickled weights are never loaded)")
    refuse_damaged(folder, name)
    refuse_kind(_object(path, name), path, name)
    if not any(path for pattern in _TOKENIZERS for path in folder.glob(pattern)):
        raise MembenchError(f"model {name}: {folder} holds no tokenizer: fetch the model's tokenizer files as well")


def refuse_kind(config: Mapping[str, Any], path: Path | str, name: str) -> None:
    """Refuse what a configuration, read from `path`, says is no causal language model with plain weights.

    Raises MembenchError.
    """
    kind = str(config.get("model_type", ""))
    refuse_published("model", name, (kind, *(config.get("architectures") or ())))
    parts = [config, *(part for part in config.values() if isinstance(part, Mapping))]
    if any(part.get("quantization_config") for part in parts):
        raise MembenchError(f"model {name}: {path} says that its weights are quantised (quantization_config): {_WHOLE}")
    if config.get("is_encoder_decoder"):
        raise MembenchError(f"model {name}: {path}: {kind} has an encoder and a decoder: {_CAUSAL}")
    if any(part.get("is_causal") is False or _both_ways(part) for part in parts):
        raise MembenchError(f"model {name}: {path}: {kind} reads both ways, as encoders do: {_CAUSAL}")
    if not (config.get("auto_map") or _causal(kind)):
        raise MembenchError(f"model {name}: {path}: model type {kind!r} is no causal language model of transformers")


def refuse_damaged(folder: Path, name: str) -> None:
    """Refuse weights and other files of a folder that are cut off, empty, or a pointer to what was not fetched.

    Raises MembenchError with the first such file.
    """
    for path in (*sorted(folder.glob("*.safetensors")), *model_files(folder)):
        try:
            _refuse_file(path, name)
        except OSError as error:
            raise MembenchError(f"model {name}: {path}: cannot be read: {error.strerror}") from error
    for index in folder.glob("*.safetensors.index.json"):
        shards = _object(index, name).get("weight_map")
        for shard in sorted(set(shards.values())) if isinstance(shards, dict) else ():
            if not (folder / str(shard)).exists():
                raise MembenchError(f"model {name}: {index} names {shard}, which is missing: fetch it")


def _refuse_file(path: Path, name: str) -> None:
    with open(path, "rb") as file:
        head = file.read(len(_POINTER))
    if head == _POINTER:
        raise MembenchError(
            f"model {name}: {path} is a pointer of Git LFS and not the file: run `git lfs pull` in the folder"
        )
    if path.suffix == ".safetensors":
        _refuse_weights(path, name)


def _refuse_weights(path: Path, name: str) -> None:
    size = path.stat().st_size
    if not size:
        raise MembenchError(f"model {name}: {path} is empty: fetch it again")
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0]
        head = file.read(length) if 8 + length <= size else b""
    if not head:
        raise MembenchError(f"model {name}: {path} is cut off or no safetensors file ({size} bytes): fetch it again")
    try:
        tensors = {key: value for key, value in json.loads(head).items() if key != "__metadata__"}
        end = 8 + length + max((int(t["data_offsets"][1]) for t in tensors.values()), default=0)
        kinds = {str(t["dtype"]): key for key, t in tensors.items()}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise MembenchError(f"model {name}: {path} is no safetensors file: fetch it again") from None
    if end != size:
        raise MembenchError(f"model {name}: {path} has {size} bytes and should have {end}: fetch it again")
    for kind in sorted(kinds):
        if kind.startswith("F") and kind not in _FLOATS:
            raise MembenchError(f"model {name}: {path} holds {kind} weights ({kinds[kind]}): {_WHOLE}")


def _object(path: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise MembenchError(f"model {name}: {path} is no JSON: fetch it again") from error
    if not isinstance(found, dict):
        raise MembenchError(f"model {name}: {path} wants a JSON object, got {type(found).__name__}: fetch it again")
    return found


def _causal(kind: str) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    return kind in CAUSAL


def _both_ways(config: Mapping[str, Any]) -> bool:
    """Whether a configuration is an encoder's: of the families that fill masks, unless it is set to be a decoder."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    kind = config.get("model_type")
    decoder = config.get("is_decoder") or config.get("causal")
    return (kind in MASKED and kind in CAUSAL and not decoder) or config.get("use_bidirectional_attention") is True
