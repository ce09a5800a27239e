"""Who writes the targets, what it costs, and what comes of a writer that fails."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from membench.api import Pair
from membench.errors import MembenchError
from membench.model.decoding import Completion
from membench.model.llm import LLM
from membench.model.meter import Meter
from membench.targets import writers
from membench.targets.pairs import holds, parse
from membench.targets.scribe import Scribe, provenance

TEXT = "Ines Corde built the harbour of Vellmar in 1931. It holds forty ships."
BUILDER = Pair("Who built the harbour of Vellmar?", "Ines Corde")
YEAR = Pair("In what year was the harbour of Vellmar built?", "1931")
SHIPS = Pair("How many ships does the harbour of Vellmar hold?", "forty")


@dataclass
class Parrot:
    """A model that continues a prompt with what stands under the opening words that end it."""

    says: dict[str, str] = field(default_factory=dict)
    name: str = "parrot"
    meter: Meter = field(default_factory=Meter)
    calls: int = 0

    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        self.calls += 1
        self.meter.add(read=sum(map(len, prompts)), generated=7 * len(prompts))
        openings = [prompt.rpartition("Q: ")[2] for prompt in prompts]
        return [Completion(self.says.get(o, " is it?\nA: nothing of the kind"), (), False) for o in openings]


SAYS = {
    "Who": " built the harbour of Vellmar?\nA: Ines Corde.\n",
    "In what year": " was the harbour of Vellmar built?\nA: 1931",
    "Where": " is the harbour of Vellmar?\nA: in France",  # invented
    "How many": " ships does the harbour of Vellmar hold?\nA: forty",
    "What kind of": " harbour is it?\nA: forty",  # of which harbour?
    "Which": " harbour did Ines Corde build?\nA: Ines Corde",  # gives itself away
    "When": " was the Vellmar harbour built?\nA: 1931",
    "What did": " Ines Corde do?\nA: 1931",  # the third question with this answer
    "What is the": " harbour of Vellmar",  # broken off
}


def llm_of(model: Parrot) -> LLM:
    return cast(LLM, model)


def pairs(scribe: Scribe, writer: str, count: int, model: Parrot | None = None, text: str = TEXT) -> tuple[Pair, ...]:
    return scribe.pairs(writer, text, count, llm_of(model or Parrot()))


# ---------------------------------------------------------------- the reply


@pytest.mark.parametrize(
    "reply",
    [
        "Q: Who built it?\nA: Ines Corde\nQ: When?\nA: 1931",
        "Question: Who built it? Answer: Ines Corde\nQuestion: When? Answer: 1931",
        "1. **Q1:** Who built it?\n   **A1:** Ines Corde.\n\n2. **Q2:** When?\n   **A2:** 1931.",
        "Here are two pairs:\r\n- Q: Who built it?\r\n\r\n  A: Ines Corde\r\n- Q: When?\r\n  A: 1931\r\nQ: And",
        "Q: Unanswered\nQ: Who built it?\nA: Ines Corde\nQ: ?\nA: yes\nQ: When? A: 1931",
    ],
)
def test_pairs_are_read_from_any_usual_form(reply: str) -> None:
    found = parse(reply)
    assert [(p.question, p.answer) for p in found if p.question != "Unanswered"] == [
        ("Who built it?", "Ines Corde"),
        ("When?", "1931"),
    ]


def test_a_phrase_counts_only_in_whole_words() -> None:
    assert holds("It rose by 38 percent.", "38 Percent")
    assert not holds("It rose by 38 percent.", "3")
    assert not holds("It rose.", "the")


# ---------------------------------------------------------------- template and recorded


def test_template_takes_the_datas_own_pairs_in_order() -> None:
    scribe = Scribe({TEXT: (BUILDER, YEAR, SHIPS)}, None)
    assert pairs(scribe, "template", 2) == (BUILDER, YEAR)
    assert scribe.written == {TEXT: (BUILDER, YEAR)}
    assert pairs(scribe, "template", 9) == (BUILDER, YEAR, SHIPS)
    assert scribe.written == {TEXT: (BUILDER, YEAR, SHIPS)}


def test_template_without_pairs_names_the_writers_that_would_do() -> None:
    with pytest.raises(MembenchError, match=r"'Ines Corde built.*self, openai or recorded:FILE"):
        pairs(Scribe({}, None), "template", 2)


@pytest.mark.parametrize(
    ("writer", "message"),
    [
        ("tempalte", "did you mean 'template'"),
        ("recorded", "recorded:FILE"),
        ("self:x", "targets=self$"),
    ],
)
def test_wrong_writers_are_one_line(writer: str, message: str) -> None:
    with pytest.raises(MembenchError, match=message):
        pairs(Scribe({}, None), writer, 2)


def test_recorded_pairs_come_from_the_file(tmp_path: Path) -> None:
    row = {"context": TEXT, "pairs": [{"question": BUILDER.question, "answer": "the one and only Ines\u2028Corde"}]}
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n\n", encoding="utf-8")
    scribe = Scribe({}, None)
    assert pairs(scribe, f"recorded:{path}", 5) == (Pair(BUILDER.question, "the one and only Ines\u2028Corde"),)
    assert provenance(f"recorded:{path}")["file"] == "pairs.jsonl"
    with pytest.raises(MembenchError, match="no pairs about the passage 'Another"):
        pairs(scribe, f"recorded:{path}", 5, text="Another passage.")


GOOD_LINE = '{"context": "c", "pairs": [{"question": "q?", "answer": "a"}]}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (GOOD_LINE + "{broken", ":2: broken JSON"),
        (GOOD_LINE + '{"context": "d"}', ":2: wants"),
        ('{"context": "d", "pairs": [{"question": "q?", "answer": 3}]}', ":1: a pair wants"),
        (GOOD_LINE + "\n" + GOOD_LINE, ":3: this context"),
    ],
)
def test_a_broken_recorded_file_is_named_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(MembenchError, match=message):
        pairs(Scribe({}, None), f"recorded:{path}", 1)


def test_a_missing_recorded_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"gone\.jsonl: no such file"):
        pairs(Scribe({}, None), f"recorded:{tmp_path / 'gone.jsonl'}", 1)


# ---------------------------------------------------------------- self


def test_self_keeps_only_pairs_that_the_passage_bears_out() -> None:
    wrote = pairs(Scribe({}, None), "self", 16, Parrot(SAYS))
    assert wrote == (BUILDER, YEAR, SHIPS, Pair("When was the Vellmar harbour built?", "1931"))


def test_self_that_writes_nothing_usable_says_so() -> None:
    with pytest.raises(MembenchError, match="writer self has no pairs"):
        pairs(Scribe({}, None), "self", 4, Parrot())


def test_cost_is_the_same_new_or_kept(tmp_path: Path) -> None:
    first, second = Parrot(SAYS), Parrot(SAYS)
    wrote = pairs(Scribe({}, tmp_path / "targets"), "self", 3, first)
    again = Scribe({}, tmp_path / "targets")
    assert pairs(again, "self", 3, second) == wrote
    assert again.written == {TEXT: wrote}
    assert first.calls > 0
    assert second.calls == 0
    cost = first.meter.lap()[1]
    assert set(cost) == {"writer"}
    assert cost == second.meter.lap()[1]
    assert [path.suffix for path in (tmp_path / "targets").iterdir()] == [".json"]


@pytest.mark.parametrize(("count", "name", "weights"), [(2, "parrot", ""), (3, "other", ""), (3, "parrot", "f00d")])
def test_another_count_or_model_is_written_anew(tmp_path: Path, count: int, name: str, weights: str) -> None:
    pairs(Scribe({}, tmp_path), "self", 3, Parrot(SAYS))
    model = Parrot(SAYS, name=name)
    pairs(Scribe({}, tmp_path, weights=weights), "self", count, model)
    assert model.calls > 0


@pytest.mark.parametrize("damage", ["", "[]", '{"pairs": [{"question": "q"}], "tokens": {}}', '{"pairs": 3}'])
def test_a_damaged_entry_is_written_anew(tmp_path: Path, damage: str) -> None:
    wrote = pairs(Scribe({}, tmp_path), "self", 3, Parrot(SAYS))
    entry = next(tmp_path.iterdir())
    whole = json.loads(entry.read_text(encoding="utf-8"))
    entry.write_text(damage, encoding="utf-8")
    assert pairs(Scribe({}, tmp_path), "self", 3, Parrot(SAYS)) == wrote
    again = json.loads(entry.read_text(encoding="utf-8"))
    assert again["seconds"] >= 0
    assert again | {"seconds": 0} == whole | {"seconds": 0}


class Slow(Parrot):
    """It takes its time."""

    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        time.sleep(0.06)
        return super().complete(prompts, max_new_tokens, stop)


def test_the_writers_seconds_are_charged_every_time(tmp_path: Path) -> None:
    first, second = Slow(SAYS), Slow(SAYS)
    first.meter.lap()
    pairs(Scribe({}, tmp_path), "self", 3, first)
    took = first.meter.lap()[0]
    second.meter.lap()
    started = time.perf_counter()
    pairs(Scribe({}, tmp_path), "self", 3, second)
    waited, charged = time.perf_counter() - started, second.meter.lap()[0]
    assert second.calls == 0
    assert took >= 0.06
    assert charged == pytest.approx(took + waited, abs=0.05)
    assert second.meter.lap()[0] < 0.05  # once


def without_seconds(folder: Path) -> Path:
    """The one entry there, as earlier versions kept it."""
    (entry,) = folder.iterdir()
    kept = json.loads(entry.read_text(encoding="utf-8"))
    del kept["seconds"]
    entry.write_text(json.dumps(kept), encoding="utf-8")
    return entry


def test_an_entry_without_seconds_is_timed_anew(tmp_path: Path) -> None:
    wrote = pairs(Scribe({}, tmp_path), "self", 3, Parrot(SAYS))
    entry, model = without_seconds(tmp_path), Parrot(SAYS)
    assert pairs(Scribe({}, tmp_path), "self", 3, model) == wrote
    assert model.calls > 0
    assert "seconds" in json.loads(entry.read_text(encoding="utf-8"))


def test_one_that_an_endpoint_wrote_is_charged_none_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "openai_pairs", lambda *_: [BUILDER, YEAR])
    pairs(Scribe({}, tmp_path), "openai:m", 2)
    without_seconds(tmp_path)
    said: list[str] = []
    scribe = Scribe({}, tmp_path, offline=True, say=said.append)
    assert pairs(scribe, "openai:m", 2) == pairs(scribe, "openai:m", 2) == (BUILDER, YEAR)
    assert said == ["kept pairs of openai:m came with no seconds: their writing is charged none"]
