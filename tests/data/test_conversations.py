"""ReDial and INSPIRED in the published form: what is written, what is asked, and what is said about broken files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.cli.app import main
from membench.corpora.dialogues import Dialogues, fingerprint, mentioned
from membench.errors import MembenchError
from membench.plugins import registry

URI = "<http://dbpedia.org/resource/{}>"
ENTITIES = {
    "Water_(1985_film)": 4, "Kate_Upton": 1, "Spider-Man": 2, "O_Brother,_Where_Art_Thou%3F": 3, "Water_(2005_film)": 0,
    "V/H/S": 5,
}  # fmt: skip
ITEMS = [0, 2, 3, 4, 5]


def row(dialogue: str, turn: int, rec: Sequence[object], prev: Sequence[int] = ()) -> dict[str, Any]:
    said = "".join(f"\nUser: u{n}\nSystem: s{n}" for n in range(1, turn))
    return {
        "context": [], "resp": f"s{turn}", "rec": rec, "entity": rec, "prev_entity": list(prev), "dialog_id": dialogue,
        "turn_id": turn, "is_user": 0, "input": f"{said}\nUser: u{turn}\nSystem: ",
    }  # fmt: skip


def folder(path: Path, *lines: object, train: tuple[object, ...] = ()) -> Path:
    path.mkdir(exist_ok=True)
    (path / "entity2id.json").write_text(json.dumps({URI.format(k): v for k, v in ENTITIES.items()}))
    (path / "item_ids.json").write_text(json.dumps(ITEMS))
    for name, rows in (("test.jsonl", lines), ("train.jsonl", train)):
        if rows:
            text = "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in rows)
            (path / name).write_text(text, encoding="utf-8")
    return path


def load(argument: object, source: str = "redial", limit: int = 9, held_out: int = 0) -> Dialogues:
    data: Dialogues = registry.load("data", source)().load(str(argument), limit, held_out)
    return data


MANY = [row(f"d{n}", turn, [2 + n % 2]) for n in range(8) for turn in (1, 2)]


@pytest.mark.parametrize("source", ["redial", "inspired"])
def test_a_training_file_is_written_and_the_test_file_is_asked(tmp_path: Path, source: str) -> None:
    train = (row("t0", 1, [2]), row("t0", 2, [], [2]), row("t1", 1, [0, 4]))
    data = load(folder(tmp_path / "films", row("d0", 1, [3]), row("d0", 2, [4, 2], [0, 1, 3]), train=train), source)
    assert data.name == f"{source}:films"
    assert data.split == "train.jsonl"
    assert [c.text for c in data.contexts] == ["User: u1\nSystem: s1\nUser: u2\nSystem: s2", "User: u1\nSystem: s1"]
    assert data.recommended == {"t0": ("Spider Man",), "t1": ("Water",)}
    assert data.items == ("Water", "Spider Man", "O Brother, Where Art Thou?", "V/H/S")  # in the order of entity2id
    first, second = data.turns
    assert (first.id, first.text, first.answers, first.context) == (
        "d0-1", "User: u1", ("O Brother, Where Art Thou?",), "d0",
    )  # fmt: skip
    assert second.text == "User: u1\nSystem: s1\nUser: u2"
    assert second.answers == ("Water", "Spider Man")
    assert second.tags["dialogue"] == "d0"
    assert mentioned(second.tags) == ("Water", "O Brother, Where Art Thou?")  # by name; Kate Upton is no film


def test_targets_quote_the_user_and_name_the_films_of_the_turn(tmp_path: Path) -> None:
    opened = {**row("t1", 1, [2]), "input": "System: "}  # by the system
    train = (row("t0", 1, [2]), row("t0", 2, []), row("t0", 3, [0, 4]), opened, row("t1", 2, [3]))
    first, second = load(folder(tmp_path / "films", *MANY, train=train)).contexts
    assert [(q.question.partition('"')[2].partition('"')[0], q.answer) for q in first.targets] == [
        ("u1", "Spider Man"), ("u1", "Spider Man"), ("u3", "Water"), ("u3", "Water"),
    ]  # fmt: skip
    assert {pair.answer for pair in second.targets} == {"O Brother, Where Art Thou?"}
    assert not {pair.question for pair in first.targets} & {question.text for question in first.questions}


def test_a_dialogue_to_write_and_to_ask_about_is_refused(tmp_path: Path) -> None:
    train = (row("t0", 1, [2]), row("d0", 1, [0]))
    with pytest.raises(
        MembenchError, match=r"train\.jsonl:2: dialogue 'd0' is in test\.jsonl too: leave it out of one"
    ):
        load(folder(tmp_path / "films", row("d0", 1, [3]), row("d1", 1, [3]), train=train))


def test_without_a_training_file_dialogues_are_split_by_id(tmp_path: Path) -> None:
    data = load(folder(tmp_path / "films", *MANY), limit=2, held_out=1)
    assert "hash of their ids" in data.split
    told = {c.id for c in load(tmp_path / "films").contexts}
    asked = {turn.context for turn in data.turns}
    assert told | asked == {f"d{n}" for n in range(8)}
    assert not told & asked
    assert [c.id for c in data.contexts] == sorted(told)[:2]
    more = load(folder(tmp_path / "more", *MANY, *[row(f"x{n}", 1, [2]) for n in range(5)]))
    assert told <= {c.id for c in more.contexts}  # a dialogue stays on its side


def test_a_test_file_of_any_name_has_the_others_beside_it(tmp_path: Path) -> None:
    (folder(tmp_path, *MANY) / "test.jsonl").rename(tmp_path / "half.jsonl")
    assert load(tmp_path / "half.jsonl").name == "redial:half.jsonl"
    with pytest.raises(MembenchError, match=r"test\.jsonl: no such file"):
        load(tmp_path)


def test_what_is_asked_changes_the_fingerprint(tmp_path: Path) -> None:
    train = (row("t0", 1, [2]),)
    one = load(folder(tmp_path / "a", row("d0", 1, [3]), train=train))
    other = load(folder(tmp_path / "b", row("d0", 1, [2]), train=train))
    assert one.contexts == other.contexts
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "broken JSON"),
        (row("x", 1, []), "dialogue 'x' recommends no item: leave it out"),
        (row("x", 1, [77]), "unknown item id 77 in 'rec': it is not in entity2id.json"),
        (row("x", 1, [1]), "unknown item id 1 in 'rec': it is not in item_ids.json"),
        (row("x", 1, ["2"]), "unknown item id '2' in 'rec'"),
        (row("x", 1, [2]) | {"rec": 3}, "'rec' must be a list of ids"),
        (row("x", 1, [2]) | {"resp": None}, "'resp' must be a text"),
        ({"rec": [2]}, "'dialog_id' is missing"),
        (MANY[0], "the turn 'd0-1' is taken"),
    ],
)
def test_a_broken_record_is_named_in_one_line(tmp_path: Path, tiny: Path, line: object, says: str) -> None:
    where = folder(tmp_path / "films", *MANY, line)
    done = CliRunner().invoke(
        main, ["run", "-m", "base", "-t", "recommendation", "--data", f"redial:{where}", "--model", str(tiny)]
    )
    assert done.exit_code == 2
    (message,) = done.stderr.strip().splitlines()
    assert f"{where}/test.jsonl:17: " in message
    assert says in message


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("item_ids.json", "[2, 99]", "item_ids.json: unknown item id 99"),
        ("item_ids.json", "{}", "item_ids.json: wants a list of ids"),
        ("entity2id.json", "[1]", "entity2id.json: wants an object"),
        ("entity2id.json", "{", "entity2id.json:1: broken JSON"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, file: str, content: str, says: str) -> None:
    (folder(tmp_path, *MANY) / file).write_text(content)
    with pytest.raises(MembenchError, match=says):
        load(tmp_path)


def test_too_little_to_split_and_no_argument_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match="too few to write some and ask about others"):
        load(folder(tmp_path, MANY[0]))
    with pytest.raises(MembenchError, match="--data inspired:FOLDER"):
        load("", "inspired")


def test_a_hub_id_fetches_the_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = folder(tmp_path / "snapshot", *MANY)
    asked: dict[str, Any] = {}

    def fetch(name: str, **options: Any) -> str:
        asked.update(options, name=name)
        return str(where)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert load("someone/films").name == "redial:someone/films"
    assert (asked["name"], asked["repo_type"]) == ("someone/films", "dataset")
    assert set(asked["allow_patterns"]) == {"test.jsonl", "train.jsonl", "entity2id.json", "item_ids.json"}


def test_a_hub_id_that_is_not_in_the_cache_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MembenchError, match="hf download --repo-type dataset someone/films"):
        load("someone/films")
