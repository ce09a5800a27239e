"""The client of chat endpoints against a small real server on this machine that misbehaves in every way it can."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from membench.endpoints import http_call
from membench.endpoints.chat_client import ChatClient, ChatReply, spoken
from membench.endpoints.endpoint_address import address, without_secrets
from membench.endpoints.endpoint_call import shown
from membench.endpoints.http_call import Limits
from membench.endpoints.model_client import ModelClient
from membench.errors import MembenchError
from tests.support.chat_server import ChatServer, Reply, completion, refusal, serving

pytestmark = pytest.mark.long

TALK = [("system", "Be brief."), ("user", "Who built it?")]
SCHEMA = {"type": "object"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-test")
    monkeypatch.setattr(http_call, "BACKOFF", 0.01)
    with serving() as running:
        yield running


def client(server: ChatServer, **limits: Any) -> ChatClient:
    return ChatClient("some-model", address(server.url), Limits(**limits))


def fails(server: ChatServer, *replies: Reply, **limits: Any) -> str:
    """What the error says after the endpoint's name."""
    server.replies = list(replies)
    with pytest.raises(MembenchError) as caught:
        client(server, **limits).reply(TALK)
    said = str(caught.value)
    assert said.startswith(f"{server.url} ")
    assert said.isprintable()
    return said.removeprefix(f"{server.url} ")


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


# ---------------------------------------------------------------- failures that pass


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choi')


@pytest.mark.parametrize(
    "reply", [refusal("busy", 503), refusal("slow down", 429), cut_off, (200, {"error": {"code": 429}})]
)
def test_a_passing_failure_is_tried_again(server: ChatServer, reply: Reply) -> None:
    server.replies = [reply, reply, completion("Ines")]
    assert client(server).reply(TALK).text == "Ines"
    assert len(server.requests) == 3


def test_a_failure_that_does_not_pass_is_told_after_some_tries(server: ChatServer) -> None:
    assert fails(server, *[refusal("Rate limit reached", 429)] * 9) == "answered 429: Rate limit reached"
    assert len(server.requests) == Limits().tries
    assert fails(server, *[cut_off] * 9, tries=2).startswith("broke off: ")


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_wait_that_is_asked_for_is_kept(server: ChatServer, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    after = "1" if form == "seconds" else formatdate(time.time() + 3600, usegmt=True)
    waits: list[float] = []
    monkeypatch.setattr("membench.endpoints.http_call.time.sleep", waits.append)
    status, body = refusal("slow down", 429)
    server.replies = [(status, body, {"retry-after-ms": "none", "Retry-After": after}), completion("Ines")]
    assert client(server, seconds=5000.0).reply(TALK).text == "Ines"
    assert waits == [1.0] if form == "seconds" else 3500 < waits[0] <= 3600


def test_a_wait_longer_than_the_call_is_not_begun(server: ChatServer) -> None:
    reply = (429, {"error": {"message": "quota"}}, {"retry-after-ms": "none", "Retry-After": "3600"})
    started = time.monotonic()
    said = fails(server, reply)
    assert said == "answered 429: quota; it asks to wait 3600 s, and a call ends after 120 s"
    assert time.monotonic() - started < 60


def test_an_endpoint_that_is_not_there_is_one_line(server: ChatServer) -> None:
    nowhere = ChatClient("m", address("http://127.0.0.1:9/v1"))
    with pytest.raises(MembenchError, match=r"^http://127.0.0.1:9/v1 Connection error: .*refused"):
        nowhere.reply(TALK)


# ---------------------------------------------------------------- limits


def test_a_reply_is_read_up_to_a_limit(server: ChatServer) -> None:
    assert fails(server, (200, b" " * 70_000), size=65_536) == "sent more than 65,536 bytes"
    assert fails(server, (500, b" " * 70_000), size=65_536) == "sent more than 65,536 bytes"


def test_a_packed_reply_is_unpacked_up_to_the_limit(server: ChatServer) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 300 * 2**20, 9), 9)
    assert len(bomb) < 20_000
    tracemalloc.start()
    said = fails(server, (200, bomb, {"Content-Encoding": "gzip, gzip"}), size=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said == "sent more than 1,048,576 bytes"
    assert peak < 30 * 2**20
    server.replies = [(200, gzip.compress(json.dumps(completion("Ines")[1]).encode()), {"Content-Encoding": "gzip"})]
    assert client(server).reply(TALK).text == "Ines"
    assert "cannot be read" in fails(server, (200, b"no gzip", {"Content-Encoding": "gzip"}))


def drip(start: bytes) -> Any:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        for _ in range(200):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)

    return write


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: ", b""],
    ids=["body", "headers", "status"],
)
def test_a_call_ends_however_slowly_an_endpoint_drips(server: ChatServer, start: bytes) -> None:
    started = time.monotonic()
    said = fails(server, drip(start), seconds=0.5)
    assert 0.4 < time.monotonic() - started < 5
    assert said == "did not answer within 0.5 s"


def test_an_endpoint_that_says_nothing_is_waited_for_as_long(server: ChatServer) -> None:
    assert fails(server, lambda handler: time.sleep(3), seconds=0.3) == "did not answer within 0.3 s"


# ---------------------------------------------------------------- addresses


def test_a_password_in_the_url_is_sent_and_never_shown(server: ChatServer) -> None:
    url = server.url.replace("http://", "http://me:p%40ssword@")
    where = address(url)
    assert where.public == server.url
    assert "ssword" not in repr(where)
    server.replies = [completion("Ines"), refusal("p@ssword bWU6cEBzc3dvcmQ=", 403)]
    asking = ChatClient("m", where)
    assert asking.reply(TALK).text == "Ines"
    assert server.keys == [f"Basic {base64.b64encode(b'me:p@ssword').decode()}"]
    with pytest.raises(MembenchError) as caught:
        asking.reply(TALK)
    assert str(caught.value) == f"{server.url} answered 403: *** ***"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("http://host/v1", "http://host/v1"),
        ("https://host:8443/v1/?api-version=3", "https://host:8443/v1/?api-version=3"),
        ("http://me:pass@host/v1", "http://host/v1"),
        ("http://token@host/v1", "http://host/v1"),
        ("http://m%C3%AB:p%3Ass@[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://host/v1?api-version=3&api_key=abc&sig=x", "http://host/v1?api-version=3"),
        ("http://me:a@b@host/v1", "http://host/v1"),
    ],
)
def test_what_is_secret_in_a_url_is_not_stored(typed: str, stored: str) -> None:
    assert without_secrets(typed) == stored


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://host/v1", "http://", "http:/host", "http://me:pass@host:port/v1", ""]
)
def test_what_is_no_url_is_one_line_without_a_password(url: str) -> None:
    with pytest.raises(MembenchError, match=r"--base-url wants a URL such as http://localhost:8000/v1") as caught:
        without_secrets(url)
    assert "pass" not in str(caught.value)


def test_parameters_stay_behind_the_path(server: ChatServer) -> None:
    server.replies = [completion("Ines")]
    ChatClient("m", address(f"{server.url}/?api-version=3&key=abcd")).reply(TALK)
    assert server.paths == ["/v1/chat/completions?api-version=3&key=abcd"]


@pytest.mark.parametrize("key", ["sk-ab–cd", "sk-ab cd", "sk-ab\ncd", "sk-абв", "sk-ab\x00cd"])
def test_a_key_that_no_header_can_hold_is_named_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "\x00" in key:
        key = key.replace("\x00", "\x7f")  # which an environment can hold
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(MembenchError, match=r"OPENAI_API_KEY: character \d .*copy the key anew") as caught:
        address(None)
    assert "sk-" not in str(caught.value)


def test_without_a_key_an_endpoint_of_ones_own_is_asked_for_nothing(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " \n")
    server.replies = [completion("Ines")]
    assert client(server).reply(TALK).text == "Ines"
    assert server.keys == [None]
    with pytest.raises(MembenchError, match="set OPENAI_API_KEY, or give --base-url"):
        address(None)
