"""An OpenAI-compatible endpoint as writers and summarisers ask it: one talk in, one reply out, its tokens counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membench.endpoints.chat_client import ChatClient, ChatReply, Talk
from membench.endpoints.endpoint_address import address, without_secrets
from membench.errors import standing_at

if TYPE_CHECKING:
    from membench.model.meter import Meter

MODEL = "gpt-4o-mini"


@dataclass
class Endpoint:
    """The models behind a base URL, OpenAI's without one; what one of them refuses is learnt once."""

    base_url: str | None

    def __post_init__(self) -> None:
        self._clients: dict[str, ChatClient] = {}

    @property
    def public(self) -> str | None:
        """The base URL without user, password and keys: what tells one endpoint from another."""
        return without_secrets(self.base_url) if self.base_url else None

    def ask(self, who: str, model: str, talk: Talk, meter: Meter, schema: Mapping[str, Any] | None = None) -> ChatReply:
        """The reply to a talk; its tokens are added to the meter.

        The key is OPENAI_API_KEY; an endpoint of one's own may do without. Raises MembenchError, naming `who` asked,
        when the endpoint refuses, cannot be reached, or does not speak the protocol.
        """
        with standing_at(f"{who} openai:{model}"):
            if model not in self._clients:
                self._clients[model] = ChatClient(model, address(self.base_url))
            reply = self._clients[model].reply(talk, schema)
        meter.add(read=reply.read, generated=reply.generated)
        return reply
