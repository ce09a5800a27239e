"""The `openai` writer against a small real server on this machine: what it is asked, and what comes of its replies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from membench.api import Pair
from membench.endpoints import http_call
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.model.meter import Meter
from membench.targets.scribe import Scribe
from membench.targets.writers import SCHEMA
from tests.support.chat_server import ChatServer, completion, refusal, serving

pytestmark = pytest.mark.long

TEXT = "Ines Corde built the harbour of Vellmar in 1931. It holds forty ships."
TEST_QUESTION = "Vellmar's harbour goes back to which builder?"
BUILDER = Pair("Who built the harbour of Vellmar?", "Ines Corde")
YEAR = Pair("In what year was the harbour of Vellmar built?", "1931")
SHIPS = Pair("How many ships does the harbour of Vellmar hold?", "forty")


def pairs(scribe: Scribe, writer: str, count: int, meter: Meter | None = None) -> tuple[Pair, ...]:
    return scribe.pairs(writer, TEXT, count, cast(LLM, SimpleNamespace(meter=meter or Meter())))


def lines(*wanted: Pair) -> str:
    return "\n".join(f"Q: {pair.question}\nA: {pair.answer}" for pair in wanted)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-test")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(http_call, "BACKOFF", 0.01)
    with serving() as server:
        yield server


def test_openai_writes_from_the_passage_alone(endpoint: ChatServer) -> None:
    endpoint.replies = [completion(lines(BUILDER, YEAR, SHIPS))]
    meter = Meter()
    assert pairs(Scribe({}, None, endpoint.url), "openai", 2, meter) == (BUILDER, YEAR)
    [request] = endpoint.requests
    assert request["model"] == "gpt-4o-mini"
    assert request["temperature"] == 0
    said = " ".join(message["content"] for message in request["messages"])
    assert TEXT in said
    assert "Write 2 pairs" in said
    assert TEST_QUESTION not in said
    assert request["response_format"]["json_schema"]["schema"] == SCHEMA
    assert endpoint.keys == ["Bearer key-of-this-test"]
    assert meter.lap()[1] == {"writer": {"read": 100, "generated": 11}}


def test_a_short_reply_is_asked_for_what_is_missing_and_kept(endpoint: ChatServer, tmp_path: Path) -> None:
    endpoint.replies = [completion(lines(BUILDER)), completion(lines(BUILDER, YEAR, SHIPS))]
    first, second = Meter(), Meter()
    wrote = pairs(Scribe({}, tmp_path, endpoint.url), "openai:some-model", 3, first)
    assert wrote == (BUILDER, YEAR, SHIPS)
    follow_up = endpoint.requests[1]
    assert follow_up["model"] == "some-model"
    assert follow_up["messages"][-2] == {"role": "assistant", "content": lines(BUILDER)}
    assert "Write 2 more" in follow_up["messages"][-1]["content"]
    offline = Scribe({}, tmp_path, endpoint.url, offline=True)
    assert pairs(offline, "openai:some-model", 3, second) == wrote
    assert first.lap()[1] == second.lap()[1] == {"writer": {"read": 200, "generated": 22}}
    assert len(endpoint.requests) == 2


BROKEN = Pair("Who owns the harbour?", "Ines \ud83d")


@pytest.mark.parametrize("form", [lines(BROKEN, YEAR), json.dumps({"pairs": [vars(BROKEN), vars(YEAR)]})])
def test_half_of_a_character_is_left_out_and_told_and_asked_for_again(endpoint: ChatServer, form: str) -> None:
    endpoint.replies = [completion(form), completion(lines(BUILDER))]
    told: list[str] = []
    assert pairs(Scribe({}, None, endpoint.url, say=told.append), "openai", 2) == (YEAR, BUILDER)
    assert len(told) == 1
    assert "openai:gpt-4o-mini wrote half of a character in 1 of its pairs about 'Ines Corde" in told[0]


@pytest.mark.parametrize(
    "entry", [b"[" * 100_000, b"\xff", b'{"pairs": [{"question": 5, "answer": "a"}], "tokens": {}}']
)
def test_kept_pairs_that_are_damaged_are_written_anew(endpoint: ChatServer, tmp_path: Path, entry: bytes) -> None:
    endpoint.replies = [completion(lines(BUILDER))] * 2
    for _ in range(2):
        assert pairs(Scribe({}, tmp_path, endpoint.url), "openai", 1) == (BUILDER,)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(entry)


def test_an_endpoint_that_has_no_more_to_say_is_left_alone(endpoint: ChatServer) -> None:
    endpoint.replies = [completion(lines(BUILDER)), completion("I have nothing to add.")]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 8) == (BUILDER,)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((401, {"error": {"message": "no such\nkey"}}), r"^target writer openai:gpt-4o-mini: .*401.*no such"),
        ((200, "<html>Welcome</html>"), r"gpt-4o-mini: http://127.0.0.1:\d+/v1 sent no chat completion .*ends in /v1"),
        ((200, {"object": "chat.completion", "choices": []}), "no chat completion"),
        (completion("Sorry, I cannot do that."), "has no pairs"),
    ],
)
def test_an_endpoint_that_fails_is_one_line(
    endpoint: ChatServer, tmp_path: Path, reply: tuple[int, Any], message: str
) -> None:
    endpoint.replies = [reply]
    with pytest.raises(MembenchError, match=message) as caught:
        pairs(Scribe({}, tmp_path, endpoint.url), "openai", 2)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_endpoint_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, endpoint: ChatServer) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    nowhere = "http://127.0.0.1:9/v1"
    with pytest.raises(MembenchError, match=r"gpt-4o-mini: http://127.0.0.1:9/v1 Connection error: .*refused"):
        pairs(Scribe({}, None, nowhere), "openai", 2)


def test_openai_without_key_or_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MembenchError, match="set OPENAI_API_KEY"):
        pairs(Scribe({}, None), "openai", 2)
    with pytest.raises(MembenchError, match="run once without --offline"):
        pairs(Scribe({}, None, offline=True), "openai", 2)


# ---------------------------------------------------------------- what small and odd endpoints reply


def as_json(*wanted: Pair) -> str:
    return json.dumps({"pairs": [{"question": pair.question, "answer": pair.answer} for pair in wanted]})


def test_a_reply_in_json_is_read(endpoint: ChatServer) -> None:
    endpoint.replies = [completion(as_json(BUILDER, YEAR, SHIPS))]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 3) == (BUILDER, YEAR, SHIPS)


def test_pairs_that_are_only_thought_of_are_none(endpoint: ChatServer) -> None:
    thought = "<think>Q: Who painted the lighthouse?\nA: Bo Quill\nNo, not in the passage.</think>\n\n"
    endpoint.replies = [completion(thought + lines(BUILDER)), completion(thought + lines(YEAR))]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 2) == (BUILDER, YEAR)
    assert endpoint.requests[1]["messages"][-2]["content"] == lines(BUILDER)


@pytest.mark.parametrize("form", [lines, as_json])
def test_a_pair_that_is_cut_off_is_asked_for_again(endpoint: ChatServer, form: Any) -> None:
    whole = form(BUILDER, YEAR)
    cut = whole[: whole.index("1931") + 2]
    endpoint.replies = [completion(cut, finish="length"), completion(form(YEAR))]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 2) == (BUILDER, YEAR)
    assert "Write 1 more" in endpoint.requests[1]["messages"][-1]["content"]


def test_what_an_endpoint_refuses_is_learnt_for_all_passages(endpoint: ChatServer) -> None:
    def answer(request: dict[str, Any]) -> Any:
        for name in ("response_format", "temperature"):
            if name in request:
                return refusal(f"unknown parameter {name}")
        return refusal("System role not supported") if len(request["messages"]) > 1 else completion(lines(BUILDER))

    endpoint.answer = answer
    scribe = Scribe({}, None, endpoint.url)
    assert pairs(scribe, "openai", 1) == (BUILDER,)
    assert len(endpoint.requests) == 4
    assert pairs(scribe, "openai", 1) == (BUILDER,)
    assert len(endpoint.requests) == 5


def test_a_password_is_no_part_of_what_is_kept(endpoint: ChatServer, tmp_path: Path) -> None:
    secret = endpoint.url.replace("//", "//me:opensesame@")
    endpoint.replies = [completion(lines(BUILDER))]
    assert pairs(Scribe({}, tmp_path, secret), "openai", 1) == (BUILDER,)
    assert str(endpoint.keys[0]).startswith("Basic ")
    assert pairs(Scribe({}, tmp_path, endpoint.url), "openai", 1) == (BUILDER,)  # the same endpoint: nothing is asked
    assert not any(b"opensesame" in path.read_bytes() for path in tmp_path.rglob("*"))


def test_a_key_with_a_dash_of_a_text_processor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk–abc")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MembenchError, match=r"^target writer openai:.*: OPENAI_API_KEY: character 3 \(U\+2013"):
        pairs(Scribe({}, None), "openai", 2)
