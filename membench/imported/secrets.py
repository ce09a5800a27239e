"""What a run was told, without what no file should hold: keys, tokens and passwords, by their names and their looks.

A name that only may be one ("key", "…_token") is one among the arguments of a model, where it opens an endpoint;
elsewhere it often names a field of the data, and its value must look like a credential. A setting that is left out
without need makes two runs look like one with two seeds, so what surely is none is kept.
"""

from __future__ import annotations

import re
from typing import Any

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
    "batched", "answer", "sort", "primary", "label", "target",
)  # fmt: skip
_CREDENTIAL = re.compile(  # wherever it stands in a text
    r"\b(?:sk|pk|rk|hf|gh[opsu]|glpat|xox[a-z])[-_](?=\S*\d)[\w-]{16,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*|"
    r"\b(?:bearer|basic) (?=\S*[\d=])[\w.+/=~-]{8,}|(?<=://)[^/@\s]+(?=@)|"
    r"(?:authorization|api[-_ ]?key|password|(?:secret|token)(?=\"))\"? ?: ?\"?[^\s\",}]+(?: [^\s\",}]+)?",
    re.IGNORECASE,
)
_MIXED = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])[\w.+/=~:-]{16,}")  # letters and digits without a blank


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
        kept = _CREDENTIAL.sub("***", value)
        return None if kept.strip() == "***" or _is_secret(words, value, of_model) else kept
    return value


def _is_secret(words: list[str], value: str, of_model: bool) -> bool:
    if not words[-1].endswith(_MAY_BE):
        return False
    if _opens(words) or words == ["token"]:
        return True
    if value.isdigit() or (words[-1] in _MAY_BE and words[:-1] and words[-2] in _HARMLESS):
        return False
    named = of_model and words[-1] in _MAY_BE and re.fullmatch(r"[\w.+/=~:-]+", value)
    return bool(named or _MIXED.fullmatch(value))


def _opens(words: list[str]) -> bool:
    """Whether it is the key or token of something that one opens, also written as one word."""
    *before, last = words
    return (last in _MAY_BE and bool(before) and before[-1] in _OPENS) or last.endswith(_TOGETHER)


_TOGETHER = tuple(first + last for first in _OPENS if len(first) > 2 or first == "hf" for last in _MAY_BE)


def _words(name: str) -> list[str]:
    """The words of a name in small letters, without a number, a "value" or a plural's s at the end."""
    words = [word for word in re.sub(r"(?<=[a-z])(?=[A-Z])|\W", "_", name).lower().split("_") if word]
    while len(words) > 1 and (words[-1].isdigit() or words[-1] == "value"):
        words.pop()
    last = words.pop().rstrip("0123456789") if words else ""
    return [*words, last.removesuffix("s") if not last.endswith("ss") else last]
