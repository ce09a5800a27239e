"""A model's folder is loaded whole or refused in one line that names the file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, BloomConfig, BloomForCausalLM, GPT2Config, GPT2LMHeadModel

from membench.cli.app import main
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.plugins.tiny_model import tiny_encoder

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4665b1b2\nsize 269060552\n"
UP = "model.layers.1.mlp.up_proj.weight"


def setting(folder: Path, file: str = "config.json", /, **values: object) -> None:
    config = json.loads((folder / file).read_text(encoding="utf-8"))
    (folder / file).write_text(json.dumps(config | values), encoding="utf-8")


def tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    held = load_file(folder / "model.safetensors")
    change(held)
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})


def truncated(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5000])


def beheaded(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])


def larger_tokenizer(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["harbour", "ship"])
    tokenizer.save_pretrained(folder)


def adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")


def encoder(folder: Path) -> None:
    shutil.rmtree(folder)
    tiny_encoder(folder)


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()


def gguf(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.gguf")


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def missing_shard(folder: Path) -> None:
    index = {"metadata": {}, "weight_map": {UP: "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def fp8(folder: Path) -> None:
    tensors(folder, lambda held: held.update({UP: held[UP].to(torch.float8_e4m3fn)}))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "pointer": (lambda f: (f / "model.safetensors").write_text(POINTER), r"model\.safetensors is a pointer of Git LFS"),
    "tokenizer pointer": (lambda f: (f / "tokenizer.json").write_text(POINTER), r"tokenizer\.json is a pointer of Git"),
    "truncated": (truncated, r"model\.safetensors has 457176 bytes and should have 462176: fetch it again"),
    "beheaded": (beheaded, r"model\.safetensors is cut off or no safetensors file \(100 bytes\)"),
    "empty": (lambda f: (f / "model.safetensors").write_bytes(b""), r"model\.safetensors is empty"),
    "shard": (missing_shard, r"index\.json names model-2\.safetensors, which is missing"),
    "quantised": (lambda f: setting(f, quantization_config={"bits": 4}), r"config\.json says .* are quantised"),
    "nested": (
        lambda f: setting(f, text_config={"quantization_config": {"bits": 4}}),
        r"config\.json .* are quantised",
    ),
    "fp8": (fp8, r"model\.safetensors holds F8_E4M3 weights \(model\.layers\.1\.mlp\.up_proj\.weight\)"),
    "gguf": (gguf, r"model\.gguf: GGUF files are not read"),
    "pickled": (pickled, r"holds no \.safetensors weights"),
    "adapter": (adapter, r"adapter_config\.json: an adapter and no whole model: merge it"),
    "encoder": (encoder, r"config\.json: bert reads both ways"),
    "both ways": (lambda f: setting(f, use_bidirectional_attention=True), r"config\.json: llama reads both ways"),
    "encoder and decoder": (lambda f: setting(f, is_encoder_decoder=True), r"config\.json: llama has an encoder and a"),
    "model type": (
        lambda f: setting(f, model_type="vit"),
        r"config\.json: model type 'vit' is no causal language model",
    ),
    "no config": (lambda f: (f / "config.json").unlink(), r"config\.json is missing"),
    "no json": (lambda f: (f / "config.json").write_text("{"), r"config\.json is no JSON"),
    "no object": (lambda f: (f / "config.json").write_text("[]"), r"config\.json wants a JSON object, got list"),
    "no tokenizer": (no_tokenizer, "holds no tokenizer"),
}
LOADED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda f: tensors(f, lambda held: held.pop(UP)), rf"the checkpoint lacks {UP}: fetch the whole"),
    "unexpected": (
        lambda f: tensors(f, lambda held: held.update({UP.replace("weight", "bias"): torch.zeros(128)})),
        r"no place for model\.layers\.1\.mlp\.up_proj\.bias",
    ),
    "more layers": (lambda f: setting(f, num_hidden_layers=1), r"no place for model\.layers\.1\..* and 6 more"),
    "shape": (
        lambda f: tensors(f, lambda held: held.update({UP: torch.zeros(64, 64)})),
        rf"tensor {UP} has shape \(64, 64\) and config\.json wants \(128, 64\)",
    ),
    "tokenizer": (larger_tokenizer, r"tokens that the model, with 320, has not \(harbour, ship\)"),
    "broken tokenizer": (lambda f: (f / "tokenizer.json").write_text("{}"), "cannot load model"),
}


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "own"))


@pytest.mark.parametrize("kind", [*BROKEN, *LOADED])
def test_what_is_no_whole_model_is_refused_in_one_line(own: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    breaks, message = (BROKEN | LOADED)[kind]
    breaks(own)
    with pytest.raises(MembenchError, match=message) as caught:
        LLM.load(own)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["truncated", "pointer", "quantised", "encoder", "missing", "tokenizer", "shape"])
def test_a_run_refuses_it_before_the_first_cell(own: Path, data_file: Path, tmp_path: Path, kind: str) -> None:
    breaks, message = (BROKEN | LOADED)[kind]
    breaks(own)
    typed = ["run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{data_file}", "-L", "2", "--model", str(own)]
    done = CliRunner().invoke(main, [*typed, "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert re.search(message, " ".join(done.output.split())), done.output
    assert not list((tmp_path / "out").glob("*/result.json"))


@pytest.mark.parametrize("kind", ["truncated", "pointer", "empty", "quantised", "adapter", "gguf"])
def test_so_does_a_dry_run(own: Path, data_file: Path, tmp_path: Path, kind: str) -> None:
    BROKEN[kind][0](own)
    typed = ["run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{data_file}", "--model", str(own), "--dry-run"]
    assert CliRunner().invoke(main, [*typed, "-o", str(tmp_path / "out")]).exit_code == 2


def test_a_tower_for_pictures_may_be_left_out(own: Path) -> None:
    tensors(own, lambda held: held.update({"vision_tower.patches.weight": torch.zeros(2)}))
    assert LLM.load(own).window == 2048


def test_a_special_token_beyond_the_model_is_refused_where_a_text_holds_it(own: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(own)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<picture>"]})
    tokenizer.save_pretrained(own)
    model = LLM.load(own)
    assert model.ids("A picture")
    with pytest.raises(MembenchError, match="has no vector for '<picture>', which a text holds: take it out"):
        model.ids("A <picture>")


def test_the_longest_input_is_found_in_every_form(own: Path) -> None:
    GPT2LMHeadModel(GPT2Config(vocab_size=320, n_layer=1, n_head=2, n_positions=77, n_embd=8)).save_pretrained(own)
    assert LLM.load(own).window == 77
    BloomForCausalLM(BloomConfig(vocab_size=320, n_layer=1, n_head=2, hidden_size=8)).save_pretrained(own)
    assert LLM.load(own).window > 10**9  # without positions there is no limit


@pytest.mark.parametrize("kind", ["truncated", "pointer", "empty"])
def test_encoders_are_checked_as_well(tmp_path: Path, kind: str) -> None:
    from membench.retrieval import encoders

    folder = tiny_encoder(tmp_path / "encoder")
    (truncated if kind == "truncated" else BROKEN[kind][0])(folder)
    with pytest.raises(MembenchError, match=r"model\.safetensors (has|is)"):
        encoders.identity(str(folder), offline=True)
