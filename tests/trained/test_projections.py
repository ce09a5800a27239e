"""LoRA covers query, key, value, up, gate and down projections under whatever name an architecture gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from membench.trained.projections import LLAMA, has_experts, layers_of, planned_roles, projections, roles

_LLAMA: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "vocab_size": 64, "pad_token_id": None,
}  # fmt: skip
_GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128, "vocab_size": 64}
_QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_NEOX = ("query_key_value", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h")
_LATENT = tuple(f"self_attn.{name}" for name in ("q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"))


def meta(kind: str, **settings: Any) -> Any:
    """A model of this type without weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**settings))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("llama", _LLAMA, LLAMA),
        ("qwen3", _LLAMA, LLAMA),
        ("arcee", _LLAMA, (*_QKV, "mlp.up_proj", "mlp.down_proj")),
        ("starcoder2", _LLAMA, (*_QKV, "mlp.c_fc", "mlp.c_proj")),
        ("phi", _LLAMA, (*_QKV, "mlp.fc1", "mlp.fc2")),
        ("phi3", _LLAMA, ("self_attn.qkv_proj", "mlp.gate_up_proj", "mlp.down_proj")),
        ("gpt_neox", _LLAMA, tuple(f"attention.{n}" if n == _NEOX[0] else n for n in _NEOX)),
        ("falcon", _LLAMA, tuple(f"self_attention.{n}" if n == _NEOX[0] else n for n in _NEOX)),
        ("gpt2", _GPT2, ("attn.c_attn", "mlp.c_fc", "mlp.c_proj")),
        ("opt", {**_LLAMA, "ffn_dim": 128, "word_embed_proj_dim": 32}, (*(_QKV[i] for i in (1, 2, 0)), "fc1", "fc2")),
        ("mpt", {"d_model": 64, "n_heads": 4, "n_layers": 2}, ("attn.Wqkv", "ffn.up_proj", "ffn.down_proj")),
        ("mixtral", {**_LLAMA, "num_local_experts": 2}, _QKV),
        ("phimoe", {**_LLAMA, "num_local_experts": 2}, _QKV),
        (
            "hunyuan_v1_moe",  # its router is a module of modules
            {**_LLAMA, "num_experts": 2, "moe_topk": 1, "head_dim": 16},
            (*_QKV, *(f"mlp.shared_mlp.{role}_proj" for role in ("gate", "up", "down"))),
        ),
        (
            "deepseek_v3",
            {**_LLAMA, "n_routed_experts": 8, "moe_intermediate_size": 32, "first_k_dense_replace": 1},
            (*_LATENT, *(f"mlp.{part}{r}_proj" for part in ("", "shared_experts.") for r in ("gate", "up", "down"))),
        ),
        (
            "lfm2",
            {**_LLAMA, "layer_types": ["conv", "full_attention"]},
            ("conv.in_proj", *(f"feed_forward.w{i}" for i in (1, 3, 2)), *_QKV),
        ),
        ("gemma3n_text", {"num_hidden_layers": 20, "hidden_size": 64, "vocab_size": 64, "pad_token_id": None}, LLAMA),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_roles_on_every_architecture(kind: str, settings: dict[str, Any], expected: tuple[str, ...]) -> None:
    model = meta(kind, **settings)
    found = roles(model)
    assert set(found) == set(expected)
    prefix, layers = layers_of(model)
    upper = projections(model, len(layers) - 1)
    assert upper
    assert all(name.startswith(f"{prefix}.{len(layers) - 1}.") for name in upper)
    assert has_experts(model) == (kind in ("mixtral", "phimoe", "hunyuan_v1_moe", "deepseek_v3"))


def test_shared_experts_are_told_from_a_dense_llama() -> None:
    """Their leaf names are Llama's; what is trained is not."""
    assert set(roles(meta("qwen2_moe", **_LLAMA, num_experts=2))) > set(_QKV)


def test_they_are_known_before_the_weights_are_loaded(tmp_path: Path) -> None:
    """The recipe names them."""
    CONFIG_MAPPING["phi3"](**_LLAMA).save_pretrained(tmp_path)
    assert planned_roles(str(tmp_path)) == ("self_attn.qkv_proj", "mlp.gate_up_proj", "mlp.down_proj")


def test_only_the_text_model_of_several_is_trained() -> None:
    vision = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = meta("gemma3", text_config=_LLAMA, vision_config={**vision, "model_type": "siglip_vision_model"})
    assert {name.split(".")[1] for name in projections(model)} == {"language_model"}
