"""Adapters as peft saves them: the model that wears one is the model that peft made, or the adapter is refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.programs.peft_folder import CONFIG, TENSORS, read_adapter


@pytest.fixture(scope="module")
def saved(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    """An adapter that peft saved, and the logits of the model that wore it."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=12, use_rslora=True, target_modules=["q_proj", "up_proj"])
    with warnings.catch_warnings():  # of a property that transformers has renamed
        warnings.simplefilter("ignore", FutureWarning)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32), config).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder)
    with torch.no_grad():
        return folder, model(torch.arange(9)[None]).logits


@pytest.mark.parametrize("name", ["", TENSORS])
def test_a_model_that_wears_it_is_the_one_that_peft_made(llm: LLM, saved: tuple[Path, torch.Tensor], name: str) -> None:
    folder, logits = saved
    adapter = read_adapter(folder / name, llm.model)
    with torch.no_grad():
        assert not torch.allclose(llm.model(torch.arange(9)[None]).logits, logits, atol=1e-3)
        with llm.wearing(adapter):
            assert torch.allclose(llm.model(torch.arange(9)[None]).logits, logits, atol=1e-5)


Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("config", "tensors", "reason"),
    [
        ({"use_dora": True}, {}, "has use_dora=True: only plain LoRA of one rank"),
        ({"rank_pattern": {"q_proj": 2}}, {}, "has rank_pattern="),
        ({"modules_to_save": ["lm_head"]}, {}, "has modules_to_save="),
        ({"peft_type": "IA3"}, {}, "is of no LoRA"),
        ({"r": "four"}, {}, "wants numbers r and lora_alpha, got 'four' and 12"),
        ({}, {Q: torch.zeros(4, 3)}, "q_proj is "),
        ({}, {Q.replace("layers.0", "layers.77"): torch.zeros(4, 4)}, "the model has no model.layers.77.self_attn"),
        ({}, {"base_model.model.lm_head.weight": torch.zeros(4, 4)}, "is no factor of LoRA"),
        ({}, None, "is no adapter that can be read"),
    ],
)
def test_what_is_no_adapter_of_the_model_is_refused(
    llm: LLM, saved: tuple[Path, torch.Tensor], tmp_path: Path, config: dict[str, object],
    tensors: dict[str, torch.Tensor] | None, reason: str,
) -> None:  # fmt: skip
    whole = json.loads((saved[0] / CONFIG).read_text()) | config
    (tmp_path / CONFIG).write_text(json.dumps(whole))
    if tensors is not None:
        save_file(load_file(saved[0] / TENSORS) | tensors, tmp_path / TENSORS)
    with pytest.raises(MembenchError, match=r"^[^\n]*$") as raised:
        read_adapter(tmp_path, llm.model)
    assert reason in str(raised.value)
