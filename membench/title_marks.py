"""What stands around a title in an entry of a list: quotes, emphasis, its year, and a remark behind it."""

from __future__ import annotations

import re
from collections.abc import Callable

_MARKS = "\"'“”‘’«»*_`"
_YEAR_ON = re.compile(r"\s*\((?:18|19|20)\d\d\).*")  # a year, and what is said about the film behind it
_DASH = re.compile(r"\s+[-–—]+\s+")
_PAIRS = (
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("‘", "’"),
    ("«", "»"),
    ("'", "'"),
)
_QUOTED = re.compile("|".join(rf"{re.escape(a)}(\S|\S.*?\S){re.escape(b)}(?!\w)" for a, b in _PAIRS))
_BEHIND = re.compile(r"\s*(?:$|[-–—:,;.(])")  # what may follow a title in quotes


def unquoted(text: str) -> str:
    """A text without quotes and emphasis around it, and marks at its end."""
    return text.strip().strip(_MARKS).rstrip(".,;").strip(_MARKS).strip()


def cleaned(entry: str, known: Callable[[str], bool]) -> str:
    """The title alone. What is in parentheses goes when titles are compared.

    What is in quotes or emphasised at the beginning is the title, if a remark or nothing follows. A remark behind a
    dash goes, unless the whole, or what stands before a later dash, is `known` as a title.
    """
    entry = entry.strip()
    plain = unquoted(_YEAR_ON.sub("", entry))
    if known(plain):
        return plain
    quoted = _QUOTED.match(entry)
    if quoted:
        own = next(text for text in quoted.groups() if text)
        if own.endswith(":") or _BEHIND.match(entry, quoted.end()):
            return unquoted(_YEAR_ON.sub("", own.removesuffix(":")))
    parts = [unquoted(plain[: dash.start()]) for dash in _DASH.finditer(plain)]
    return next((part for part in reversed(parts) if known(part)), parts[0] if parts else plain)
