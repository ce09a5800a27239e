"""Readers of published data: what they take, in which order, and what they say about broken input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from membench.api import Context, Dataset, Question
from membench.data._distractors import coarse_type, fill_distractors
from membench.errors import MembenchError
from membench.io.user_files import data_name, is_file_argument
from membench.plugins import registry

SHARED = Path(__file__).parents[3] / "shared" / "data"


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


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"real data set not here: {path.name}")
    return path


# ---------------------------------------------------------------- squad


def article(*paragraphs: Sequence[tuple[str, list[str]]], title: str) -> dict[str, Any]:
    return {
        "title": title,
        "paragraphs": [
            {
                "context": f"{title} paragraph {i}",
                "qas": [
                    {
                        "id": f"{title}{i}{k}",
                        "question": question,
                        "answers": [{"text": text, "answer_start": 0} for text in answers],
                        "is_impossible": not answers,
                    }
                    for k, (question, answers) in enumerate(qas)
                ],
            }
            for i, qas in enumerate(paragraphs)
        ],
    }


def test_squad_spreads_over_articles_and_skips_the_unanswerable(tmp_path: Path) -> None:
    many = [(f"Question {k}?", [f"Answer {k}", f"answer {k}", f"Answer {k}"]) for k in range(7)]
    data = [
        article([("Who?", ["Ada Quill"])], [("Who?", [])], [("Where?", ["Oxley"])], title="a"),
        article([("None?", [])], title="b"),
        article(many, title="c"),
    ]
    found = load("squad", write(tmp_path / "my.json", {"version": "v2.0", "data": data})).contexts
    assert [c.text for c in found] == ["a paragraph 0", "c paragraph 0", "a paragraph 2"]
    assert [len(c.questions) for c in found] == [1, 5, 1]
    assert found[1].questions[0].answers == ("Answer 0", "answer 0")
    assert found[0].questions[0].id == "a00"
    assert all(q.context == c.id for c in found for q in c.questions)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{\n\n,}", ":3: broken JSON"),
        ({"rows": []}, "'data' is missing"),
        ({"data": [{"title": "t"}]}, "data[0]: 'paragraphs' is missing"),
        ({"data": [{"paragraphs": [{"context": "t"}]}]}, "data[0].paragraphs[0]: 'qas' must be a list"),
        ({"data": [article([("q?", [])], title="t")]}, "no question has an answer"),
        (
            {"data": [{"paragraphs": [{"context": "t", "qas": [{"id": "1", "question": "q?", "answers": ["a"]}]}]}]},
            "data[0].paragraphs[0].qas[0].answers: wants an object",
        ),
    ],
)
def test_squad_names_the_broken_record(tmp_path: Path, value: object, says: str) -> None:
    path = write(tmp_path / "my.json", value)
    message = error("squad", path)
    assert message.startswith(str(path))
    assert says in message


def test_squad_real_file() -> None:
    data = load("squad", shared("squad/squad_dev_half1.json"), 30, 5)
    assert data.name == "squad:squad_dev_half1.json"
    assert (len(data.contexts), len(data.held_out)) == (30, 5)
    assert data.contexts[0].text.startswith("Super Bowl 50 was an American football game")
    assert data.contexts[0].questions[0].answers == ("Denver Broncos",)
    assert len({c.id.split("-")[1] for c in data.contexts[:20]}) == 20
    for question in (q for c in data.contexts for q in c.questions):
        assert len(question.distractors) == 4
        assert {coarse_type(x) for x in question.distractors} == {coarse_type(question.answers[0])}


# ---------------------------------------------------------------- pwc


def row(text: str, prompt: str, answer: str) -> dict[str, str]:
    return {"input": text, "prompt": prompt, "answer": answer}


def test_pwc_rules(tmp_path: Path) -> None:
    rows = [
        row("<s>one", "Who?", "Ada"),
        row("one", "Summarise the above text.", "short"),
        row("one", "When?", "in the year of 1931"),
        row("two", "Why?", "it was a very long story"),
        row("one", "Where?", "Oxley"),
        row("three", "Who?", "Tam"),
        row("one", "Again?", "yes"),
    ]
    found = load("pwc", write(tmp_path / "my.jsonl", *rows)).contexts
    assert [(c.id, c.text) for c in found] == [("pwc-0", "one"), ("pwc-1", "three")]
    assert [q.answers[0] for q in found[0].questions] == ["Ada", "in the year of 1931", "Oxley", "yes"]
    assert found[0].questions[2].id == "pwc-0-2"


def test_pwc_broken_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "my.jsonl", row("one", "Who?", "Ada"), {"input": "one", "prompt": "Who?"})
    assert error("pwc", path) == f"{path}:2: 'answer' is missing"
    path = write(tmp_path / "long.jsonl", row("one", "Who?", "six words are one too many"))
    assert "no answer has 5 words or fewer" in error("pwc", path)


def test_pwc_real_file() -> None:
    (context,) = load("pwc", shared("pwc/pwc_six_prompts_one_context.jsonl")).contexts
    assert context.text.startswith("French senior civil servant arrested")
    assert [q.answers[0] for q in context.questions][:2] == ["Benoit Quennedey", "Franco-Korean Friendship Association"]


# ---------------------------------------------------------------- hub


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, without a network."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    return tmp_path / "hub"


@pytest.mark.parametrize(
    ("source", "argument", "hub_id"),
    [("squad", "", "rajpurkar/squad"), ("pwc", "", "sggetao/PwC"), ("squad", "some-one/own", "some-one/own")],
)
def test_offline_names_the_command(hub_cache: Path, source: str, argument: str, hub_id: str) -> None:
    assert f"`hf download --repo-type dataset {hub_id}`" in error(source, argument)


def cached(hub_cache: Path, hub_id: str) -> Path:
    """The snapshot folder of a data set, as a download leaves it."""
    folder = hub_cache / f"datasets--{hub_id.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    return snapshot


def test_offline_reads_what_was_fetched(hub_cache: Path) -> None:
    write(cached(hub_cache, "sggetao/PwC") / "PwC_test.jsonl", row("one", "Who?", "Ada"), row("two", "Who?", "Tam"))
    data = load("pwc", "")
    assert data.name == "pwc"
    assert [c.text for c in data.contexts] == ["one", "two"]

    rows = [
        {"id": str(i), "title": title, "context": text, "question": "Who?", "answers": {"text": [who]}}
        for i, (title, text, who) in enumerate([("t", "a", "Ada"), ("t", "b", "Tam"), ("u", "c", "Ben")])
    ]
    write(cached(hub_cache, "some-one/own") / "validation.jsonl", *rows)
    data = load("squad", "some-one/own")
    assert data.name == "squad:some-one/own"
    assert [(c.id, c.text) for c in data.contexts] == [("squad-0-0", "a"), ("squad-1-0", "c"), ("squad-0-1", "b")]
    assert data.contexts[0].questions[0].answers == ("Ada",)


# ---------------------------------------------------------------- shared parts


@pytest.mark.parametrize(
    ("argument", "local", "name"),
    [
        ("rajpurkar/squad", False, "squad:rajpurkar/squad"),
        ("dev.json", True, "squad:dev.json"),
        ("some/dev.json", True, "squad:dev.json"),
        ("/a/b/c", True, "squad:c"),
        ("~/b", True, "squad:b"),
    ],
)
def test_files_and_hub_ids(argument: str, local: bool, name: str) -> None:
    assert is_file_argument(argument) is local
    assert data_name("squad", argument) == name


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("1931", "date"),
        ("March 3", "date"),
        ("on Tuesday", "date"),
        ("38 percent", "number"),
        ("$137 billion", "number"),
        ("Benoit Quennedey", "name"),
        ("the Council of Oxley", "name"),
        ("may be", "other"),
        ("a red door", "other"),
        ("?", "other"),
    ],
)
def test_coarse_types(answer: str, kind: str) -> None:
    assert coarse_type(answer) == kind


def test_distractors_come_from_other_contexts_and_do_not_depend_on_the_count() -> None:
    names = ["Ada Quill", "Tam Reed", "Ines Corde", "Ben Hollow", "Una West", "Ada Quill Bridge"]
    contexts = tuple(
        Context(f"c{i}", "t", (Question(f"c{i}-0", "q?", (name,), f"c{i}"),)) for i, name in enumerate(names)
    )
    filled = fill_distractors(contexts, 3)
    assert filled == fill_distractors(contexts, 6)[:3]
    assert set(filled[0].questions[0].distractors) == {"Tam Reed", "Ines Corde", "Ben Hollow", "Una West"}
    kept = Question("k", "q?", ("x",), "c", ("y",))
    assert fill_distractors([Context("c", "t", (kept,)), *contexts], 1)[0].questions == (kept,)
