"""Where an endpoint is and how it is asked for: its URL without what is secret, and the secrets apart from it."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from membench.errors import MembenchError

OPENAI = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"

SECRET_PARAMETER = re.compile(r"key|token|secret|sig|pass|auth|code", re.IGNORECASE)  # names of a URL's parameters


@dataclass(frozen=True)
class Address:
    """An endpoint: `public` may be shown and stored; `url` and `headers` are for the request alone."""

    public: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """A text without the secrets, which an endpoint may send back."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def without_secrets(base_url: str) -> str:
    """A base URL as it may be stored: without user, password and parameters that are keys. Raises MembenchError."""
    import httpx2

    try:
        url = httpx2.URL(base_url.strip())
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        shown = "" if "@" in base_url else f", got {base_url!r}"
        raise MembenchError(f"--base-url wants a URL such as http://localhost:8000/v1{shown}")
    query = parse_qsl(url.query.decode(), keep_blank_values=True)
    kept = [(name, value) for name, value in query if not SECRET_PARAMETER.search(name)]
    if kept == query and not url.userinfo:
        return base_url.strip()
    return str(url.copy_with(userinfo=b"", query=urlencode(kept).encode() or None))


def address(base_url: str | None, path: str = "chat/completions") -> Address:
    """What is asked for by a path below a base URL, OpenAI's without one.

    A user and a password in the URL are sent as HTTP's basic authorisation, and OPENAI_API_KEY as a bearer token where
    there are none; an endpoint of one's own may do without. Raises MembenchError for a URL or a key that is none.
    """
    import httpx2

    public = without_secrets(base_url or OPENAI)
    url = httpx2.URL((base_url or OPENAI).strip())
    key = os.environ.get(KEY, "").strip()
    if url.userinfo:
        pair = f"{url.username}:{url.password}"
        coded = base64.b64encode(pair.encode()).decode()
        headers, secrets = {"Authorization": f"Basic {coded}"}, [coded, url.password]
    elif key:
        headers, secrets = {"Authorization": f"Bearer {_plain(key)}"}, [key]
    elif base_url:
        headers, secrets = {}, []
    else:
        raise MembenchError(f"set {KEY}, or give --base-url of an endpoint of your own")
    secrets += [value for name, value in parse_qsl(url.query.decode()) if SECRET_PARAMETER.search(name)]
    full = url.copy_with(userinfo=b"", path=f"{url.path.rstrip('/')}/{path}", fragment=None)
    return Address(public, str(full), headers, tuple(secret for secret in secrets if len(secret) > 3))


def _plain(key: str) -> str:
    """The key, which a header can hold. Raises MembenchError that does not show it."""
    for position, letter in enumerate(key, 1):
        if not "!" <= letter <= "~":
            raise MembenchError(f"{KEY}: character {position} (U+{ord(letter):04X}) is in no key: copy the key anew")
    return key
