"""Controls, ledger, budgets, fronts and the record of reproduction, against numbers worked by hand."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from membench.api import Answer, Pair
from membench.errors import MembenchError
from membench.plugins.registry import load
from membench.running import environment
from membench.statistics.break_even import Span, amortised, break_even, spans
from membench.store.costs import ledger_of
from membench.store.question_subsets import compared, needing
from membench.tables.entry import Entry
from membench.tables.pareto import LIMITS, fit, limits, with_fronts
from membench.targets.overlap import overlaps


def answer(question: str, contains: float, fact: str | None = None, seen: bool = True) -> Answer:
    tags = {"fact": fact} if fact else {}
    position = 1 if seen else 0
    return Answer("e", 1, 1, position, question, question[:2], tags, question, ("g",), "a", {"contains": contains})


def test_a_question_needs_the_memory_if_no_phrasing_is_known_and_the_reference_reads_it() -> None:
    floor = [
        answer("c0-a", 0),
        answer("c0-b", 0, "x"),
        answer("c0-b2", 1, "x"),
        answer("c0-c", 0),
        answer("c1-b", 0, "x"),
    ]
    reference = [answer(q, r, f) for q, r, f in (
        ("c0-a", 1, None), ("c0-b", 1, "x"), ("c0-b2", 1, "x"), ("c0-c", 0, None), ("c1-b", 1, "x"),
    )]  # fmt: skip
    assert needing(floor, reference) == {"c0-a", "c1-b"}


def test_controls_are_the_tasks_own_summary_of_those_questions() -> None:
    mine = [answer("c0-a", 1), answer("c0-b", 0), answer("c1-a", 0), answer("c1-b", 1)]
    golds = {"base": [answer("c0-a", 0), answer("c0-b", 1), answer("c1-a", 0), answer("c1-b", 0)],
             "in-context": [answer(q, 1) for q in ("c0-a", "c0-b", "c1-a", "c1-b")]}  # fmt: skip
    found = compared(load("tasks", "single")(), mine, golds, {"c0-a": 0.9, "c0-b": 0.2, "c1-a": 0.6})
    assert found["yardsticks"]["base"]["contains/all"]["value"] == 0.25
    controls = found["controls"]
    assert (controls["questions"], controls["sizes"]) == (4, {"far": 1, "mid": 1, "near": 1, "need": 3})
    assert controls["metrics"]["contains/need"] == {"value": 0.75, "contexts": {"c0": 1.0, "c1": 0.5}}
    assert controls["metrics"]["contains/near"]["value"] == 1.0
    placebo = [answer("h0-a", 1, seen=False), answer("h0-b", 0, seen=False)]
    wide = {"h0-a": 0.9, "h0-b": 0.1, "c0-a": 0.9, "c0-b": 0.2, "c1-a": 0.6}
    assert compared(load("tasks", "batch")(), [*mine, *placebo], golds, wide)["controls"] == controls
    alone = compared(load("tasks", "single")(), mine, {}, {})
    assert alone["controls"] == {"questions": 4, "sizes": {}, "metrics": {}}


def test_overlap_is_the_largest_share_of_words_in_one_pair() -> None:
    pairs = [Pair("Who built the harbour of Oxley?", "Tam Reed"), Pair("When?", "1874")]
    asked = {"q1": "Who made the harbour of Oxley?", "q2": "In 1874?", "q3": "Why"}
    assert overlaps(asked, pairs) == {"q1": 0.8, "q2": 0.5, "q3": 0.0}
    assert overlaps(asked, []) == {}


def change(episode: str, step: int, seconds: float, size: int, tokens: dict[str, Any]) -> dict[str, Any]:
    return {"type": "write", "episode": episode, "step": step, "contexts": [f"c{step}"], "seconds": seconds,
            "tokens": tokens, "memory": "m", "state_bytes": size, "growth_bytes": 0}  # fmt: skip


def test_marginal_bytes_are_taken_within_episodes() -> None:
    """One episode has many short texts, others few long ones: side by side their sizes fall with the number."""
    sizes = {"short": (10, 20, 30, 40), "long": (500, 600), "one": (9000,)}
    rows = [change(name, k, 1.0, size, {}) for name, those in sizes.items() for k, size in enumerate(those)]
    # Σ over episodes of Σ (x - x̄)(y - ȳ), over Σ (x - x̄)²
    assert ledger_of(rows, None)["marginal_bytes_per_context"] == pytest.approx((50 + 50) / (5 + 0.5), abs=1e-5)
    pool = [change(name, k, 1.0, 7000 + n, {}) for n, name in enumerate("ab") for k in range(3)]
    assert ledger_of(pool, None)["marginal_bytes_per_context"] == 0
    alone = [change(name, 0, 1.0, size, {}) for name, size in (("a", 390), ("b", 460), ("c", 350))]
    assert ledger_of(alone, None)["marginal_bytes_per_context"] == 400


def test_what_unlearning_adds_is_no_byte_of_a_context() -> None:
    written = {**change("s", 0, 1.0, 800, {}), "contexts": list("abcdefgh")}
    unlearned = {**change("s", 1, 1.0, 900, {}), "type": "forget", "contexts": ["a"]}
    assert ledger_of([written, unlearned], None)["marginal_bytes_per_context"] == 100
    apart = [change("s", k, 1.0, 100 * k, {}) for k in range(4)] + [{**unlearned, "step": 5}]
    assert ledger_of(apart, None)["marginal_bytes_per_context"] == 100
    again = [change("s", k, 1.0, size, {}) for k, size in enumerate((100, 200, 100, 200))]
    again[2] = {**again[2], "type": "forget", "contexts": ["c1"]}
    assert ledger_of(again, None)["marginal_bytes_per_context"] == 100


def ask(episode: str, step: int, seconds: float, tokens: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ask", "episode": episode, "step": step, "questions": 4, "read": 2, "seconds": seconds,
            "tokens": tokens}  # fmt: skip


RECORDS = [
    change("s", 0, 3.0, 100, {"reader": {"trained": 50}, "teacher": {"read": 20, "generated": 5}}),
    ask("s", 1, 1.0, {"reader": {"read": 30, "generated": 10}}),
    change("s", 2, 5.0, 160, {"reader": {"trained": 70}}),
    ask("s", 3, 3.0, {"reader": {"read": 50, "generated": 30}}),
]


def test_the_ledger_by_hand() -> None:
    found = ledger_of(RECORDS, 1000)
    assert found["write_tokens_per_context"] == {
        "reader": {"trained": 60.0}, "teacher": {"read": 10.0, "generated": 2.5},
    }  # fmt: skip
    assert found["read_tokens_per_question"] == {"reader": {"read": 20.0, "generated": 10.0}}
    assert found["write_flops_per_context"] == (4 * 120 + 2 * 25) * 1000 / 2
    assert found["read_flops_per_question"] == 2 * 120 * 1000 / 4
    assert found["marginal_bytes_per_context"] == pytest.approx(60)
    assert ledger_of(RECORDS, None)["write_flops_per_context"] is None
    assert ledger_of(RECORDS[:2], 1000)["marginal_bytes_per_context"] == pytest.approx(100)


def test_stretches_and_amortised_cost() -> None:
    assert spans(RECORDS) == [Span(3.0, 1, 1.0, 2), Span(5.0, 1, 3.0, 2)]
    assert amortised(10, 0.5, 100) == 60


def test_break_even_by_hand() -> None:
    dear, cheap = [Span(9.0, 1, 1.0, 10), Span(11.0, 1, 1.2, 10)], [Span(0.0, 1, 6.0, 10), Span(0.2, 1, 6.2, 10)]
    found = break_even(dear, cheap)
    assert found.questions
    assert found.questions.value == pytest.approx((9 + 10.8) / (0.5 + 0.5))
    again = break_even(cheap, dear).questions  # the same number whoever is named first
    assert again
    assert again == pytest.approx(found.questions)
    assert found.questions.low is not None
    assert found.questions.low < found.questions.value
    single = break_even(dear[:1], cheap[:1]).questions
    assert single
    assert single.value == pytest.approx(18.0)
    assert single.low is None


def test_no_break_even_is_said_to_be_so() -> None:
    slow, quick = [Span(9.0, 1, 9.0, 1)] * 3, [Span(1.0, 1, 1.0, 1)] * 3
    assert break_even(slow, quick) == (None, "one writes and reads no dearer than the other")
    noisy = [Span(9.0, 1, seconds, 1) for seconds in (1.0, 9.0, 1.0)]
    other = [Span(1.0, 1, seconds, 1) for seconds in (9.0, 1.0, 9.0)]
    assert break_even(noisy, other).why == "which one reads cheaper is not resolved"
    assert break_even([], quick).why == "one of them was not asked after a write"


def entry(method: str, score: float, **costs: float) -> Entry:
    metric = {"value": score, "contexts": {"c0": score, "c1": score}}
    return Entry(method, {}, (0,), (method,), "done", None, ({"contains/all": metric},), {}, {}, costs, 2, 4, 1.0)


def test_budgets() -> None:
    entries = [entry("a", 0.9, state_bytes=100.0), entry("b", 0.5, state_bytes=10.0), entry("c", 0.7)]
    kept, remarks = fit(entries, limits(["bytes=50"]))
    assert [e.method for e in kept] == ["b"]
    assert remarks == ("at bytes=50 (the whole memory): over it a (100 B), c (not measured)",)
    slow = [entry("a", 0.9, write_seconds_per_context=3.5)]
    assert fit(slow, limits(["write-seconds=2"]))[1] == ("at write-seconds=2 (a context): over it a (3.5)",)
    assert all(spec.of and spec.unit for spec in LIMITS.values())
    assert [e.method for e in fit(entries, limits(["bytes=1e6"]))[0]] == ["a", "b"]
    for text, message in (("byte=1", "did you mean 'bytes'"), ("bytes=x", "got 'x'"), ("bytes=-1", "0 or more")):
        with pytest.raises(MembenchError, match=message):
            limits([text])


def test_fronts_are_what_nothing_dominates() -> None:
    names = ("state_bytes_per_context", "write_seconds_per_context", "read_seconds_per_question")
    rows = {"top": (0.9, 9, 9, 1), "small": (0.5, 1, 1, 2), "worse": (0.4, 2, 9, 2), "twin": (0.9, 9, 9, 1)}
    entries = [entry(name, row[0], **dict(zip(names, map(float, row[1:]), strict=True))) for name, row in rows.items()]
    assert [e.front for e in with_fronts(entries, "contains/all")] == ["bwr", "bw", "", "bwr"]


def test_a_front_of_what_harms_has_the_least_harm_on_it() -> None:
    drifts = [
        replace(entry(name, 0.0, state_bytes_per_context=9.0), summaries=({"drift_kl/all": {"value": kl}},))
        for name, kl in (("mild", 0.1), ("harsh", 2.0))
    ]
    assert [e.front for e in with_fronts(drifts, "drift_kl/all")] == ["b", ""]


def test_the_record_names_commit_and_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment.versions("cpu")
    assert found["cores"] >= 1
    assert found["memory_bytes"] is None or found["memory_bytes"] > 1e8
    assert {"cpu", "device", "threads", "python", "torch", "scipy"} <= found.keys()
    root = tmp_path / "tree"
    (root / "membench").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for name in ("membench", "methods", "tasks"):
        (root / name).mkdir(exist_ok=True)
        (root / name / "a.py").touch()
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    clean = environment.source(root)
    assert (len(clean["commit"]), clean["dirty"]) == (40, False)
    (root / "tasks" / "a.py").write_text("changed")
    environment.source.cache_clear()
    assert environment.source(root)["dirty"]
    (root / "pyproject.toml").unlink()
    environment.source.cache_clear()
    assert environment.source(root) == {}
    monkeypatch.undo()
    environment.source.cache_clear()
