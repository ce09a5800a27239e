"""An OpenAI-compatible endpoint, for writers and summarisers: one talk in, one reply out, its tokens counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.model.meter import Meter

Talk = Sequence[tuple[str, str]]  # (role, content)

MODEL = "gpt-4o-mini"
TIMEOUT = 120.0  # seconds for one reply


@contextmanager
def chat(who: str, model: str, base_url: str | None, meter: Meter) -> Iterator[Callable[[Talk], str]]:
    """A function that gets the reply to a talk, at temperature 0; tokens as the replies count them.

    The key is OPENAI_API_KEY; an endpoint of one's own (`base_url`) may do without. Raises MembenchError, naming `who`
    asked, when the endpoint refuses, cannot be reached after the client's own retries, or does not speak the protocol.
    """
    import openai

    key = os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
    if key is None:
        raise MembenchError(f"{who} openai: set OPENAI_API_KEY, or give --base-url of an endpoint of your own")
    with openai.OpenAI(api_key=key, base_url=base_url, timeout=TIMEOUT) as client:

        def reply(talk: Talk) -> str:
            messages = [{"role": role, "content": content} for role, content in talk]
            try:
                done = client.chat.completions.create(model=model, temperature=0, messages=messages)  # type: ignore[arg-type]
            except openai.OpenAIError as error:
                raise MembenchError(f"{who} openai:{model}: {' '.join(str(error).split())}") from error
            if not getattr(done, "choices", None):  # the client hands on whatever came with status 200
                raise MembenchError(f"{who} openai:{model}: the reply is no chat completion (a base URL ends in /v1)")
            if done.usage:
                meter.add(read=done.usage.prompt_tokens, generated=done.usage.completion_tokens)
            return done.choices[0].message.content or ""

        yield reply
