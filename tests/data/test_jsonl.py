"""The user's own format: what it takes, and what it says about broken lines and unreadable files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from membench.api import Dataset, Pair, Question
from membench.errors import MembenchError
from membench.plugins import registry


def load(source: str, argument: object, limit: int = 100, held_out: int = 0) -> Dataset:
    data: Dataset = registry.load("data", source)().load(str(argument), limit, held_out)
    return data


def error(source: str, argument: object) -> str:
    with pytest.raises(MembenchError) as caught:
        load(source, argument)
    message = str(caught.value)
    assert "\n" not in message
    return message


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), encoding="utf-8")
    return path


def test_jsonl_reads_every_field(tmp_path: Path) -> None:
    first = {
        "id": "ship",
        "context": "The Alba sailed in 1901.",
        "questions": [{"question": "When did the Alba sail?", "answers": ["1901", "in 1901"], "distractors": ["1902"]}],
        "targets": [{"question": "In what year did the Alba sail?", "answer": "1901"}],
        "remark": "fields of your own are ignored",
    }
    second = {"context": "It was\u2028 built in 1888.", "questions": [{"question": "Built when?", "answer": "1888"}]}
    data = load("jsonl", write(tmp_path / "my.jsonl", first, "", json.dumps(second, ensure_ascii=False)))
    assert data.name == "jsonl:my.jsonl"
    ship, other = data.contexts
    assert ship.questions == (
        Question("ship-0", "When did the Alba sail?", ("1901", "in 1901"), "ship", ("1902",), {"kind": "test"}),
    )
    assert ship.targets == (Pair("In what year did the Alba sail?", "1901"),)
    assert (other.id, other.questions[0].id) == ("c2", "c2-0")
    assert other.questions[0].answers == ("1888",)
    assert other.questions[0].distractors == ("1901",)


def test_jsonl_limit_and_held_out(tmp_path: Path) -> None:
    rows = [{"context": f"t{i}", "questions": [{"question": "q?", "answer": f"a{i} b"}]} for i in range(7)]
    path = write(tmp_path / "my.jsonl", *rows)
    data = load("jsonl", path, 4, 2)
    assert [c.text for c in data.contexts] == ["t0", "t1", "t2", "t3"]
    assert [c.text for c in data.held_out] == ["t4", "t5"]
    assert load("jsonl", path, 2, 5).contexts == data.contexts[:2]
    assert len(load("jsonl", path, 6, 9).held_out) == 1


QUESTION = {"question": "q?", "answers": ["a"]}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "broken JSON"),
        ("[1]", "wants a JSON object"),
        ({"questions": [QUESTION]}, "'context' is missing"),
        ({"context": "  ", "questions": [QUESTION]}, "'context' is empty"),
        ({"context": 3, "questions": [QUESTION]}, "'context' must be a text, got int"),
        ({"context": "t"}, "'questions' is missing"),
        ({"context": "t", "questions": []}, "'questions' is empty"),
        ({"context": "t", "questions": ["q?"]}, r"questions[0]: wants an object"),
        ({"context": "t", "questions": [QUESTION, {"answers": ["a"]}]}, "questions[1]: 'question' is missing"),
        ({"context": "t", "questions": [{"question": "q?"}]}, "'answers' is missing"),
        ({"context": "t", "questions": [{"question": "q?", "answers": "a"}]}, "'answers' must be a list"),
        (
            {"context": "t", "questions": [{"question": "q?", "answers": ["a", ""]}]},
            "'answers' must be a list of texts",
        ),
        ({"context": "t", "questions": [{**QUESTION, "distractors": [1]}]}, "'distractors' must be a list of texts"),
        ({"context": "t", "questions": [QUESTION], "id": 7}, "'id' must be a text, got int"),
        ({"context": "u", "questions": [QUESTION], "id": "c1"}, "the id 'c1' is taken"),
        ({"context": "t", "questions": [QUESTION], "targets": [{"question": "q?"}]}, "targets[0]: 'answer' is missing"),
    ],
)
def test_jsonl_names_the_line_of_a_broken_row(tmp_path: Path, row: object, says: str) -> None:
    path = write(tmp_path / "my.jsonl", {"context": "t", "questions": [QUESTION]}, "", row)
    message = error("jsonl", path)
    assert message.startswith(f"{path}:3: ")
    assert says in message


@pytest.mark.parametrize("source", ["jsonl", "pwc", "squad"])
def test_unreadable_files(tmp_path: Path, source: str) -> None:
    for name in ("a\0b.jsonl", "~a\0/b.jsonl"):
        assert "no file can be called" in error(source, Path(name))
    assert "no such file" in error(source, tmp_path / "absent.jsonl")
    assert "the file is empty" in error(source, write(tmp_path / "empty.jsonl", "  "))
    assert "is a folder: name a file" in error(source, tmp_path)
    (tmp_path / "latin.jsonl").write_bytes(b'{"a": 1}\n{"context": "caf\xe9"}\n')
    assert "latin.jsonl:2: not UTF-8" in error(source, tmp_path / "latin.jsonl")


def test_jsonl_wants_a_path() -> None:
    assert "--data jsonl:FILE" in error("jsonl", "")


def test_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text(json.dumps({"context": "t", "questions": [QUESTION]}), encoding="utf-8-sig")
    assert load("jsonl", path).contexts[0].text == "t"
