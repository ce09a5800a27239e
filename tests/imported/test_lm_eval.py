"""Samples that lm-eval 0.4.13 wrote: ten questions with two choices on a tiny random model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.imported.lm_eval import read_samples
from membench.imported.results import hash_of, matched

SAMPLES = Path(__file__).parent.parent / "data" / "lm_eval"
DATE = "2026-11-28T14-08-38.575455"
Row = dict[str, Any]


def unpacked(name: str) -> str:
    return gzip.decompress((SAMPLES / name).read_bytes()).decode()


@pytest.fixture
def rows() -> list[Row]:
    return [json.loads(line) for line in unpacked("choice.jsonl.gz").splitlines()]


def put(folder: Path, rows: list[Row], results: bool = True) -> str:
    """Samples as lm-eval lays them out, below the model's folder."""
    home = folder / "__tmp__owner__tiny-model"
    home.mkdir(exist_ok=True)
    path = home / f"samples_squad_choice_{DATE}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    if results:
        (home / f"results_{DATE}.json").write_text(unpacked("choice_results.json.gz"))
    return str(path)


def test_items_are_as_lm_eval_scored_them(tmp_path: Path, rows: list[Row]) -> None:
    found = read_samples(put(tmp_path, rows))
    assert (found.harness, found.version, found.method, found.seed) == ("lm-eval", "0.4.13", "squad_choice@tinym", 0)
    assert found.settings == {"shots": 0, "backend": "hf", "dtype": "float32", "max_length": "512"}
    assert (found.defaults, found.sources) == (found.settings, {"model": "/tmp/tinym"})
    assert [item.scores for item in found.items] == [{"acc": r["acc"], "acc_norm": r["acc_norm"]} for r in rows]
    assert [item.question for item in found.items] == [r["doc"]["question"] for r in rows]
    assert {item.gold for item in found.items} == {("no",)}
    likelier = ["yes" if float(a[0]) > float(b[0]) else "no" for a, b in (r["filtered_resps"] for r in rows)]
    assert [item.answer for item in found.items] == likelier
    assert len({item.context for item in found.items}) == len({r["doc"]["context"] for r in rows}) == 2
    assert matched([found]).left_out == ("brier_score is left out: its values are no numbers",)


def test_without_its_results_the_folder_names_the_model(tmp_path: Path, rows: list[Row]) -> None:
    found = read_samples(put(tmp_path, rows, results=False))
    assert (found.method, found.seed, found.version, found.settings) == ("squad_choice@tiny-model", 0, None, {})
    assert found.sources == {"model": "__tmp__owner__tiny-model"}


def test_several_filters_are_scores_of_their_own(tmp_path: Path, rows: list[Row]) -> None:
    others = [row | {"filter": "strict", "acc": 1 - row["acc"]} for row in rows]
    found = read_samples(put(tmp_path, [*rows, *others]))
    assert len(found.items) == 10
    assert [(i.scores["acc.plain"], i.scores["acc.strict"]) for i in found.items] == [
        (r["acc"], 1 - r["acc"]) for r in rows
    ]


def test_less_may_be_better_and_more_than_one(tmp_path: Path, rows: list[Row]) -> None:
    path = put(tmp_path, [row | {"brier_score": 1.5} for row in rows])
    task = matched([read_samples(path)]).task
    assert (task.scores, task.numbers, task.downwards) == (
        ("acc", "acc_norm", "brier_score"), ("brier_score",), ("brier_score",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "settings", "shown"),
    [
        (lambda about: None, {"dtype": "float32", "max_length": "512"}, set()),
        (
            lambda about: about["config"].update(model_args="pretrained=/tmp/tinym,peft=/a/b,revision=main"),
            {"peft": "/a/b", "revision": "main"}, {"peft", "revision"},
        ),
        (
            lambda about: about["config"].update(
                model_args={"api_key": "k", "parallelize": True, "dtype": None, "device": "cpu", "note": "x" * 61}
            ),
            {"parallelize": "true", "note": f"{'x' * 60}… {hash_of('x' * 61)[:8]}"}, set(),
        ),
        (
            lambda about: about.update(chat_template_sha="ab", config={"gen_kwargs": {"top_p": 0.5}}),
            {"gen_kwargs": '{"top_p": 0.5}', "chat_template_sha": "ab"}, set(),
        ),
        (lambda about: about.update(config=3), {}, set()),
    ],
)  # fmt: skip
def test_how_a_model_was_loaded_and_asked_are_settings(
    tmp_path: Path, rows: list[Row], change: Callable[[Row], object], settings: Row, shown: set[str]
) -> None:
    path = put(tmp_path, rows)
    about = json.loads(unpacked("choice_results.json.gz"))
    change(about)
    Path(path).with_name(f"results_{DATE}.json").write_text(json.dumps(about))
    found = read_samples(path)
    assert {k: v for k, v in found.settings.items() if k not in ("shots", "backend")} == settings
    assert {name for name in found.settings if name not in found.defaults} == shown


def test_scores_have_names_without_the_marks_of_views(tmp_path: Path, rows: list[Row]) -> None:
    odd = [row | {"metrics": ["my/acc", "a:b", "no/ne"], "my/acc": 1, "a:b": 0.5, "no/ne": "text"} for row in rows]
    found = read_samples(put(tmp_path, odd))
    assert (list(found.items[0].scores), list(found.no_numbers)) == (["my.acc", "a.b"], ["no.ne"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1].update(acc=-1e99), r":2: acc: score -1e\+99 is beyond ±1e\+50"),
        (lambda rows: rows[1].update(acc=10**400), r":2: acc: score 10+… \(401 characters\) is beyond"),
        (lambda rows: rows.append(rows[0]), r":11: item '0' stands at .*:1 already"),
        (lambda rows: rows[2].pop("doc_hash"), ":3: 'doc_hash' is missing"),
        (lambda rows: rows[2].update(doc_id=None), ":3: 'doc_id' must be"),
        (lambda rows: rows[2].update(metrics=[]), ":3: 'metrics' is empty"),
        (lambda rows: rows[2].update(metrics=[3]), ":3: 'metrics' must be a list of names"),
        (lambda rows: rows.clear(), "the file is empty"),
    ],
)
def test_what_lm_eval_did_not_write_is_refused(
    tmp_path: Path, rows: list[Row], change: Callable[[list[Row]], object], said: str
) -> None:
    change(rows)
    path = put(tmp_path, rows)
    with pytest.raises(MembenchError, match=said):
        read_samples(path)


def test_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text("{}\n")
    with pytest.raises(MembenchError, match=r"called samples_TASK_DATE\.jsonl"):
        read_samples(str(path))
