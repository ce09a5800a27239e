"""Addresses of endpoints: what is secret in them, keys, parameters."""

from __future__ import annotations

import base64

import pytest

from membench.endpoints.chat_client import ChatClient
from membench.endpoints.endpoint_address import address, without_secrets
from membench.errors import MembenchError
from tests.support.chat_asking import TALK, client
from tests.support.chat_server import ChatServer, completion, refusal

pytestmark = pytest.mark.long


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
