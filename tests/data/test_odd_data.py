"""Data as they come: repeated texts and ids, SQuAD files of other shapes, characters that no reader takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.planning.data_checks import checked
from membench.planning.plan import data_hash, load_data
from membench.plugins import registry
from membench.targets.pairs import recorded_pairs
from membench.values import Context, Dataset, Question

TEXT = "The harbour of Vellmar was built by Ines Corde in 1931."


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(row if isinstance(row, str) else f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def loaded(typed: str, task: str = "single") -> Dataset:
    return load_data(typed, registry.load("tasks", task)(), 20)


def refusal(typed: str, task: str = "single") -> str:
    with pytest.raises(MembenchError) as caught:
        loaded(typed, task)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def line(text: str, *asked: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"context": text, "questions": [{"question": q, "answers": [a]} for q, a in asked], **more}


def qa(id_: object, question: str = "Who?", *answers: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "question": question, "answers": [{"text": a, "answer_start": 0} for a in answers], **more}


def squad(path: Path, *paragraphs: tuple[str, list[dict[str, Any]]]) -> Path:
    made = [{"context": text, "qas": qas} for text, qas in paragraphs]
    return written(path, {"data": [{"title": "t", "paragraphs": made}]})


def test_lines_of_one_text_are_one_context(tmp_path: Path) -> None:
    other = line("Oxley lies inland.", ("Where is Oxley?", "inland"))
    pair = {"targets": [{"question": "Who?", "answer": "Ines"}]}
    apart = written(
        tmp_path / "a.jsonl", line(TEXT, ("Who?", "Ines"), **pair), line(f"{TEXT} ", ("When?", "1931"), **pair), other
    )
    grouped = written(tmp_path / "b.jsonl", line(TEXT, ("Who?", "Ines"), ("When?", "1931"), **pair), other)
    one, two = (loaded(f"jsonl:{path}") for path in (apart, grouped))
    assert [q.id for q in one.contexts[0].questions] == ["c1-0", "c1-1"]
    assert data_hash(one.contexts) == data_hash(two.contexts)


def test_probes_of_joined_lines_keep_their_pairs(tmp_path: Path) -> None:
    probe = {"kind": "paraphrase", "question": "By whom?", "of": 0}
    path = written(
        tmp_path / "a.jsonl",
        line(TEXT, ("Who?", "Ines"), probes=[probe]),
        line(TEXT, ("When?", "1931"), probes=[probe]),
    )
    (context,) = loaded(f"jsonl:{path}", "contamination").contexts
    assert [(p.id, p.tags["of"], p.answers) for p in context.probes] == [
        ("c1-probe-0", "c1-0", ("Ines",)),
        ("c1-probe-1", "c1-1", ("1931",)),
    ]


def test_paragraphs_and_rows_of_one_text_are_one_context(tmp_path: Path) -> None:
    path = squad(tmp_path / "a.json", (TEXT, [qa("a", "Who?", "Ines")]), (TEXT, [qa("b", "When?", "1931")]))
    (context,) = loaded(f"squad:{path}").contexts
    assert [q.id for q in context.questions] == ["a", "b"]
    rows = [{"input": text, "prompt": f"{text} {k}?", "answer": "Ines"} for k, text in enumerate("aba")]
    assert [len(c.questions) for c in loaded(f"pwc:{written(tmp_path / 'p.jsonl', *rows)}").contexts] == [2, 1]


def test_two_contexts_with_one_text_and_two_questions_with_one_id_are_refused_in_any_source() -> None:
    one, two = (Question(name, "Who?", ("Ines",), "c") for name in ("q", "r"))
    with pytest.raises(MembenchError, match="'c' and 'd' have the same text"):
        checked(Dataset("mine", (Context("c", TEXT, (one,)),), (Context("d", f" {TEXT}\n", (two,)),)))
    for probes, revision in (((one,), None), ((), Context("e", "later", (one,)))):
        other = Context("d", "other", (), probes=probes, revision=revision)
        data = Dataset("mine", (Context("c", TEXT, (one,)), other))
        with pytest.raises(MembenchError, match="question id 'q' is given twice, in the contexts 'c' and 'd'"):
            checked(data)


def test_a_distractor_that_the_scorer_takes_for_the_answer_is_dropped(tmp_path: Path) -> None:
    asked = {"question": "Where?", "answers": ["U.S."], "distractors": ["US", "the u.s.", "Peru"]}
    path = written(tmp_path / "a.jsonl", {"context": TEXT, "questions": [asked]})
    assert loaded(f"jsonl:{path}").contexts[0].questions[0].distractors == ("Peru",)


def test_squad_names_both_places_of_an_id(tmp_path: Path) -> None:
    path = squad(tmp_path / "a.json", (TEXT, [qa("a", "Who?", "Ines")]), ("Other.", [qa("a", "When?", "1931")]))
    message = refusal(f"squad:{path}")
    assert "data[0].paragraphs[1].qas[0]: the id 'a' is taken by" in message
    assert "paragraphs[0].qas[0]" in message


def test_squad_of_other_shapes(tmp_path: Path) -> None:
    asked = [
        qa(51870, "Who?", "Ines"),
        qa("b", "Who painted it?"),
        qa("c", "  ", "x"),
        qa("d", "Why?", "x", is_impossible=True),
    ]
    without = {"question": "When?", "answers": [{"text": "1931"}, {"text": " "}]}
    path = squad(tmp_path / "a.json", ("", []), (TEXT, [*asked, without]))
    (context,) = loaded(f"squad:{path}").contexts
    assert [(q.text, q.answers) for q in context.questions] == [("Who?", ("Ines",)), ("When?", ("1931",))]
    assert (context.questions[0].id, context.probes) == ("51870", ())
    (probed,) = loaded(f"squad:{path}", "contamination").contexts
    assert [(p.id, p.tags["kind"], p.answers) for p in probed.probes] == [
        ("b", "unanswerable", ("not stated",)),
        ("d", "unanswerable", ("not stated",)),
    ]


def test_squad_rows_as_datasets_has_them(tmp_path: Path) -> None:
    texts = (TEXT, "Oxley lies inland.", TEXT)
    rows = [
        {
            "id": f"r{k}",
            "title": "t",
            "context": text,
            "question": f"{k}?",
            "answers": {"text": ["x"], "answer_start": [0]},
        }
        for k, text in enumerate(texts)
    ]
    as_lines, as_list = written(tmp_path / "a.jsonl", *rows), written(tmp_path / "b.json", rows)
    one, two = loaded(f"squad:{as_lines}"), loaded(f"squad:{as_list}")
    assert one.contexts == two.contexts
    assert [[q.id for q in c.questions] for c in one.contexts] == [["r0", "r2"], ["r1"]]


BAD = {
    "surrogate": ('"\\ud800"', "half a character"),
    "low surrogate": ('"x\\udc00"', "half a character"),
    "nested": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "digits": ("9" * 10_000, "too many digits"),
}


@pytest.mark.parametrize(("value", "says"), BAD.values(), ids=BAD.keys())
def test_json_that_no_reader_takes_is_refused_with_its_line(value: str, says: str, tmp_path: Path) -> None:
    good = json.dumps(line(TEXT, ("Who?", "Ines")))
    path = written(tmp_path / "a.jsonl", f"{good}\n", f'{{"id": "z", "context": {value}, "questions": []}}\n')
    assert refusal(f"jsonl:{path}").startswith(f"{path}:2: ")
    assert says in refusal(f"jsonl:{path}")
    with pytest.raises(MembenchError, match=r"t\.jsonl:1: .*" + says):
        recorded_pairs(written(tmp_path / "t.jsonl", f'{{"context": {value}, "pairs": []}}\n'))


def test_whole_characters_beyond_the_first_plane_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", line(f"{TEXT} 👍 \\ud800 is text", ("Who?", "👍")))
    assert "\\ud83d\\udc4d" in path.read_text(encoding="utf-8")
    assert loaded(f"jsonl:{path}").contexts[0].questions[0].answers == ("👍",)
