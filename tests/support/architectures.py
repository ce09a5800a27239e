"""Tiny random models of many architectures that transformers has, made in code; each with the tiny model's tokenizer.

Widths and depths are the smallest at which every part of an architecture is there: both kinds of layers, experts,
a sliding window of 64 tokens, scales other than 1, biases other than 0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging

from membench.plugins.tiny_model import _tokenizer

VOCABULARY = 320
WINDOW = 64  # tokens, of a sliding layer

_LOCAL, _FULL = "sliding_attention", "full_attention"
_LLAMA: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "initializer_range": 0.2,
}  # fmt: skip
_GPT2: dict[str, Any] = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 2048, "initializer_range": 0.2}
_NEOX = {key: value for key, value in _LLAMA.items() if key != "num_key_value_heads"}
_FALCON = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "initializer_range": 0.2}
_OPT = {
    "hidden_size": 64, "ffn_dim": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 2048, "init_std": 0.2,
}  # fmt: skip
_XGLM = {"d_model": 64, "ffn_dim": 128, "num_layers": 2, "attention_heads": 4, "max_position_embeddings": 2048}
_HEAD = {**_LLAMA, "head_dim": 16}
_SLIDING = {**_LLAMA, "sliding_window": WINDOW}
_GEMMA = {**_HEAD, "query_pre_attn_scalar": 16, "sliding_window": WINDOW}
_GEMMA3 = {**_GEMMA, "num_hidden_layers": 6}
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_QWEN_EXPERTS = {
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32,
}  # fmt: skip
_MAMBA = {
    "mamba_n_heads": 4, "mamba_d_state": 16, "mamba_d_head": 32, "mamba_expand": 2, "mamba_n_groups": 1,
    "mamba_chunk_size": 16,
}  # fmt: skip
_LINEAR = {
    "layer_types": ["linear_attention", "full_attention"], "linear_num_value_heads": 4, "linear_num_key_heads": 2,
    "linear_key_head_dim": 16, "linear_value_head_dim": 16,
}  # fmt: skip
_DEEPSEEK = {
    **_LLAMA, "num_key_value_heads": 4, "moe_intermediate_size": 32, "n_shared_experts": 1, "n_routed_experts": 8,
    "n_group": 2, "topk_group": 1, "num_experts_per_tok": 2, "kv_lora_rank": 16, "q_lora_rank": 32,
    "qk_rope_head_dim": 8, "v_head_dim": 16, "qk_nope_head_dim": 16, "first_k_dense_replace": 1,
}  # fmt: skip
_MANY = {
    **_HEAD, **_QWEN_EXPERTS, **_EXPERTS, "n_routed_experts": 4, "n_shared_experts": 1,
    "num_shared_experts": 1, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "moe_num_experts": 4,
    "moe_k": 2, "moe_topk": 2,
}  # fmt: skip
_YARN = {
    "rope_type": "yarn", "rope_theta": 10000.0, "factor": 16.0, "original_max_position_embeddings": 128,
    "beta_fast": 32.0, "beta_slow": 1.0,
}  # fmt: skip
_LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 256,
    "low_freq_factor": 1.0, "high_freq_factor": 4.0,
}  # fmt: skip
_GRANITE = {**_LLAMA, "logits_scaling": 8.0, "embedding_multiplier": 12.0, "residual_multiplier": 0.22}
_HYBRID_GRANITE = {**_LLAMA, "logits_scaling": 8.0, "num_local_experts": 0, "shared_intermediate_size": 128}
_VISION = {
    "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
    "patch_size": 14, "model_type": "siglip_vision_model",
}  # fmt: skip

# name: (model type of transformers, its settings)
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", _LLAMA),
    "llama-tied": ("llama", {**_LLAMA, "tie_word_embeddings": True}),
    "llama-eager": ("llama", {**_LLAMA, "_attn_implementation": "eager"}),
    "llama-dynamic-rope": ("llama", {**_LLAMA,
        "rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}}),
    "mistral": ("mistral", {**_LLAMA, "sliding_window": None}),
    "mistral-sliding": ("mistral", _SLIDING),
    "ministral": ("ministral", {**_HEAD, "sliding_window": WINDOW,
        "layer_types": [_LOCAL, _FULL]}),
    "ministral3": ("ministral3", {**_HEAD, "rope_parameters": {**_YARN, "llama_4_scaling_beta": 0.1}}),
    "mixtral": ("mixtral", {**_LLAMA, **_EXPERTS, "sliding_window": None}),
    "mixtral-sliding": ("mixtral", {**_SLIDING, **_EXPERTS}),
    "qwen2": ("qwen2", _LLAMA),
    "qwen2-sliding": ("qwen2", {**_SLIDING, "use_sliding_window": True, "max_window_layers": 1}),
    "qwen2-window-off": ("qwen2", {**_SLIDING, "use_sliding_window": False, "max_window_layers": 1}),
    "qwen2-moe": ("qwen2_moe", {**_LLAMA, **_QWEN_EXPERTS}),
    "qwen3": ("qwen3", _HEAD),
    "qwen3-moe": ("qwen3_moe", {**_HEAD, **_QWEN_EXPERTS}),
    "qwen3-next": ("qwen3_next", {**_HEAD, **_LINEAR, **_QWEN_EXPERTS}),
    "qwen3.5": ("qwen3_5_text", {**_HEAD, **_LINEAR}),
    "gemma": ("gemma", _HEAD),
    "gemma2": ("gemma2", _GEMMA),
    "gemma3": ("gemma3_text", _GEMMA3),
    "gemma3-multimodal": ("gemma3", {"text_config": {**_GEMMA3, "vocab_size": VOCABULARY}, "vision_config": _VISION,
        "mm_tokens_per_image": 4, "image_token_index": 5, "boi_token_index": 6, "eoi_token_index": 7}),
    "gemma3n": ("gemma3n_text", {**_HEAD, "num_hidden_layers": 5, "hidden_size_per_layer_input": 16,
        "vocab_size_per_layer_input": VOCABULARY, "altup_num_inputs": 2, "num_kv_shared_layers": 2, "laurel_rank": 4,
        "sliding_window": WINDOW, "layer_types": [_LOCAL, _FULL, _LOCAL, _LOCAL, _FULL],
        "activation_sparsity_pattern": [0.0] * 5, "intermediate_size": [128] * 5}),
    "gemma4": ("gemma4_text", {**_HEAD, "num_hidden_layers": 6, "sliding_window": WINDOW,
        "vocab_size_per_layer_input": VOCABULARY, "hidden_size_per_layer_input": 16, "global_head_dim": 16}),
    "vaultgemma": ("vaultgemma", _GEMMA),
    "phi": ("phi", _NEOX),
    "phi3": ("phi3", {**_LLAMA, "pad_token_id": 0, "sliding_window": None}),
    "phi3-sliding": ("phi3", {**_SLIDING, "pad_token_id": 0}),
    "phi3-longrope": ("phi3", {**_LLAMA, "pad_token_id": 0, "sliding_window": None,
        "max_position_embeddings": 8192, "original_max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000.0,
            "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}}),
    "phi4": ("phi3", {**_LLAMA, "pad_token_id": 0, "sliding_window": None, "partial_rotary_factor": 0.75,
        "tie_word_embeddings": True}),
    "phimoe": ("phimoe", {**_LLAMA, **_EXPERTS, "sliding_window": None, "lm_head_bias": True, "attention_bias": True}),
    "granite": ("granite", {**_GRANITE, "attention_multiplier": 0.25}),
    "granite-moe": ("granitemoe", {**_LLAMA, **_EXPERTS, "logits_scaling": 6.0}),
    "granite-moe-shared": ("granitemoeshared", {**_LLAMA, **_EXPERTS, "shared_intermediate_size": 64}),
    "granite-hybrid-attention": ("granitemoehybrid", {**_HYBRID_GRANITE, "layer_types": ["attention"] * 2,
        "position_embedding_type": "rope"}),
    "granite-hybrid": ("granitemoehybrid", {**_HYBRID_GRANITE, **_MAMBA, "layer_types": ["mamba", "attention"]}),
    "cohere": ("cohere", {**_LLAMA, "logit_scale": 0.0625}),
    "cohere2": ("cohere2", {**_SLIDING, "logit_scale": 0.25}),
    "olmo": ("olmo", _LLAMA),
    "olmo2": ("olmo2", _LLAMA),
    "olmo3": ("olmo3", {**_SLIDING, "num_hidden_layers": 4}),
    "olmoe": ("olmoe", {**_LLAMA, **_QWEN_EXPERTS}),
    "smollm3": ("smollm3", {**_LLAMA, "pad_token_id": 0, "no_rope_layers": [1, 0]}),
    "gpt-oss": ("gpt_oss", {**_HEAD, **_EXPERTS, "sliding_window": WINDOW, "rope_parameters": _YARN}),
    "stablelm": ("stablelm", _LLAMA),
    "starcoder2": ("starcoder2", {**_LLAMA, "sliding_window": None}),
    "starcoder2-sliding": ("starcoder2", _SLIDING),
    "glm": ("glm", {**_HEAD, "pad_token_id": 0}),
    "glm4": ("glm4", {**_HEAD, "pad_token_id": 0}),
    "exaone4": ("exaone4", {**_SLIDING, "sliding_window_pattern": 2}),
    "deepseek-v2": ("deepseek_v2", {**_DEEPSEEK, "first_k_dense_replace": 1}),
    "deepseek-v3": ("deepseek_v3", _DEEPSEEK),
    "minicpm3": ("minicpm3", {**_LLAMA, "num_key_value_heads": 4, "kv_lora_rank": 16, "q_lora_rank": 32,
        "qk_rope_head_dim": 8, "v_head_dim": 16, "qk_nope_head_dim": 16, "dim_model_base": 32, "scale_emb": 12}),
    "minimax": ("minimax", {**_LLAMA, "num_local_experts": 2, "num_experts_per_tok": 1, "block_size": 16,
        "layer_types": ["linear_attention", "full_attention"]}),
    "nemotron": ("nemotron", _LLAMA),
    "nanochat": ("nanochat", _HEAD),
    "apertus": ("apertus", {**_LLAMA, "rope_parameters": _LLAMA3}),
    "arcee": ("arcee", _LLAMA),
    "helium": ("helium", _HEAD),
    "hunyuan": ("hunyuan_v1_dense", {**_HEAD, "pad_token_id": 0}),
    "ernie4.5": ("ernie4_5", _LLAMA),
    "seed-oss": ("seed_oss", _HEAD),
    "jais2": ("jais2", _LLAMA),
    "cwm": ("cwm", {**_HEAD, "rope_parameters": _LLAMA3, "sliding_window": WINDOW, "layer_types": [_FULL, _LOCAL]}),
    "persimmon": ("persimmon", _NEOX),
    "llama4": ("llama4_text", {**_HEAD, "num_local_experts": 2, "num_experts_per_tok": 1, "intermediate_size_mlp": 64,
        "attention_chunk_size": WINDOW, "no_rope_layers": [1, 0],
        "layer_types": ["chunked_attention", "full_attention"]}),
    "gpt2": ("gpt2", _GPT2),
    "gpt-bigcode": ("gpt_bigcode", _GPT2),
    "gpt-neo": ("gpt_neo", {"hidden_size": 64, "num_layers": 2, "num_heads": 4, "window_size": WINDOW,
        "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 2048, "initializer_range": 0.2}),
    "gpt-j": ("gptj", {**_GPT2, "rotary_dim": 8}),
    "gpt-neox": ("gpt_neox", _NEOX),
    "codegen": ("codegen", {**_GPT2, "rotary_dim": 8}),
    "openai-gpt": ("openai-gpt", _GPT2),
    "ctrl": ("ctrl", {**_GPT2, "dff": 128}),
    "opt": ("opt", {**_OPT, "word_embed_proj_dim": 64}),
    "opt-350m": ("opt", {**_OPT, "word_embed_proj_dim": 32, "do_layer_norm_before": False}),
    "xglm": ("xglm", {**_XGLM, "init_std": 0.2}),
    "biogpt": ("biogpt", _NEOX),
    "bloom": ("bloom", {"hidden_size": 64, "n_layer": 2, "n_head": 4, "initializer_range": 0.2}),
    "mpt": ("mpt", {"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 2048, "initializer_range": 0.2}),
    "falcon": ("falcon", {**_FALCON, "alibi": False, "new_decoder_architecture": False, "multi_query": True}),
    "falcon-new": ("falcon", {**_FALCON, "alibi": False, "new_decoder_architecture": True, "num_kv_heads": 2}),
    "falcon-alibi": ("falcon", {**_FALCON, "alibi": True, "bias": True, "multi_query": False}),
    "falcon-h1": ("falcon_h1", {**_LLAMA, "mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16,
        "mamba_n_groups": 1, "mamba_d_state": 16, "mamba_chunk_size": 16, "lm_head_multiplier": 0.1}),
    "falcon-mamba": ("falcon_mamba", {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8}),
    "mamba": ("mamba", {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8, "initializer_range": 0.2}),
    "mamba2": ("mamba2", {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 16, "num_heads": 4, "head_dim": 32,
        "n_groups": 1, "chunk_size": 16, "expand": 2}),
    "bamba": ("bamba", {**_LLAMA, **_MAMBA, "attn_layer_indices": [1]}),
    "jamba": ("jamba", {**_LLAMA, "attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2,
        "num_experts": 2, "use_mamba_kernels": False, "mamba_d_state": 8}),
    "lfm2": ("lfm2", {**_LLAMA, "layer_types": ["conv", "full_attention"], "block_ff_dim": 128,
        "block_auto_adjust_ff_dim": False}),
    "recurrent-gemma": ("recurrent_gemma", {**_LLAMA, "num_hidden_layers": 3, "attention_window_size": WINDOW,
        "lru_width": 64}),
    "rwkv": ("rwkv", {"hidden_size": 64, "attention_hidden_size": 64, "num_hidden_layers": 2,
        "intermediate_size": 128, "context_length": 2048}),
    "modernbert-decoder": ("modernbert-decoder", {**_NEOX, "pad_token_id": 0, "num_hidden_layers": 3,
        "local_attention": WINDOW, "cls_token_id": 0, "sep_token_id": 1}),
    "afmoe": ("afmoe", {**_MANY, "sliding_window": WINDOW, "layer_types": [_LOCAL, _FULL]}),
    "bitnet": ("bitnet", _LLAMA), "doge": ("doge", _HEAD),
    "dots1": ("dots1", _MANY),
    "ernie4.5-moe": ("ernie4_5_moe", _MANY),
    "exaone-moe": ("exaone_moe", {**_MANY, "sliding_window": WINDOW, "layer_types": [_LOCAL, _FULL]}),
    "flex-olmo": ("flex_olmo", _MANY),
    "glm4-moe": ("glm4_moe", _MANY),
    "glm4-moe-lite": ("glm4_moe_lite", _DEEPSEEK),
    "hunyuan-moe": ("hunyuan_v1_moe", {**_MANY, "pad_token_id": 0}),
    "jetmoe": ("jetmoe", {**_LLAMA, **_EXPERTS, "num_key_value_heads": 2, "kv_channels": 16}),
    "lfm3": ("lfm3", {**_LLAMA, "layer_types": ["conv", "full_attention"]}),
    "minimax-m2": ("minimax_m2", _MANY),
    "mimo-v2-flash": ("mimo_v2_flash", {**_MANY, "layer_types": [_FULL, _LOCAL], "sliding_window": WINDOW,
        "v_head_dim": 16, "swa_num_attention_heads": 4, "swa_num_key_value_heads": 2, "swa_head_dim": 16,
        "swa_v_head_dim": 16}),
    "nemotron-h": ("nemotron_h", {**_HEAD, "layers_block_type": ["mamba", "attention"], "mamba_num_heads": 4,
        "mamba_head_dim": 32, "ssm_state_size": 16, "n_groups": 1, "chunk_size": 16}),
    "olmo-hybrid": ("olmo_hybrid", {**_HEAD, **_LINEAR}),
    "qwen3.5-moe": ("qwen3_5_moe_text", {**_HEAD, **_LINEAR, **_QWEN_EXPERTS}),
    "solar-open": ("solar_open", _MANY), "youtu": ("youtu", _DEEPSEEK),
    "bert": ("bert", {**_NEOX, "is_decoder": False}),
    "roberta": ("roberta", {**_NEOX, "is_decoder": False}),
}  # fmt: skip

NAMES = tuple(_KINDS)


def build(name: str, folder: Path) -> Path:
    """Save the tiny random model `name` (one of NAMES) and its tokenizer to a folder, unless it is there; the folder.

    The same weights every time. Raises KeyError for a model type that the installed transformers does not have.
    """
    if (folder / "config.json").exists():
        return folder
    kind, settings = _KINDS[name]
    tokenizer = _tokenizer()
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    if kind != "gemma3":
        settings = {"vocab_size": VOCABULARY, **special, **settings}
    implementation = settings.get("_attn_implementation")
    config = CONFIG_MAPPING[kind](**{key: settings[key] for key in settings.keys() - {"_attn_implementation"}})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for part, values in model.named_parameters():
                if part.endswith("bias") and not values.any():  # those of a trained model are not zero
                    values.normal_(0, 0.5)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if implementation:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"_attn_implementation": implementation}))
    return folder
