"""What a run was told, without what no file should hold: keys, tokens and passwords, by their names and their looks.

A name that only may be one ("key", "…_token") is one among the arguments of a model, where it opens an endpoint;
elsewhere it often names a field of the data, and its value must look like a credential. A setting that is left out
without need makes two runs look like one with two seeds, so what surely is none is kept.
"""

from __future__ import annotations

import re
from typing import Any

from membench.endpoints.endpoint_address import SECRET_PARAMETER

# Last words of a name that are secret whatever stands before them, written together.
_ALWAYS = ("password", "passwd", "passphrase", "secret", "credential", "auth", "authorization", "bearer", "apikey")
_MAY_BE = ("key", "token")
# Words before these two with which they are secret, and with which they are not.
_OPENS = (
    "api", "access", "auth", "private", "secret", "session", "client", "service", "refresh", "user", "hf", "hub",
    "huggingface", "openai", "anthropic", "azure", "aws", "google", "gemini", "mistral", "cohere", "groq", "together",
    "github", "gitlab", "wandb",
)  # fmt: skip
_HARMLESS = (
    "bos", "eos", "pad", "unk", "sep", "cls", "mask", "stop", "end", "start", "image", "max", "min", "new", "num",
    "batched", "answer", "sort", "primary", "label", "target", "special", "reasoning",
)  # fmt: skip
_TOGETHER = tuple(first + last for first in _OPENS if len(first) > 2 or first == "hf" for last in _MAY_BE)

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?|true|false|none|null", re.IGNORECASE)
_NO_MARK = re.compile(r"[^\s<>\[\]|]+")  # not as a model's own marks are: </s>, [PAD]
_MIXED = re.compile(
    r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_KEYS = re.compile(  # as those who issue them begin them; never within a path
    r"(?<![\w/.-])(?:sk-(?=[\w-]*\d)[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[opsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|"
    r"glpat-[\w-]{16,}|xox[abp]-[\w-]{10,}|AIza[\w-]{30,}|gsk_[A-Za-z0-9]{20,}|nvapi-[\w-]{20,}|xai-[A-Za-z0-9]{20,}|"
    r"tvly-[\w-]{16,}|AKIA[0-9A-Z]{16}\b|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|[Bb]earer (?=\S*[\d.=])[\w.+/=~-]{8,})"
)
_HEADER = re.compile(r"\b((?:proxy-)?authorization|x-api-key) ?: ?(?:(?:bearer|basic) )?[^\s\"',}]+", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/\s]+(?=@)")
_QUERY = re.compile(r"(?<=[?&])([\w.-]+)=[^&\s]+")
_QUOTED = re.compile(r"(([\"'])([\w .-]{1,60})\2 ?: ?)([\"'])[^\"']*\4")  # of JSON, or of a dict as Python prints it


def without_secrets(name: str, value: Any, of_model: bool = False) -> Any:
    """The value of an argument without what within it is secret, *** in a text; None for one that is nothing else."""
    words = _words(name)
    if not isinstance(value, bool) and words[-1].endswith(_ALWAYS):
        return None
    if isinstance(value, dict):
        if _opens(words):
            return None
        found = {inner: without_secrets(inner, told, of_model) for inner, told in value.items()}
        return {inner: told for inner, told in found.items() if told is not None}
    if isinstance(value, list):
        return [told for inner in value if (told := without_secrets(name, inner, of_model)) is not None]
    if isinstance(value, str):
        kept = _masked(value)
        return None if kept.strip() == "***" or _is_secret(words, value, of_model) else kept
    return value


def _masked(text: str) -> str:
    """A text with *** for what in it is a credential."""
    text = _USER.sub("***", _KEYS.sub("***", text))
    text = _QUERY.sub(lambda pair: f"{pair[1]}=***" if SECRET_PARAMETER.search(pair[1]) else pair[0], text)
    text = _QUOTED.sub(lambda pair: f"{pair[1]}{pair[4]}***{pair[4]}" if _sure(_words(pair[3])) else pair[0], text)
    return _HEADER.sub(r"\1: ***", text)


def _is_secret(words: list[str], value: str, of_model: bool) -> bool:
    last = words[-1]
    if not last.endswith(_MAY_BE) or _PLAIN.fullmatch(value):
        return False
    if _opens(words) or words == ["token"]:
        return True
    if last in _MAY_BE and words[:-1] and words[-2] in _HARMLESS:
        return False
    return bool((of_model and last in _MAY_BE and _NO_MARK.fullmatch(value)) or _MIXED.fullmatch(value))


def _sure(words: list[str]) -> bool:
    return words[-1].endswith(_ALWAYS) or _opens(words)


def _opens(words: list[str]) -> bool:
    """Whether it is the key or token of something that one opens, also written as one word."""
    *before, last = words
    return (last in _MAY_BE and bool(before) and before[-1] in _OPENS) or last.endswith(_TOGETHER)


def _words(name: str) -> list[str]:
    """The words of a name in small letters, without a number, a "value" or a plural's s at the end."""
    words = [word for word in re.sub(r"(?<=[a-z])(?=[A-Z])|\W", "_", name).lower().split("_") if word]
    while len(words) > 1 and (words[-1].isdigit() or words[-1] == "value"):
        words.pop()
    last = words.pop().rstrip("0123456789") if words else ""
    return [*words, last.removesuffix("s") if not last.endswith("ss") else last]
