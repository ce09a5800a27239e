"""Deletion: its script, its numbers by hand, and that a store which forgets answers as one that never knew."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.api import Answer, Ask, Context, Dataset, Forget, Question, Write
from membench.cli.app import main
from membench.metrics.deletion import FORGOT, NEVER
from membench.plugins import registry


def context(k: int) -> Context:
    asked = (Question(f"c{k}-0", f"what is {k}?", (f"a{k}",), f"c{k}"),)
    probes = (
        Question(f"c{k}-p", f"{k} is what?", (f"a{k}",), f"c{k}", (), {"kind": "paraphrase"}),
        Question(f"c{k}-u", "unrelated?", ("b",), f"c{k}", (), {"kind": "unrelated"}),
    )
    return Context(f"c{k}", f"text {k}", asked, probes=probes)


DATA = Dataset("made", tuple(map(context, range(5))))
DELETION = registry.load("tasks", "deletion")


def test_one_of_every_so_many_is_forgotten_and_another_memory_never_holds_it() -> None:
    forgot, never = DELETION(every=3).episodes(DATA, 0)
    gone = (DATA.contexts[0], DATA.contexts[3])
    assert [type(step) for step in forgot.steps] == [Write] * 5 + [Ask, Forget, Ask]
    assert forgot.steps[6] == Forget(gone)
    assert forgot.steps[5] == forgot.steps[7] == never.steps[-1]
    assert [q.id for q in forgot.steps[5].questions[:3]] == ["c0-0", "c0-p", "c1-0"]
    assert [step.contexts[0].id for step in never.steps[:-1]] == ["c1", "c2", "c4"]


def test_all_at_once_is_one_write_of_what_is_held() -> None:
    forgot, never = DELETION(every=3, writes="one").episodes(DATA, 0)
    assert [type(step) for step in forgot.steps] == [Write, Ask, Forget, Ask]
    assert forgot.steps[0] == Write(DATA.contexts)
    assert never.steps[0] == Write(tuple(DATA.contexts[k] for k in (1, 2, 4)))
    assert [type(step) for step in list(DELETION(every=1, writes="one").episodes(DATA, 0))[1].steps] == [Ask]


def answer(episode: str, step: int, position: int, question: str, text: str, contains: float) -> Answer:
    tags = {"kind": "paraphrase"} if question.endswith("p") else {}
    return Answer(episode, step, 2, position, question, question[:2], tags, "", ("a",), text, {"contains": contains})


def test_its_numbers_by_hand() -> None:
    answers = [
        answer(FORGOT, 2, 1, "c0-0", "a", 1), answer(FORGOT, 2, 1, "c0-p", "a", 1),
        answer(FORGOT, 2, 2, "c1-0", "a", 1),
        answer(FORGOT, 4, 0, "c0-0", "a", 1), answer(FORGOT, 4, 0, "c0-p", "b", 0),
        answer(FORGOT, 4, 2, "c1-0", "x", 0),
        answer(NEVER, 1, 0, "c0-0", "z", 0), answer(NEVER, 1, 0, "c0-p", "b", 0), answer(NEVER, 1, 1, "c1-0", "a", 1),
    ]  # fmt: skip
    found = {name: metric.value for name, metric in DELETION().summarise(answers).items()}
    assert found == {
        "contains/all": 1.0, "contains/forgotten": 1.0, "contains/never": 0.0, "contains/kept": 0.0,
        "residual/forgotten": 1.0, "residual/paraphrased": 0.0, "exact/forgotten": 0.5, "loss/kept": 1.0,
    }  # fmt: skip


@pytest.fixture(scope="module", params=["each", "one"])
def played(tiny: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("deletion") / "results"
    methods = "bm25,full-context,selfparam"
    done = CliRunner().invoke(
        main,
        [
            "run",
            "-m",
            methods,
            "-t",
            "deletion",
            "--model",
            str(tiny),
            "-L",
            "4",
            "-o",
            str(folder),
            "-M",
            "selfparam.epochs=1",
            "-T",
            f"writes={request.param}",
        ],
    )
    assert done.exit_code == 0, done.stderr
    return folder


def test_stores_that_forget_answer_as_those_that_never_knew(played: Path) -> None:
    found = {}
    for path in played.glob("deletion--*/result.json"):
        result = json.loads(path.read_bytes())
        found[result["recipe"]["method"]] = result
    for method in ("bm25", "full-context"):
        summary = found[method]["summary"]
        assert summary["exact/forgotten"]["value"] == 1.0
        assert summary["residual/forgotten"]["value"] == 0.0
        assert summary["residual/paraphrased"]["value"] == 0.0
        assert found[method]["costs"]["forget_seconds_per_context"] is not None
        costs = found[method]["costs"]  # of the memory that forgot: one of four texts
        assert costs["unforgotten_bytes"] > costs["state_bytes"] > costs["unforgotten_bytes"] / 2
    weights = found["selfparam"]["summary"]  # unlearning is approximate, and measured by the same numbers
    writes = [json.loads(line) for path in played.glob("deletion--selfparam--*/records.jsonl")
              for line in path.read_text().splitlines()]  # fmt: skip
    last = [r["state_bytes"] for r in writes if r["episode"] == "forgot" and r["type"] in ("write", "forget")]
    costs = found["selfparam"]["costs"]
    assert (costs["unforgotten_bytes"], costs["state_bytes"]) == (last[-2], last[-1])
    assert {"exact/forgotten", "residual/forgotten", "residual_margin/forgotten", "loss/kept"} <= set(weights)


def test_its_table_shows_what_is_left(played: Path) -> None:
    table = CliRunner().invoke(main, ["leaderboard", str(played), "-t", "deletion"]).stdout
    heads = next(line for line in table.splitlines() if line.startswith("| method"))
    assert all(head in heads for head in ("exact", "residual", "rest lost"))


LEAKY = """
import json, pathlib, sys
texts, index = [], []
def hello(protocol, seed): return {"name": "leaky", "version": "1", "kind": "text", "forgets": True}
def write(texts): globals()["texts"] += texts; index.extend(texts)
def recall(questions): return {"texts": [index[:1] for _ in questions]}
def forget(texts): globals()["texts"] = [t for t in globals()["texts"] if t not in texts]
def clear(): texts.clear(); index.clear()
def save(folder):
    if texts: pathlib.Path(folder, "texts.json").write_text(json.dumps(texts))
def load(folder):
    texts[:] = json.loads(pathlib.Path(folder, "texts.json").read_text()); index[:] = texts
def close(): pass
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(globals()[request.pop("do")](**request) or {}), flush=True)
"""


def test_a_memory_that_saves_no_trace_and_still_searches_the_text_is_found_out(tiny: Path, tmp_path: Path) -> None:
    """Both memories are equal in bytes, and each is asked."""
    (tmp_path / "leaky.py").write_text(LEAKY)
    command = shlex.join([sys.executable, str(tmp_path / "leaky.py")])
    typed = ["run", "-m", "process", "-M", f"command={command}", "-t", "deletion", "--model", str(tiny), "-L", "3"]
    done = CliRunner().invoke(main, [*typed, "-T", "every=3", "-o", str(tmp_path / "results")])
    assert done.exit_code == 0, done.stderr
    (folder,) = (tmp_path / "results").glob("deletion--process--*")
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    assert [r["read"] for r in records if r["type"] == "ask"][-1] > 0
    changed = [r["memory"] for r in records if r["type"] in ("write", "forget")]
    assert changed[3] == changed[-1]
    summary = json.loads((folder / "result.json").read_text())["summary"]
    assert summary["exact/forgotten"]["value"] < 1.0
