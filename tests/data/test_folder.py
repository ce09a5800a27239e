"""A folder of documents as a data source."""

from __future__ import annotations

from pathlib import Path

import pytest

import membench.documents
from membench.data.folder import Folder
from membench.data.jsonl import Jsonl
from membench.data.worlds import Worlds
from membench.errors import MembenchError
from membench.planning.data_checks import said_of_size
from tests.support.harbours import harbours

DEMO = Path(membench.documents.__file__).with_name("demo")


def test_the_folder_that_comes_with_membench() -> None:
    data = Folder().load(str(DEMO), 4, 2)
    assert data.name == "folder:demo"
    assert [context.id for context in (*data.contexts, *data.held_out)] == [
        "ferry.md#1", "ferry.md#2", "library.md#1", "market.html#1", "market.html#2", "museum.txt#1"
    ]  # fmt: skip
    for context in data.contexts:
        assert {question.tags["rehearsed"] for question in context.questions} == {"yes", "no"}
        assert all(question.answers[0] in context.text for question in context.questions)
        assert all(len(question.distractors) == 4 for question in context.questions)


def test_a_smaller_limit_is_the_beginning_of_a_larger_one() -> None:
    assert Folder().load(str(DEMO), 2, 0).contexts == Folder().load(str(DEMO), 4, 0).contexts[:2]


def test_that_not_all_documents_are_written_is_said_unless_so_many_were_asked_for(tmp_path: Path) -> None:
    data = Folder().load(str(DEMO), 2, 1)
    assert said_of_size(data, None) == "folder:demo: the first 2 of its 6 texts are written; --limit 6 writes all"
    assert said_of_size(data, 2) == said_of_size(Folder().load(str(DEMO), 6, 1), None) == ""
    own = Jsonl().load(str(harbours(tmp_path / "own.jsonl")), 1, 1)
    assert said_of_size(own, None).endswith(": the first 1 of its 3 texts are written; --limit 3 writes all")
    assert said_of_size(Worlds().load("", 2, 1), None) == ""


def test_what_cannot_be_asked_about_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match="--data folder:DIR"):
        Folder().load("", 1, 0)
    with pytest.raises(MembenchError, match="no such folder"):
        Folder().load("~nobody-of-this-name/x", 1, 0)
    (tmp_path / "a.txt").write_text("nothing here has a name or a number")
    with pytest.raises(MembenchError, match=r"no sentence states a name or a number .*--writer self"):
        Folder().load(str(tmp_path), 1, 0)
