"""Recommendation on the real default model: the dialogues that were written must show, at least in the likelihoods."""

from __future__ import annotations

from pathlib import Path

import pytest

import membench
from membench.analysis.verify import verify

pytestmark = pytest.mark.e2e


def test_retrieved_dialogues_make_their_films_likelier(tmp_path: Path) -> None:
    base, bm25 = membench.run(
        "base,bm25", "recommendation", data="movie-worlds", limit=6, task_settings=("turns=6", "k=3"),
        yardsticks=False, output=tmp_path / "results",
    )  # fmt: skip
    assert [base["status"], bm25["status"]] == ["done", "done"]
    found = {name: [r["summary"][name]["value"] for r in (base, bm25)] for name in ("mrr_mc/all", "valid/all")}
    assert found["mrr_mc/all"][1] > found["mrr_mc/all"][0] + 0.2
    assert all(0 <= value <= 1 for value in found["valid/all"])
    assert base["counts"] == bm25["counts"] == {"contexts": 6, "questions": 16, "answered": 16}
    assert all(verdict.ok for verdict in verify(tmp_path / "results"))
