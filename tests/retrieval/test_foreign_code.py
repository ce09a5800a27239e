"""Code that an encoder's files name is run for those who trust it alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.checkpoints.foreign_code import refuse_foreign_code
from membench.cli.app import main
from membench.errors import MembenchError
from membench.model.meter import Meter
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval import encoders

pytestmark = pytest.mark.long

RAN = "ran.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An encoder with a file of code that tells when it is run; nothing names it yet."""
    folder = tiny_encoder(tmp_path / "encoder")
    (folder / "modeling_own.py").write_text(
        "from pathlib import Path\n"
        "from sentence_transformers.sentence_transformer.modules import Pooling\n"
        f"Path({str(tmp_path / RAN)!r}).write_text('ran')\n"
        "class Own(Pooling):\n    pass\n",
        encoding="utf-8",
    )
    return folder


def named(folder: Path, kind: str, row: int = 1) -> Path:
    """The folder with a class in place of that of one module."""
    path = folder / "modules.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[row]["type"] = kind
    path.write_text(json.dumps(rows), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "kind",
    [
        "modeling_own.Own", "os.system", "subprocess.Popen", "sentence_transformersx.Own", "sentence_transformers",
        "sentence_transformers..os", "sentence_transformers.models.Pooling\n", "torch.nn.Identity", "",
    ],
)  # fmt: skip
def test_a_class_of_another_package_is_not_imported(folder: Path, kind: str, tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"modules\.json names .*: its code would be run.*--trust-remote-code"):
        encoders.load(str(named(folder, kind)), "cpu")
    assert not (tmp_path / RAN).exists()


def test_who_trusts_the_code_has_it_run(folder: Path, tmp_path: Path) -> None:
    trusted = encoders.load(str(named(folder, "modeling_own.Own")), "cpu", trust_remote_code=True)
    assert (tmp_path / RAN).exists()
    assert trusted.vectors(["Ines Corde"], Meter()).shape == (1, 32)
    with pytest.raises(MembenchError, match="--trust-remote-code"):  # also where it is loaded already
        encoders.load(str(folder), "cpu")


@pytest.mark.parametrize(
    ("file", "value", "allowed"),
    [
        ("3_Dense/config.json", {"activation_function": "modeling_own.Own"}, False),
        ("3_Dense/config.json", {"activation_function": "torch.nn.modules.activation.Tanh"}, True),
        ("3_Dense/config.json", {"activation_function": "torch.nn..os"}, False),
        ("0_Router/router_config.json", {"types": {"query_0": "modeling_own.Own"}}, False),
        ("0_Router/deep/config.json", {"types": {"query_0": "sentence_transformers.models.Pooling"}}, True),
        ("0_Words/config.json", {"tokenizer_class": "modeling_own.Own"}, False),
        ("0_Words/config.json", {"tokenizer_class": "BertTokenizer"}, True),
        ("config.json", {"hidden_act": "gelu", "layer_types": ["a.b"]}, True),
    ],
)
def test_classes_that_other_files_name_are_looked_at_too(folder: Path, file: str, value: Any, allowed: bool) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(json.dumps(value), encoding="utf-8")
    if allowed:
        refuse_foreign_code(folder, "mine")
    else:
        with pytest.raises(MembenchError, match=r"^encoder mine: .*config\.json names"):
            refuse_foreign_code(folder, "mine")


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '[{"name": "0"}]', "[" * 100_000])
def test_a_list_of_modules_that_is_none_is_one_line(folder: Path, text: str) -> None:
    (folder / "modules.json").write_text(text, encoding="utf-8")
    with pytest.raises(MembenchError, match=r"^encoder mine: .*modules\.json is no "):
        refuse_foreign_code(folder, "mine")


def test_a_run_refuses_it_before_the_first_cell(folder: Path, tiny: Path, data_file: Path, tmp_path: Path) -> None:
    named(folder, "modeling_own.Own")
    call: Callable[..., Any] = lambda *more: CliRunner().invoke(  # noqa: E731
        main,
        ["run", "-m", "dpr", "-t", "single", "-L", "1", "--model", str(tiny), "--data", f"jsonl:{data_file}",
         "-M", f"encoder={folder}", "-o", str(tmp_path / "out"), "--no-yardsticks", *more],
    )  # fmt: skip
    result = call()
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "names 'modeling_own.Own', which is no part of sentence-transformers" in result.stderr
    assert not (tmp_path / RAN).exists()
    assert not (tmp_path / "out").exists()
    result = call("--trust-remote-code")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / RAN).exists()
