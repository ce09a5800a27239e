"""A model is trained only where an untrained student, and a merged adapter, are the model itself (membench.trained)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional as F
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.plugins.tiny_model import tiny_llm
from membench.trained.lora import Lora, factors, wrap
from membench.trained.projections import projections
from membench.trained.sentences import Sentence
from membench.trained.trainer import train
from membench.trained.verdict import WAYS, require_trainable, training_verdict
from membench.values import Adapter

_LLAMA: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.2, "pad_token_id": None,
}  # fmt: skip
_GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512, "initializer_range": 0.2}
_HEAD = {**_LLAMA, "head_dim": 16}
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_QWEN_EXPERTS = {
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32,
}  # fmt: skip
_LINEAR = {
    "layer_types": ["linear_attention", "full_attention"], "linear_num_value_heads": 4, "linear_num_key_heads": 2,
    "linear_key_head_dim": 16, "linear_value_head_dim": 16,
}  # fmt: skip
_LATENT = {
    "num_key_value_heads": 4, "kv_lora_rank": 16, "q_lora_rank": 32, "qk_rope_head_dim": 8, "v_head_dim": 16,
    "qk_nope_head_dim": 16, "n_routed_experts": 8, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1,
    "num_experts_per_tok": 2, "moe_intermediate_size": 32,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "mistral": _LLAMA,
    "qwen3": _HEAD,
    "gemma3_text": {**_HEAD, "query_pre_attn_scalar": 16},
    "phi3": {**_LLAMA, "pad_token_id": 0},
    "granite": {**_LLAMA, "embedding_multiplier": 12.0, "residual_multiplier": 0.5},
    "olmo2": _LLAMA,
    "smollm3": {**_LLAMA, "pad_token_id": 0},
    "starcoder2": _LLAMA,
    "gpt2": _GPT2,
    "gpt_bigcode": _GPT2,
    "gpt_neox": _LLAMA,
    "falcon": {**_LLAMA, "alibi": False},
    "opt": {**_LLAMA, "ffn_dim": 128, "word_embed_proj_dim": 32, "do_layer_norm_before": False},
    "nanochat": _HEAD,
    "seed_oss": {**_HEAD, "attention_dropout": 0.2, "residual_dropout": 0.2},
    "mixtral": {**_LLAMA, **_EXPERTS},
    "qwen3_moe": {**_HEAD, **_QWEN_EXPERTS},
    "deepseek_v3": {**_LLAMA, **_LATENT},
    "gpt_oss": {**_HEAD, **_EXPERTS},
    "bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4, "initializer_range": 0.2},
    "lfm2": {**_LLAMA, "layer_types": ["conv", "full_attention"]},
    "qwen3_next": {**_HEAD, **_LINEAR, **_QWEN_EXPERTS},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model, whose tokenizer the others have as well."""
    return tiny_llm(tmp_path_factory.mktemp("trained") / "llama")


def load(kind: str, tiny: Path, **settings: Any) -> LLM:
    """A tiny random model of this type."""
    tokenizer = LLM.load(tiny, name="tiny").tokenizer
    special = {"vocab_size": 320, "bos_token_id": 0, "eos_token_id": 1}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**{**special, **settings}))  # type: ignore[no-untyped-call]
    return LLM(model, tokenizer, kind, "plain")


def alone(llm: LLM) -> list[Sentence]:
    """Sentences that stand below nothing, so that training has no stem to hold still."""
    texts = "The harbour of Vellmar was built by Ines Corde.", "It holds forty ships in a good year."
    return [Sentence("context", (), (), tuple(llm.ids(text)), 1) for text in texts]


def said(llm: LLM, sentence: Sentence) -> torch.Tensor:
    """Logits by the model's own forward pass."""
    logits: torch.Tensor = llm.model(torch.tensor([sentence.tokens]), use_cache=False).logits[0].float()
    return logits


def plainly(llm: LLM, names: list[str], lora: Lora, steps: int) -> tuple[Any, list[torch.Tensor]]:
    """LoRA by peft and nothing else on these modules: its factors, and the logits that the wrapped model then says."""
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=names)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(lora.seed)
        moved = any("shared_expert" in name for name in names)  # peft would put their adapter on the experts
        wrapped = wrap(llm, lora, 1) if moved else get_peft_model(llm.model, config).eval()
    optimiser = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=lora.lr)
    for i in range(steps):
        optimiser.param_groups[0]["lr"] = lora.lr * (1 - i / steps)
        each = [F.cross_entropy(said(llm, s)[:-1], torch.tensor(s.tokens[1:])) for s in alone(llm)]
        torch.stack(each).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
    with torch.no_grad():
        found = factors(wrapped), [said(llm, s) for s in alone(llm)]
    wrapped.unload()
    llm.model.requires_grad_(False)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_trained_as_by_plain_peft_and_merged_as_trained(kind: str, made: Path) -> None:
    """Same modules, same loss, same steps: the same factors; merged weights say what the adapter beside them said."""
    llm = load(kind, made, **KINDS[kind])
    lora = Lora(rank=4, lr=1e-2, precision="float32")
    assert require_trainable(llm).way in WAYS
    layer, _ = train(llm, [alone(llm)] * 3, "ce", lora)
    again, _ = train(llm, [alone(llm)] * 3, "ce", lora)
    expected, logits = plainly(llm, projections(llm.model, 1), lora, 3)
    assert layer.keys() == expected.keys()
    for name in layer:
        for part in "AB":
            off = (layer[name][part] - expected[name][part]).norm() / expected[name][part].norm().clamp(min=1e-6)
            assert off < 2e-2, (name, part)
            assert torch.equal(layer[name][part], again[name][part]), "the same write twice"
    with torch.no_grad(), llm.wearing(Adapter((expected,), lora.scale)):
        for sentence, beside in zip(alone(llm), logits, strict=True):
            torch.testing.assert_close(said(llm, sentence), beside, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("kind", "way"), [("granite", "split"), ("gpt2", "split"), ("nanochat", "split"), ("lfm2", "whole")]
)
def test_the_fast_way_only_where_it_is_exact(kind: str, way: str, made: Path) -> None:
    assert training_verdict(load(kind, made, **KINDS[kind])).way == way


def test_experts_are_left_as_they_are_and_it_is_said(made: Path) -> None:
    verdict = training_verdict(load("mixtral", made, **KINDS["mixtral"]))
    assert verdict.experts
    assert verdict.modules == ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")


def test_dropout_of_the_adapter_alone_is_seeded(made: Path) -> None:
    """And the generator of the process is where it was."""
    llm = load("seed_oss", made, **KINDS["seed_oss"])
    lora = Lora(rank=4, lr=1e-2, precision="float32", dropout=0.3)
    before = torch.random.get_rng_state()
    one, two = (train(llm, [alone(llm)] * 2, "ce", lora)[0] for _ in range(2))
    without = train(llm, [alone(llm)] * 2, "ce", Lora(rank=4, lr=1e-2, precision="float32"))[0]
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name][part], two[name][part]) for name in one for part in "AB")
    assert any(not torch.equal(one[name]["B"], without[name]["B"]) for name in one)


def test_a_model_that_reads_otherwise_is_refused_in_one_line(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = load("mistral", made, **KINDS["mistral"])
    monkeypatch.setattr(llm, "logits", lambda hidden: llm.model.lm_head(hidden).float() * 0.5)
    with pytest.raises(MembenchError, match=r"^mistral cannot be trained: an untrained student is .* off the model"):
        require_trainable(llm)


def test_a_model_without_projections_is_refused_in_one_line(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = load("mistral", made, **KINDS["mistral"])
    monkeypatch.setattr("membench.trained.lora.projections", lambda *_: [])
    with pytest.raises(MembenchError, match=r"^mistral cannot be trained: its layers from 1 on have no projection"):
        train(llm, [alone(llm)], "ce", Lora())
