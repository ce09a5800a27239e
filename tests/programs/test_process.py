"""The method `process`: its answers are those of a memory in this process that recalls the same, killed or not."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.programs.program import running
from membench.store.cell_folder import Cell
from membench.store.recipe import trained_on_its_data
from membench.tables.leaderboard import tables
from tests.support.table_cells import cell, wave

ROOT = Path(__file__).parents[2]
BM25 = shlex.join(["perl", str(ROOT / "examples" / "bm25.pl")])
TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It lies in the north.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
    "The museum of Tarn shows glass from the south. The harbour lies below it.",
)
QUESTIONS = ("Who built the harbour of Vellmar?", "Which bank sponsors the Survey?", "Where is the glass?", "Xyzzy?")


def made(name: str, **settings: Any) -> Any:
    return registry.load("methods", name)(**settings)


def records(folder: Path, method: str) -> list[dict[str, Any]]:
    """Of the method's cell, without what two runs may differ in."""
    (path,) = folder.glob(f"*--{method}--*/records.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    gone = ("seconds", "tokens", "cell_peak_bytes", "beside", "memory", "state_bytes", "growth_bytes", "live_bytes")
    return [{key: value for key, value in row.items() if key not in gone} for row in rows]


def test_a_program_recalls_what_the_same_memory_here_does(llm: LLM) -> None:
    here, there = made("bm25", llm=llm), made("process", llm=llm, command=BM25)
    memory, saved = (
        here.write(here.write(None, TEXTS[:1]), TEXTS[1:]),
        there.write(there.write(None, TEXTS[:1]), TEXTS[1:]),
    )
    assert there.recall(saved, QUESTIONS) == here.recall(memory, QUESTIONS)
    assert there.answer(saved, QUESTIONS) == here.answer(memory, QUESTIONS)
    assert there.recall(None, QUESTIONS[:1]).contexts == ((),)
    less = there.forget(saved, TEXTS[:1])
    assert memories.equal(less, there.write(None, TEXTS[1:]))
    assert there.forget(less, TEXTS) is None
    assert (there.label, there.forgets) == ("bm25-perl 1", True)
    there.close()


def test_a_memory_goes_on_in_another_program(tmp_path: Path) -> None:
    method = made("process", command=BM25)
    memory = method.write(None, TEXTS[:2])
    memories.save(memory, tmp_path)
    running(method.argv, method.seed, method.timeout).kill()
    loaded = memories.load(tmp_path, [type(method)], memories.digest(memory))
    assert method.recall(loaded, QUESTIONS) == method.recall(memory, QUESTIONS)
    assert memories.equal(method.write(loaded, TEXTS[2:]), method.write(method.write(None, TEXTS[:2]), TEXTS[2:]))
    method.close()


def documented(folder: Path) -> Path:
    """The program of docs/process.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "process.md").read_text(encoding="utf-8"), re.DOTALL)
    path = folder / "my_memory.py"
    path.write_text(code)
    return path


def test_the_documented_program_does_what_the_page_says(tmp_path: Path) -> None:
    path = documented(tmp_path)
    method = made("process", command=shlex.join([sys.executable, str(path)]))
    found = method.sources()["program"]
    assert (found["name"], found["trained_on"], list(found["files"])) == ("last-two", [], ["my_memory.py"])
    memory = method.write(None, TEXTS)
    assert method.recall(memory, ["Who?"]).contexts == (TEXTS[1:],)
    assert method.recall(method.forget(memory, TEXTS[2:]), ["Who?"]).contexts == (TEXTS[:2],)
    assert method.recall(None, ["Who?"]).contexts == ((),)
    path.write_text(path.read_text().replace('"1.0"', '"1.1"'))
    assert made("process", command=shlex.join([sys.executable, str(path)])).sources()["program"] != found
    method.close()


@pytest.fixture(scope="module")
def played(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """bm25 here and there; and a program that dies at its second write, the first time that it is asked for it."""
    root = tmp_path_factory.mktemp("process")
    code = (ROOT / "examples" / "bm25.pl").read_text()
    dying = (
        "push @texts, @{ $_[0]{texts} }; if (@texts == 2 && !-e $ENV{DIED}) { open(my $f, '>', $ENV{DIED}); die_now() }"
    )
    (root / "dying.pl").write_text(
        code.replace("push @texts, @{ $_[0]{texts} };", dying)
        .replace("eval {", "do {")
        .replace("my %can", "sub die_now { die qq(the index is broken\\n) }\n\nmy %can")
    )
    given: dict[str, Any] = {
        "tasks": ["sequential"], "data": [f"jsonl:{data_file}"], "model": str(tiny), "limit": 3, "yardsticks": False,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMBENCH_HOME", str(root / "home"))
        patch.setenv("DIED", str(root / "died"))
        process = ["process.command=" + BM25]
        membench.run(methods=["bm25", "process"], method_settings=process, output=str(root / "whole"), **given)
        again = {**given, "methods": ["process"], "method_settings": [f"command=perl {root / 'dying.pl'}"]}
        first = membench.run(**again, output=str(root / "killed"))
        return root, [*first, *membench.run(**again, output=str(root / "killed"))]


def test_a_cell_of_a_program_is_that_of_the_same_memory_here(played: tuple[Path, list[dict[str, Any]]]) -> None:
    whole = played[0] / "whole"
    assert records(whole, "process") == records(whole, "bm25")


def test_a_program_that_dies_fails_its_cell_in_one_line_and_the_next_run_goes_on(
    played: tuple[Path, list[dict[str, Any]]],
) -> None:
    root, (failed, done) = played
    assert (failed["status"], done["status"]) == ("failed", "done")
    end = r"ended with status \d+ when it was asked to write; last it said: the index is broken$"
    assert re.search(end, failed["reason"])
    assert len(failed["reason"].splitlines()) == 1
    assert done["label"] == "bm25-perl 1"
    assert records(root / "killed", "process") == records(root / "whole", "process")


def test_a_command_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "bm25.pl").write_bytes((ROOT / "examples" / "bm25.pl").read_bytes())
    (tmp_path / "bm25.pl").chmod(0o755)
    for command in ("perl ~/bm25.pl", "~/bm25.pl"):
        method = made("process", command=command)
        assert list(method.sources()["program"]["files"]) == ["bm25.pl"]
        assert method.write(None, TEXTS[:1]).files.keys() == {"texts.json"}
        method.close()


@pytest.mark.parametrize(("command", "reason"), [("", "wants the command"), ("'", "No closing quotation")])
def test_no_command_is_one_line(command: str, reason: str) -> None:
    with pytest.raises(MembenchError, match=reason):
        made("process", command=command).sources()


def test_weights_that_have_seen_the_data_are_marked_in_tables_of_that_data() -> None:
    seen = {"program": {"name": "d2l", "trained_on": ["nq", "SQuAD", "owner/pairs"]}}
    rows: list[Cell] = []
    for data in ("squad:dev.json", "jsonl:owner/pairs", "worlds"):
        rows += [cell("process", wave(0.5), data=data, sources=seen), cell("bm25", wave(0.4), data=data)]
        rows += [cell("process+ft-c", wave(0.3), data=data, sources={"parts": {"process": {"sources": seen}}})]
    labels = {t.recipe["data"]: [e.label for e in t.entries] for t in tables(rows)}
    mark = " (trained on squad)"
    assert labels["squad:dev.json"] == [f"process{mark}", "bm25", f"process+ft-c{mark}"]
    assert labels["jsonl:owner/pairs"][0] == "process (trained on owner/pairs)"
    assert labels["worlds"] == ["process", "bm25", "process+ft-c"]
    name = "xiaowu0162/longmemeval-cleaned"
    for data in (f"longmemeval:{name}", f"longmemeval:{name}:m", f"locomo:{name}+errata.json"):
        recipe = cell("process", wave(0.5), data=data, sources={"program": {"trained_on": [name]}}).recipe
        assert trained_on_its_data(recipe) == name, data


def test_the_program_ends_with_its_cell() -> None:
    method = made("process", command=BM25)
    method.write(None, TEXTS)
    program = running(method.argv, method.seed, method.timeout)
    method.close()
    assert program.dead
    method.close()
