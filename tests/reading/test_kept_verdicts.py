"""A trial of a model is paid for once: its verdict is kept, by all that can change it, and made anew if damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from membench.io import weights
from membench.model.llm import LLM
from membench.reading import kept_verdicts, self_test
from membench.trained import verdict
from membench.trained.verdict import training_verdict

KEY = "c" * 64


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was tried, in order."""
    out: list[str] = []
    for module, name in ((self_test, "_tried"), (verdict, "_judge")):
        real: Callable[..., object] = getattr(module, name)

        def watched(*given: object, real: Callable[..., object] = real, name: str = name) -> object:
            out.append(name)
            return real(*given)

        monkeypatch.setattr(module, name, watched)
    return out


def stored() -> list[Path]:
    return sorted((weights.home() / "verdicts").iterdir())


def test_a_checkpoint_is_tried_once(tiny: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = LLM.load(tiny, dtype="float32")
    said = training_verdict(first)
    assert tried == ["_tried", "_judge"]
    again = LLM.load(tiny, dtype="float32")
    assert (again.reader[0], again.reader[1].scale) == (first.reader[0], first.reader[1].scale)
    assert training_verdict(again) == said
    assert tried == ["_tried", "_judge"]
    LLM.load(tiny, dtype="bfloat16")
    monkeypatch.setattr(kept_verdicts, "_versions", lambda: ["torch 99"])
    LLM.load(tiny, dtype="float32")
    assert tried == ["_tried", "_judge", "_tried", "_tried"]


@pytest.mark.parametrize("bytes_", [b"", b"{", b"[]", b'{"found": {"slow": true}}', b"\xff\x00"])
def test_a_damaged_verdict_is_made_anew(bytes_: bytes, tiny: Path, tried: list[str]) -> None:
    LLM.load(tiny, dtype="float32")
    (path,) = stored()
    whole = path.read_bytes()
    path.write_bytes(bytes_)
    assert not LLM.load(tiny, dtype="float32").slow
    assert tried == ["_tried"] * 2
    assert path.read_bytes() == whole


def test_a_verdict_that_was_changed_is_none(tiny: Path, tried: list[str]) -> None:
    LLM.load(tiny, dtype="float32")
    (path,) = stored()
    path.write_bytes(path.read_bytes().replace(b"1.0", b"1.5"))
    assert LLM.load(tiny, dtype="float32").reader[1].scale == 1.0
    assert tried == ["_tried"] * 2


def test_where_nothing_can_be_kept_it_is_tried_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path, tried: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "file"))
    for _ in range(2):
        LLM.load(tiny, dtype="float32")
    assert tried == ["_tried"] * 2


def test_a_model_that_came_from_no_folder_keeps_nothing() -> None:
    kept_verdicts.keep("reader", "", {"slow": True})
    assert kept_verdicts.kept("reader", "") is None
    kept_verdicts.keep("reader", KEY, {"slow": True})
    assert kept_verdicts.kept("reader", KEY) == {"slow": True}
    assert kept_verdicts.kept("reader", KEY[:-1] + "d") is None
