"""A dry run fetches nothing: what the hub has and the cache has not is named, with its size where the hub tells."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from click.testing import CliRunner, Result

from membench.cli import app

MODEL, DATA = "some-owner/some-model", "squad:some-owner/some-data"


def dry(*arguments: object) -> Result:
    given = ["run", "-m", "bm25", "-t", "single", "--dry-run", *map(str, arguments)]
    return CliRunner().invoke(app.main, given)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub that tells sizes and whose every download is an error; the names that it was asked for."""
    names: list[str] = []

    def download(name: str, **options: Any) -> str:
        assert options["local_files_only"], f"{name} would be fetched"
        raise huggingface_hub.errors.LocalEntryNotFoundError("not here")

    def info(_: Any, name: str, files_metadata: bool, **options: Any) -> Any:
        assert files_metadata
        names.append(name)
        files = {"model.safetensors": 2_000_000, "config.json": 500, "pytorch_model.bin": 9_000_000}
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=n, size=s) for n, s in files.items()])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", info)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return names


def test_a_hub_model_is_named_with_its_size(data_file: Path, asked: list[str]) -> None:
    done = dry("--model", MODEL, "--data", f"jsonl:{data_file}")
    assert done.exit_code == 0, done.output
    assert f"to fetch: {MODEL}: 2 MB (`hf download {MODEL}`)" in done.output  # pickles are never fetched
    assert "3 cells, 0 of them done" in done.output
    assert asked == [MODEL]


def test_hub_data_are_named_and_hide_no_others(tiny: Path, data_file: Path, asked: list[str]) -> None:
    found = json.loads(dry("--model", tiny, "--data", f"{DATA},jsonl:{data_file}", "--json").stdout)
    assert found["fetch"] == ["some-owner/some-data: 11 MB (`hf download --repo-type dataset some-owner/some-data`)"]
    known = {(row["data"], row["questions"] is not None, row["estimate"]) for row in found["cells"] if row["seed"] == 0}
    assert (DATA, False, "unknown until the data are fetched") in known
    assert any(data.startswith("jsonl:") and counted for data, counted, _ in known)


def test_where_nobody_can_be_asked_the_plan_still_stands(tiny: Path, asked: list[str]) -> None:
    done = dry("--model", tiny, "--data", DATA, "--offline")
    assert done.exit_code == 0, done.output
    assert "to fetch: some-owner/some-data: unknown, would be fetched" in done.output
    assert "no estimate for 1: their data are not here" in done.output
    assert asked == []


def test_a_hub_that_cannot_be_reached_tells_no_size(
    data_file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> Any:
        raise ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    done = dry("--model", MODEL, "--data", f"jsonl:{data_file}")
    assert (done.exit_code, "unknown, would be fetched" in done.output) == (0, True)
