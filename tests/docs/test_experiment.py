"""The experiment of docs/experiment.md: its design is what it says, and the document has what is stored."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from membench.analysis.verify import verify
from membench.statistics.paired_tests import ALPHA, contrasts
from membench.statistics.variance_parts import Parts
from membench.store.cell_folder import cells
from membench.store.records import answer_of

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    design = importlib.import_module("experiment_design")
    tables = importlib.import_module("experiment_tables")
    decay = importlib.import_module("experiment_decay")
    outcomes = importlib.import_module("experiment_outcomes")
    follow = importlib.import_module("experiment_follow")
    seeds = importlib.import_module("experiment_seeds")
    stored = importlib.import_module("experiment_stored")
    comparison = importlib.import_module("experiment_comparison")
    settings = importlib.import_module("experiment_settings")
    twenty = importlib.import_module("experiment_twenty")
    rows = importlib.import_module("experiment_rows")
    tried = importlib.import_module("experiment_tried")
    findings = importlib.import_module("findings")


@pytest.mark.parametrize(("count", "effects"), [(8, 7), (16, 15)])
def test_what_can_be_told_apart_is_orthogonal(count: int, effects: int) -> None:
    columns = design.columns(count)
    assert len(columns) == effects
    assert all(sum(column) == 0 for column in columns.values())
    assert all(np.dot(a, b) == 0 for a, b in combinations(columns.values(), 2))
    assert list(columns)[:7] == list("ABCDEFG")


def test_main_effects_are_clear_of_two_factor_interactions_in_sixteen_runs_only() -> None:
    assert all(not words for name, words in design.aliases(16).items() if len(name) == 1)
    assert all(len(words) == 3 for words in design.aliases(8).values())
    assert sorted(design.aliases(16)["AB"]) == ["CE", "FG"]


def test_every_run_is_another_cell_and_the_first_one_is_the_default() -> None:
    runs = design.runs()
    recipes = [outcomes.asked_for(run) for run in runs]
    assert len({str(recipe) for recipe in recipes}) == len(runs) == 16 + 5 + 2 + 5 + 6
    settings = recipes[0]["settings"]
    assert isinstance(settings, dict)
    assert settings == outcomes.asked_for(design.Run(design.LOW, ()))["settings"]


def record(written: int, position: int, gold: str, said: str, margin: float) -> dict[str, object]:
    """An answer about a rehearsed fact; the text at a position has one question."""
    return {
        "type": "answer", "episode": "sequence", "step": 2 * written - 1, "written": written, "position": position,
        "question": f"q{position}", "context": f"c{position}", "tags": {"rehearsed": "yes"}, "text": "Who?",
        "gold": [gold], "answer": said, "scores": {"contains": float(said == gold), "margin": margin},
    }  # fmt: skip


def test_what_is_left_in_the_end_is_of_the_gain_of_each_text() -> None:
    """Four texts of one fact: each write gains 4 nats, each later one takes 1 from those before."""
    margins = {(w, p): -2.0 + (4.0 - (w - p) if w >= p else 0.0) for w in range(1, 5) for p in (1, 2, 3, 4)}
    records = [record(w, p, f"g{p}", f"g{p}" if w == p else "?", m) for (w, p), m in margins.items()]
    records.append({"type": "write", "tokens": {"reader": {"trained": 70}}})
    records += [{"type": "drift", "step": step, "texts": [["text", 1.0, kl]]} for step, kl in ((0, 0.0), (7, 0.25))]
    gain, left, fresh, old, drift, trained = follow._row(records, 4)
    assert (gain, fresh, old, drift, trained) == ("4.00", "4 of 4", "3, 0", "0.25", "70")
    assert left == "0.62"  # 2 and 3 of 4 nats each


def test_differences_are_by_question_and_seed() -> None:
    def said(*right: float) -> list[object]:
        found = [
            record(1, 1, "g", "?", 0.0) | {"question": f"q{k}", "scores": {"contains": v}} for k, v in enumerate(right)
        ]
        return list(map(answer_of, found))

    (values,) = seeds.differences({0: said(1, 0), 1: said(1, 1)}, {0: said(0, 0), 1: said(1, 0)}, [0, 1])
    assert values.tolist() == [[1, 0], [0, 1]]


def test_right_answers_are_counted_by_further_writes_over_texts_and_seeds() -> None:
    """Four texts of one fact: right just after writing; of the first two, one seed knows one in the end, one none."""
    written = [(t, i) for t in range(1, 5) for i in range(1, 5)]
    kept = [{(4, 1)}, set[tuple[int, int]]()]
    found = []
    for known in kept:
        said = {(t, i): f"g{i}" if t == i or (t, i) in known else "?" for t, i in written}
        found.append(comparison.ages([answer_of(record(t, i, f"g{i}", said[t, i], 0.0)) for t, i in written]))
    assert comparison.share(found, 0).value == 1.0
    assert comparison.share(found, 3) is None  # reached by one text
    assert {age: sorted(texts) for age, texts in found[0].items()} == {
        0: ["c1", "c2", "c3", "c4"], 1: ["c1", "c2", "c3"], 2: ["c1", "c2"], 3: ["c1"], comparison.END: ["c1", "c2"],
    }  # fmt: skip
    assert comparison.kept(found).value == pytest.approx(0.25)


def test_recipes_over_twenty_texts_are_told_by_their_settings_and_the_default_comes_first() -> None:
    found = list(twenty.played(ROOT / "results" / "experiment"))
    names = [name for name, *_ in found]
    assert names == [name for name in twenty.RECIPES if name in names]
    assert names[0] == "default"
    for _, answers, _ in found:
        assert len({a.context for a in answers}) == twenty.CONTEXTS
        assert len({a.question for a in answers}) == twenty.CONTEXTS * twenty.QUESTIONS
    for name, (model, method, changed) in twenty.RECIPES.items():
        own = " ".join(f"{key}={str(value).lower()}" for key, value in changed.items())
        plain = "default" if method == "selfparam" else method
        assert name == (own or plain if model == stored.MODEL else ", ".join(filter(None, (model, own))))


def test_the_comparison_plays_its_rows_and_other_rows_are_others() -> None:
    script = (ROOT / "benchmarks" / "experiment.sh").read_text("utf-8")
    for method, own in settings.BEST.items():
        rate = f"-M lr={own['lr']:g} " if "lr" in own else ""
        passes = own.get("epochs", settings.DEFAULTS[method][1])
        times = f'"epochs=$(({passes} * factor))"' if method not in settings.APART else f"epochs={passes}"
        assert f"    {method}) set -- {rate}-M {times} " in script
    found = rows.others()
    assert all(own != settings.BEST[method] for method, own, _ in found)
    assert len({(method, str(own)) for method, own, _ in found}) == len(found)
    ruled = {method: own for method, own, why in found if why == "the grid's rule"}
    assert ruled == {method: {"lr": 0.008, "epochs": 24} for method in settings.DECLARED}
    assert [method for method, own, why in found if why == "its defaults" and not own] == ["ft-s", "ft-c", "cartridge"]
    assert "for method in selfparam ft-s; do\n  three $method single -M lr=0.008 -M epochs=24\n" in script


def test_three_rows_a_method_are_tried_for_the_other_tasks() -> None:
    script = (ROOT / "benchmarks" / "experiment.sh").read_text("utf-8")
    listed = re.search(r"^for row in (.*\}); do$", script, re.MULTILINE)
    assert listed
    named = subprocess.run(["bash", "-c", f"echo {listed[1]}"], capture_output=True, text=True, check=True).stdout
    rows_of = [(m, float(rate), int(passes)) for m, rate, passes in (row.split(":") for row in named.split())]
    assert rows_of == [(method, *row) for method, rows_ in tried.ROWS.items() for row in rows_]
    assert {len(rows_) for rows_ in tried.ROWS.values()} == {3}
    for method, rows_ in tried.ROWS.items():
        assert settings.DEFAULTS[method] in rows_
        assert settings.by_rule(method) in [settings.row_of(method, *row) for row in rows_]


def test_the_rule_for_a_task_is_that_of_the_grid() -> None:
    """Right answers about rehearsed facts first, of ft-c all; ties by the margin."""
    known = [
        answer_of(record(1, 1, "g", "g", 1.0)),
        answer_of(record(1, 1, "g", "?", 1.0) | {"tags": {"rehearsed": "no"}}),
    ]
    other = [
        answer_of(record(1, 1, "g", "?", 3.0)),
        answer_of(record(1, 1, "g", "g", 3.0) | {"tags": {"rehearsed": "no"}}),
    ]
    assert tried._rank("selfparam", known) > tried._rank("selfparam", other)
    assert tried._rank("ft-c", known) < tried._rank("ft-c", other)


def test_over_many_texts_at_once_there_are_twice_the_passes() -> None:
    assert settings.settings_of("batch", "ft-s", {"lr": 0.008, "epochs": 24}) == {"lr": 0.008, "epochs": 48}
    assert settings.settings_of("batch", "selfparam", {}) == {"epochs": 24}
    assert settings.settings_of("batch", "cartridge") == settings.settings_of("single", "cartridge")
    assert settings.settings_of("batch", "bm25") == {}


def test_a_difference_of_rows_is_by_text_over_seeds() -> None:
    assert rows._difference([{"a": 0.5, "b": 0.498}], [{"a": 0.5, "b": 0.5}]).startswith("+0.00 (")
    assert rows._difference([{"a": 1.0, "b": 0.5}], [{"b": 0.5, "a": 0.0}]).startswith("+0.50 (")
    assert rows._difference([{"a": 1.0, "b": 0.5}, {"a": 0.5, "b": 0.0}], [{"a": 0.0, "b": 0.0}] * 2).startswith(
        "+0.50 ("
    )
    said = [answer_of(record(1, 1, "g", "g", 2.0)), answer_of(record(1, 1, "g", "?", 1.0))]
    assert rows.by_text(said, "contains", "yes") == {"c1": 0.5}
    assert rows.by_text(said, "contains", "no") == {}


def test_an_outcome_is_read_from_the_records_of_a_run() -> None:
    """Two texts of one rehearsed fact each: the first is learned, lost and answered as the other; one more of the first
    is not rehearsed.
    """
    tokens = {"reader": {"trained": 100}, "teacher": {"read": 40}}
    records = [
        {"type": "write", "tokens": tokens},
        record(1, 1, "Ines", "Ines", 2.0),
        record(1, 2, "Olna", "nobody", -1.0),
        {**record(1, 1, "Bo", "?", 0.5), "question": "q1b", "tags": {"rehearsed": "no"}},
        {"type": "write", "tokens": tokens},
        record(2, 1, "Ines", "Olna", 0.5),
        record(2, 2, "Olna", "Olna", 3.0),
        {**record(2, 1, "Bo", "?", 0.75), "question": "q1b", "tags": {"rehearsed": "no"}},
        {"type": "drift", "texts": [[10, 3.0, 3.1, 0.2], [10, 3.0, 3.1, 0.4]]},
    ]
    found = outcomes._outcome(design.runs()[0], records)
    assert [found.mean(score) for score in outcomes.SCORES] == pytest.approx([2.5, -1.5, 0.25, 1 / 3, 0.3])
    assert (found.fresh, found.old, found.trained, found.taught) == ((2, 2), (1, 0), 100, 40)


def test_gains_are_over_what_was_there_before_the_write_and_answers_are_sorted_by_whose_value_they_have() -> None:
    """Four texts: each gains 2 over -1, and loses a half of it at each further write."""
    golds = ["Ines", "Olna", "Karl", "Vera"]
    margins = {-1: -1.0, 0: 1.0, 1: 0.0, 2: -0.5, 3: -0.75}
    answers = [
        answer_of(record(t, i, golds[i - 1], golds[t - 1], margins[max(-1, t - i)]))
        for t in range(1, 5)
        for i in range(1, 5)
    ]
    found = decay.gains_of(answers)
    assert {age: (left / own).tolist() for age, (left, own) in found.items() if len(own)} == {
        1: [0.5, 0.5], 2: [0.25], decay.END: [0.25],
    }  # fmt: skip
    assert set(decay._said(answers, early=False)) == {"last"}
    other = answer_of(record(3, 1, "Ines", "Olna", 0.0))
    assert decay._said([*answers[:8], other], early=False).count("other") == 1


def test_changes_are_told_apart_by_the_type_of_value_that_the_further_write_teaches() -> None:
    """w0-0 and w0-11 are dishes, whose facts have the same types; w0-4 is a person with other ones."""
    shared = next(fact for fact in ("colour", "main", "time") if decay._type("w0-0", fact) in decay._taught("w0-11"))
    steps = [(1, "w0-0", 3.0), (2, "w0-0", 1.0), (3, "w0-0", 0.5), (2, "w0-11", 9.0), (3, "w0-4", 9.0)]
    places = {"w0-0": 1, "w0-11": 2, "w0-4": 3}
    answers = []
    for written, context, margin in steps:
        fact = (
            shared
            if context == "w0-0"
            else next(iter(f.tags["fact"] for f in decay.build(0, int(context[3:])).questions))
        )
        told = record(written, places[context], "gold", "gold", margin)
        told |= {"context": context, "question": f"{context}-{fact}", "tags": {"rehearsed": "yes", "fact": fact}}
        answers.append(answer_of(told))
    found = decay._changes(answers)
    assert found[True]["w0-0"][0] == -2.0
    expected = decay._type("w0-0", shared) in decay._taught("w0-4")
    assert found[expected]["w0-0"][-1] == -0.5


def test_the_document_is_what_the_stored_cells_say_and_these_are_sound() -> None:
    text = tables.PAGE.read_text(encoding="utf-8")
    fresh = tables.rewritten(text, ROOT / design.OUTPUT)
    assert fresh == text, "run `python benchmarks/experiment_tables.py`"
    assert [verdict.problems for verdict in verify(ROOT / design.OUTPUT) if verdict.problems] == []


def test_a_cell_that_is_in_both_folders_is_one_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = cells(ROOT / "results" / "reference")
    mine = [c for c in every if c.recipe["task"] in ("batch", "gold") and c.recipe["model"] == findings.MODEL]
    for cell in mine:
        shutil.copytree(cell.folder, tmp_path / "copy" / cell.folder.name)
    monkeypatch.setattr(findings, "EXPERIMENT", tmp_path / "copy")
    assert "3 seeds)" in findings.sentences(mine, 1, "")
    both = list(comparison.chosen("batch", (ROOT / "results" / "reference", tmp_path / "copy")))
    assert len({cell.id for cell in both}) == len(both) > 2


def test_the_rows_of_the_rule_are_grouped_by_the_leaderboard_too() -> None:
    folders = [ROOT / "results" / name for name in ("reference", "experiment")]
    for task in settings.TASKS:
        found = [cell.recipe for cell in comparison.chosen(task, folders, settings.RULED)]
        played = {(r["method"], r["settings"]["lr"], r["settings"]["epochs"]) for r in found if "lr" in r["settings"]}
        passes = 48 if task == "batch" else 24
        assert {("selfparam", 0.008, passes), ("ft-s", 0.008, passes)} < played
        assert len(played) == len(settings.RULED)


@pytest.mark.parametrize("sizes", [(62, 8, 3), (20, 8, 3)])
def test_what_is_found_in_80_percent_is_so_by_the_tests_of_the_tables(sizes: tuple[int, int, int]) -> None:
    made, (contexts, questions, seeds), rng = Parts(0.002, 0.06, 0.03**2, None, 0.0), sizes, np.random.default_rng(5)
    true, found = stored.found_in_80(made, sizes, 1), 0
    spread = (made.context + made.question / questions) ** 0.5
    for _ in range(300):
        by_context = true + rng.normal(0, spread, contexts)
        noise = rng.normal(0, 0.03 / 2**0.5, (2, seeds, 1))
        family = contrasts([by_context + noise[0], 0 * by_context + noise[1]], [(0, 1)])
        found += family.p[0] <= ALPHA
    assert 0.72 <= found / 300 <= 0.9
