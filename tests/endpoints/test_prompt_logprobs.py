"""Log-probabilities of candidates in what servers send: completions with echo, vLLM's chats, and what is neither."""

from __future__ import annotations

from typing import Any

import pytest

from membench.endpoints.model_client import Api, ModelClient
from membench.endpoints.prompt_logprobs import NoLikelihoods, Scored, payload, scored

ECHO = {
    "choices": [
        {
            "text": "A: Edda Marsh",
            "logprobs": {
                "tokens": ["A", ":", " Edda", " Marsh", "\n"],
                "token_logprobs": [None, -1.0, -2.0, -0.5, -9.0],
            },
        }
    ],
    "usage": {"prompt_tokens": 4, "completion_tokens": 1},
}
CHAT = {
    "choices": [{"message": {"content": "x"}}],
    "prompt_logprobs": [
        None,
        {"5": {"logprob": -1.0, "rank": 1, "decoded_token": "A:"}},
        {
            "7": {"logprob": -2.0, "rank": 9, "decoded_token": "Edda"},
            "8": {"logprob": -0.1, "rank": 1, "decoded_token": "B"},
        },
        {
            "8": {"logprob": -0.1, "rank": 1, "decoded_token": "B"},
            "9": {"logprob": -0.5, "rank": 2, "decoded_token": " Marsh"},
        },
    ],
    "usage": {"prompt_tokens": 4, "completion_tokens": 1},
}


def sent(api: Api, body: Any, read: int, monkeypatch: pytest.MonkeyPatch, candidate: str = " Edda Marsh") -> Scored:
    client = ModelClient("m", "http://127.0.0.1:9/v1", api)
    monkeypatch.setattr(client, "send", lambda _: (body, 200))
    return scored(client, "A:", candidate, read)


@pytest.mark.parametrize(("api", "body"), [("completions", ECHO), ("chat", CHAT)])
def test_the_candidates_own_tokens_are_scored(api: Api, body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent(api, body, 2, monkeypatch) == Scored((-2.0, -0.5), 4)


def test_a_chat_is_gone_on_with_in_the_assistants_message() -> None:
    asked = payload(ModelClient("m", "http://127.0.0.1:9/v1", "chat"), "Q", "Edda")
    assert asked["messages"][-1] == {"role": "assistant", "content": "Edda"}
    assert (asked["continue_final_message"], asked["add_generation_prompt"]) == (True, False)


@pytest.mark.parametrize(
    ("body", "read", "candidate", "message"),
    [
        ({"choices": [{"text": "x"}], "usage": {"prompt_tokens": 4}}, 2, " Edda Marsh", "sends no log-probabilities"),
        ({"choices": None}, 2, " Edda Marsh", "sends no log-probabilities"),
        (ECHO, 0, " Edda Marsh", "does not count"),
        ("<html>", 2, " Edda Marsh", "does not count"),
        (ECHO, 3, " Edda Marsh", "do not end where the prompt does"),  # another template, other opening tokens
        (ECHO, 2, " Ruth Adler", "do not end where the prompt does"),
        (ECHO, 4, " Edda Marsh", "do not end where the prompt does"),
    ],
)
def test_what_cannot_be_told_for_sure_is_no_likelihood(
    body: Any, read: int, candidate: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoLikelihoods, match=message):
        sent("completions", body, read, monkeypatch, candidate)
