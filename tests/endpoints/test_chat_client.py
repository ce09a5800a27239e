"""The client of chat endpoints against a small real server on this machine that misbehaves in every way it can."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from membench.endpoints.chat_client import ChatReply, spoken
from membench.endpoints.endpoint_call import shown
from membench.endpoints.model_client import ModelClient
from membench.errors import MembenchError
from tests.support.chat_asking import TALK, client, fails
from tests.support.chat_server import ChatServer, Reply, completion, refusal

pytestmark = pytest.mark.long

SCHEMA = {"type": "object"}


# ---------------------------------------------------------------- replies


def test_a_reply_has_its_text_its_tokens_and_how_it_ended(server: ChatServer) -> None:
    server.replies = [completion("Ines Corde", finish="length")]
    reply = client(server).reply(TALK)
    assert reply == ChatReply("Ines Corde", 100, 11, "length")
    assert reply.cut
    assert server.keys == ["Bearer key-of-this-test"]
    assert server.requests[0]["messages"] == [{"role": role, "content": content} for role, content in TALK]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "Ines "}, {"type": "text", "text": "Corde"}], "Ines Corde"),
        ([{"type": "thinking", "thinking": "Hm."}, {"type": "image_url"}, {"type": "text", "text": "Ines"}, 3], "Ines"),
        (["Ines ", "Corde"], "Ines Corde"),
        (None, ""),
        ("<think>Bo?</think>\n\nInes", "Ines"),
        ("half of a pair: \ud83d", "half of a pair: \ufffd"),
        ("a whole pair: \ud83d\ude00", "a whole pair: 😀"),
    ],
)
def test_content_may_come_in_other_forms(server: ChatServer, content: Any, text: str) -> None:
    server.replies = [completion(content)]
    assert client(server).reply(TALK).text == text


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("<think>a</think>b", "b"),
        ("Well. <THINK>a</THINK> b <reasoning>c</reasoning>", "Well.  b"),
        ("it began in the prompt</think>\n\nb", "b"),
        ("<think>never ends", ""),
        ("b <think>never ends", "b"),
        ("<think>a <think>b</think> c</think> d", "d"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_what_is_thought_aloud_is_cut_off(reply: str, text: str) -> None:
    assert spoken(reply) == text


def test_a_million_tags_are_read_in_one_pass() -> None:
    started = time.monotonic()
    assert spoken("<think>" * 1_000_000) == ""
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"total_tokens": 70}, {"prompt_tokens": None, "completion_tokens": -3}, {"prompt_tokens": "7"}, [1]],
)
def test_tokens_that_are_not_counted_are_none(server: ChatServer, usage: Any) -> None:
    _, whole = completion("Ines")
    server.replies = [(200, {**whole, "usage": usage})]
    assert client(server).reply(TALK) == ChatReply("Ines", 0, 0, "stop")


def test_json_in_another_of_its_encodings_is_read(server: ChatServer) -> None:
    server.replies = [(200, json.dumps(completion("Ínes")[1], ensure_ascii=False).encode("utf-16"))]
    assert client(server).reply(TALK).text == "Ínes"


def test_a_model_that_answers_half_of_a_character_is_marked_as_decoders_do(server: ChatServer) -> None:
    server.replies = [completion("yes \ud83d")]
    assert ModelClient("some-model", server.url, "chat").goes_on("Q: Well?\nA:", 8, "\n").text == "yes \ufffd"


def without(message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": "content_filter", "message": message}]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"id": "1", "choices": [{"index"', r"no chat completion \(a base URL ends in /v1\).*200: \{\"id\": \"1\""),
        ("", "no chat completion .*: nothing"),
        ("<html>Welcome\x1b[31m</html>", "no chat completion .*<html>Welcome"),
        ("data: {}\n\ndata: [DONE]\n\n", "no chat completion .*data: {}"),
        (b"\xff\xfe\x00", "sent what is no text in UTF-8"),
        ('{"choices": [{"message": {"content": "café"}}]}'.encode("latin-1"), "no text in UTF-8: .*caf\ufffd"),
        ("[" * 100_000, "no chat completion"),
        ("9" * 10_000, "no chat completion"),
        ([], "no chat completion"),
        ("null", "no chat completion"),
        ({"object": "chat.completion", "choices": []}, "no chat completion"),
        ({"choices": ["Q: Who?"]}, "no chat completion"),
        ({"choices": None, "error": {"message": "Provider said no", "code": 403}}, "answered 403: Provider said no"),
        ({"choices": None, "error": "no money"}, "answered with an error: no money"),
        (without(None), "without a message .*content_filter"),
        (without("text"), "without a message"),
        (without({"content": 5}), "without a message"),
        (without({"content": {"text": "x"}}), "without a message"),
    ],
)
def test_what_is_no_reply_is_one_line_that_says_what_came(server: ChatServer, body: Any, message: str) -> None:
    assert re.search(message, fails(server, (200, body)))
    assert len(server.requests) == 1


def test_long_errors_are_cut_and_secrets_are_not_shown(server: ChatServer) -> None:
    said = fails(server, refusal("no key-of-this-test \x1b[31m" + "x" * 5000, status=401))
    assert said.startswith("answered 401: no *** [31mxxx")
    assert len(said) < 300
    assert shown("") == "nothing"


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (refusal("Unsupported value: 'temperature' does not support 0 with this model."), "temperature"),
        (refusal("Unsupported value", param="temperature"), "temperature"),
        ((422, {"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]}), "temperature"),
        ((400, {"error": "temperature is fixed"}), "temperature"),
        ((200, {"choices": None, "error": {"message": "no temperature", "code": 400}}), "temperature"),
        (refusal("System role not supported"), "system"),
        (refusal("System role not supported", status=500), "system"),
        (refusal("Conversation roles must alternate user/assistant/user/assistant/..."), "system"),
        ((400, {"message": "Developer instruction is not enabled for this model"}), "system"),
        (refusal("Unsupported value", param="messages[0].role"), "system"),
        (refusal("This response_format type is unavailable now"), "response_format"),
        (refusal("json_schema is not supported"), "response_format"),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(server: ChatServer, error: Reply, gone: str) -> None:
    asking = client(server)
    server.replies = [error, completion("Ines"), completion("Corde")]
    assert asking.reply(TALK, SCHEMA).text == "Ines"
    assert asking.reply(TALK, SCHEMA).text == "Corde"
    assert asking.refused == {gone}
    first, *later = server.requests
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert first["response_format"]["json_schema"]["schema"] == SCHEMA
    assert len(later) == 2
    for request in later:
        assert gone not in {*request, *(message["role"] for message in request["messages"])}
        assert "Be brief." in request["messages"][0]["content"]
        assert request["messages"][-1]["content"].endswith("Who built it?")


def test_a_limit_on_tokens_goes_by_its_other_name_and_then_not_at_all(server: ChatServer) -> None:
    server.replies = [
        refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens"),
        refusal("unknown field max_completion_tokens", status=422),
        completion("Ines"),
    ]
    assert client(server).reply(TALK, max_tokens=7).text == "Ines"
    limits = [{k: v for k, v in request.items() if k.startswith("max")} for request in server.requests]
    assert limits == [{"max_tokens": 7}, {"max_completion_tokens": 7}, {}]


def test_a_server_that_refuses_all_and_still_more_is_asked_once_for_each(server: ChatServer) -> None:
    words = "temperature, response_format, system role, max_tokens, max_completion_tokens"
    server.answer = lambda request: refusal(words)
    with pytest.raises(MembenchError, match="answered 400: temperature"):
        client(server).reply(TALK, SCHEMA, max_tokens=7)
    assert len(server.requests) == 6
    assert set(server.requests[-1]) == {"model", "messages"}
