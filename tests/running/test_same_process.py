"""Two runs in one process: what has changed between them, under the name it had, is read anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval import encoders
from membench.store import cell_folder
from membench.store.records import read_records


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    """One context, no yardsticks."""
    return {
        "data": f"jsonl:{data_file}", "model": str(tiny), "limit": 1, "output": tmp_path / "out", "yardsticks": False
    }  # fmt: skip


def targets(result: dict[str, Any], given: dict[str, Any]) -> set[str]:
    pairs = cell_folder.read_targets(cell_folder.folder_of(given["output"], result["recipe"]))
    return {pair.answer for group in pairs.values() for pair in group}


def test_recorded_targets_and_generic_text(given: dict[str, Any], data_file: Path, tmp_path: Path) -> None:
    recorded, text = tmp_path / "recorded.jsonl", tmp_path / "text.txt"
    context = json.loads(data_file.read_text(encoding="utf-8").splitlines()[0])["context"]
    settings = [
        f"targets=recorded:{recorded}", f"generic_text=file:{text}", "generic=1", "epochs=1", "answers=gold"
    ]  # fmt: skip
    found = []
    for word in ("FIRST", "OTHER"):
        row = {"context": context, "pairs": [{"question": "Who made this harbour?", "answer": word}]}
        recorded.write_text(json.dumps(row), encoding="utf-8")
        text.write_text("\n\n".join(f"{word} text {i} on what is said here." for i in range(10)), encoding="utf-8")
        (result,) = membench.run("ft-s", "single", method_settings=settings, **given)
        found.append((result["recipe"]["sources"], targets(result, given)))
    (first, said), (second, said_then) = found
    assert (said, said_then) == ({"FIRST"}, {"OTHER"})
    assert first["targets"] != second["targets"]
    assert first["generic_text"] != second["generic_text"]


def test_drift_texts_and_suites(given: dict[str, Any], tmp_path: Path) -> None:
    text, items = tmp_path / "text.txt", tmp_path / "items.jsonl"
    settings = ["drift=1", f"drift_text=file:{text}", f"drift_suites=lambada:{items}"]
    found = []
    for count, word in ((1, "one"), (2, "two")):
        text.write_text("\n\n".join(f"{word} {i} " * 12 for i in range(10)), encoding="utf-8")
        items.write_text((json.dumps({"text": f"a harbour lies at {word}"}) + "\n") * count, encoding="utf-8")
        (result,) = membench.run("bm25", "sequential", task_settings=settings, **given)
        rows = read_records(cell_folder.folder_of(given["output"], result["recipe"]))
        read = [r["items"] for r in rows if r["type"] == "drift"]
        found.append((result["recipe"]["sources"]["drift"], read))
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]


def test_an_encoder(given: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "encoder")
    first = encoders.load(str(folder), "cpu")
    assert encoders.load(str(folder), "cpu") is first
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}),
        encoding="utf-8",
    )
    second = encoders.load(str(folder), "cpu")
    assert second is not first
    assert (first.read("a harbour of ships", False)[0] != second.read("a harbour of ships", False)[0]).any()


def test_the_model(given: dict[str, Any], tiny: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny, tmp_path / "model"))
    (before,) = membench.run("in-context", "single", **given | {"model": str(model), "yardsticks": False})
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": 3.0}
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (after,) = membench.run("in-context", "single", **given | {"model": str(model), "yardsticks": False})
    assert before["id"] != after["id"]
    assert before["summary"] != after["summary"]
