"""Whatever a file, a name or a value is, a command answers with a table or with one line: never with a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from membench.cli.app import main
from membench.corpora.generic_text import generic_texts
from membench.errors import MembenchError
from membench.plugins import registry
from membench.store.cell_folder import write_json
from membench.targets.pairs import recorded_pairs
from tests.support.damage import sound_root
from tests.support.stored_cells import put_cell, recipe

GOOD = {
    "id": "a",
    "context": "The harbour of Vellmar was built by Ines Corde in 1931.",
    "questions": [{"question": "Who built the harbour of Vellmar?", "answers": ["Ines Corde"]}],
}
BYTES = {
    "half": b'{"id": "a", "context": "x \\ud800 y", "questions": []}',
    "raw_half": b'{"id": "a", "context": "x \xed\xa0\x80 y"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep_object": b'{"context":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "digits": b'{"id": ' + b"9" * 10_000 + b', "context": "x"}',
    "utf16": json.dumps(GOOD).encode("utf-16"),
    "latin": b'{"context": "caf\xe9"}',
    "zero": b"\0\0\0",
    "empty": b"",
    "blank": b" \n\n",
    "number": b"3",
    "null": b"null",
    "list": b"[1, 2]",
    "nan": json.dumps(GOOD | {"context": float("nan")}).encode(),
    "list_for_text": json.dumps(GOOD | {"context": ["a"]}).encode(),
    "object_for_list": json.dumps(GOOD | {"questions": {"a": 1}}).encode(),
    "number_for_text": json.dumps(GOOD | {"questions": [{"question": "q", "answers": [1]}]}).encode(),
    "null_for_list": json.dumps(GOOD | {"questions": None}).encode(),
    "object_for_id": json.dumps(GOOD | {"id": {"a": 1}}).encode(),
    "yaml": b"method: [bm25\ntask: *x",
    "yaml_tag": b"method: !!python/object/apply:os.system ['true']",
}
ODD = ("pipe", "folder", "to_nothing", "loop", "missing", "x" * 5000, "a\0b")
SOURCES = ("jsonl", "squad", "counterfact", "pwc", "redial", "inspired")
VALUES = {
    "--seeds": ("-1", str(2**63), "9" * 5000, "", "1e3", "1,,2", "0x1"),
    "--device": ("tpu", "", "cuda:x", "cuda:99", "cpu:3", "meta"),
    "-M": ("k1=-1", "k1=nan", "k=0", "k=" + "9" * 5000, "k", "=3", "k=\ud800", "bm25.k.x=3", "b=2"),
    "-T": ("x=1", "=", "x"),
    "--model": ("", "~/nope", ".", "\x1b[31m", "\ud800", "x" * 5000, "a/b/c"),
    "-L": ("0", "-1", "x"),
    "--data": ("", ",", ":", "worlds:-1", "worlds:x", "jsonl", "jsonl:", "\ud800", "worlds:" + "9" * 5000, "jsonl:a,b"),
    "--style": ("", "odd"),
    "--base-url": ("", "x", "http://"),
    "-o": ("", "/dev/null", "/dev/null/x", "x" * 300, "half.jsonl"),
    "-C": ("", "/dev/null", "folder.jsonl"),
}
FOLDERS = ("", "/dev/null", "/dev/null/x", "x" * 300, "half.jsonl", "pipe.jsonl", "~nobody-of-this-name/x", "o\udce9")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all of the files, named NAME.jsonl and NAME.json, which is where commands run."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in BYTES.items():
        for end in ("jsonl", "json"):
            (folder / f"{name}.{end}").write_bytes(content)
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "folder.jsonl").mkdir()
    (folder / "to_nothing.jsonl").symlink_to("nowhere")
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def answered(*words: object) -> Result:
    """The result of a command, which must have ended by itself with at most one line of complaint."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exc_info)
    assert result.exit_code in (0, 1, 2, 3), words
    assert "Traceback" not in result.output, words
    assert not any(sign in result.output for sign in "\x1b\0"), words
    if result.exit_code == 2:
        assert result.stderr.startswith("membench: "), words
        assert result.stderr.count("\n") == 1, (words, result.stderr)
        assert len(result.stderr) < 1000, words
    return result


def refused(*words: object) -> None:
    assert answered(*words).exit_code == 2, words


def planned(tiny: Path, *more: object) -> list[object]:
    return ["run", "-m", "bm25", "-t", "single", "--model", tiny, "--offline", "--dry-run", "-o", "results", *more]


@pytest.mark.parametrize("source", SOURCES)
def test_files_of_data(place: Path, source: str) -> None:
    load = registry.load("data", source)().load
    for name in (*BYTES, *ODD):
        for end in ("jsonl", "json") if name in BYTES else ("jsonl",):
            with pytest.raises(MembenchError) as refusal:
                load(f"{name}.{end}", 1, 0)
            assert "\n" not in str(refusal.value), name


def test_files_that_a_command_reads(place: Path, tiny: Path) -> None:
    for name in ("deep", "pipe"):
        refused(*planned(tiny, "--data", f"jsonl:{name}.jsonl"))
    for name in (*BYTES, *ODD):
        refused("run", "-C", f"{name}.jsonl")
        with pytest.raises(MembenchError):
            recorded_pairs(Path(f"{name}.jsonl"))
        with pytest.raises(MembenchError):
            generic_texts(f"file:{name}.jsonl", offline=True)


@pytest.mark.parametrize("option", VALUES)
def test_values_of_options(place: Path, tiny: Path, option: str) -> None:
    for value in VALUES[option]:
        if option == "-o" or (option == "--base-url" and value):  # a dry run writes nothing, and asks no endpoint
            answered(*planned(tiny, option, value))
        else:
            refused(*planned(tiny, option, value))


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_of_cells(place: Path, folder: str) -> None:
    refused("questions", folder, "-o", "q.jsonl")
    for words in (
        ["leaderboard", folder], ["report", folder, "-o", "page.html"], ["verify", folder], ["show", "a", "-o", folder],
        ["advise", folder, "--contexts", "1", "--questions", "1"], ["compare", "bm25", "base", "-o", folder],
        ["export", "e.csv", "-o", folder], ["score", "--all", "-o", folder], ["ls", "runs", "-o", folder],
        ["migrate", folder], ["merge", folder, folder, "-o", "m"],
    ):  # fmt: skip
        refused(*words)


def test_files_that_are_written(place: Path) -> None:
    put_cell(place / "cells", recipe("single", "bm25", data="jsonl:=cmd|' /C calc'!A1\x1b[2J\n[red]:ok:.jsonl"))
    for name in ("folder.jsonl", "/dev/null/x", "", "x" * 300, "no-such-folder/x.csv", "odd.ending"):
        refused("export", name, "-o", "cells")
    for name in ("folder.jsonl", "/dev/null/x", "", "x" * 300):
        refused("report", "cells", "-o", name)
    shown = answered("leaderboard", "cells")
    assert ":ok:.jsonl" in shown.stdout  # no emoji
    for counts in (("9" * 40, "9"), ("9", "9" * 40)):
        refused("advise", "cells", "--contexts", counts[0], "--questions", counts[1])


def test_a_cell_whose_task_is_gone_or_has_other_settings_is_one_line_of_its_own(place: Path) -> None:
    played = sorted(sound_root(place / "tasks").glob("sequential--*/result.json"))
    for path, changed in zip(played, ({"task": "gone\x1b[31m"}, {"task_settings": {"gone": 1}}), strict=False):
        result = json.loads(path.read_text())
        write_json(path, result | {"recipe": result["recipe"] | changed})
    scored = answered("score", "--all", "-o", "tasks")
    assert (scored.exit_code, scored.stderr.count("left as it is")) == (1, 2)
    assert answered("leaderboard", "tasks", "--format", "md").exit_code == 0
