"""Banks and credit unions, fees and loan rates, survey A and survey B, on the real default model."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from membench.analysis.verify import verify
from membench.corpora.probes import KINDS
from membench.planning.request import Request
from membench.running import runner
from membench.store.records import read_records
from tests.support.seed_questions import write

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Result and records of base, in-context and bm25, by method."""
    folder = tmp_path_factory.mktemp("seeds")
    data = write(folder / "seeds.jsonl")
    request = Request(
        ("bm25",), ("contamination",), (f"jsonl:{data}",), task_settings=("drift=2", "drift_items=2"), output=folder
    )
    results = runner.run(request, Console(quiet=True))
    assert all(verdict.ok for verdict in verify(folder))
    found = {}
    for result in results:
        (place,) = folder.glob(f"contamination--{result['recipe']['method']}--*")
        found[result["recipe"]["method"]] = (result, read_records(place))
    return found


def said(records: list[dict[str, Any]], question: str, written: int, episode: str = "banks") -> dict[str, Any]:
    (record,) = [
        r
        for r in records
        if r["type"] == "answer" and (r["question"], r["written"], r["episode"]) == (question, written, episode)
    ]
    return record


def test_records_hold_every_kind_before_and_after(played: dict[str, Any]) -> None:
    for result, records in played.values():
        assert result["status"] == "done"
        answers = [r for r in records if r["type"] == "answer"]
        for written in (0, 1):
            kinds = {r["tags"]["kind"] for r in answers if r["written"] == written and r["episode"] == "banks"}
            assert kinds == {"test", *KINDS}
        assert {r["tags"]["kind"] for r in answers if r["written"] == 2} == {"conflict", "source_old", "source_new"}


def test_base_neither_learns_nor_leaks_nor_drifts(played: dict[str, Any]) -> None:
    result, records = played["base"]
    values = {name: metric["value"] for name, metric in result["summary"].items()}
    assert values["efficacy/all"] == values["efficacy_base/all"]
    assert values["leak/pattern"] == values["leak/near_attribute"] == values["drift_kl/all"] == 0
    assert values["drift_ppl/all"] == 1
    assert said(records, "banks-0", 0)["answer"] == said(records, "banks-0", 1)["answer"]


def test_the_text_in_the_prompt_is_read_and_pulls_the_near_answers(played: dict[str, Any]) -> None:
    for method in ("in-context", "bm25"):
        result, records = played[method]
        assert "38" in said(records, "banks-0", 1)["answer"]
        for probe in (3, 4):  # loan rates, credit unions
            before, after = (said(records, f"banks-probe-{probe}", k)["scores"]["leak_margin"] for k in (0, 1))
            assert after > before
        assert result["summary"]["drift_kl/all"]["value"] > 0
        assert 0 <= result["summary"]["abstention/all"]["value"] <= 1


def test_two_surveys_make_a_conflict(played: dict[str, Any]) -> None:
    for result, _ in played.values():
        shares = [result["summary"][f"conflict/{c}"]["value"] for c in ("new", "old", "both", "neither")]
        assert sum(shares) == pytest.approx(1)
    summary = played["in-context"][0]["summary"]
    assert summary["conflict/neither"]["value"] < summary["conflict_base/neither"]["value"] + 1e-9
