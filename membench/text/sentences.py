"""Where a text may be cut: between sentences, clauses, words, and at last between characters."""

from __future__ import annotations

import regex

_CLOSING = "[」』”’）》】〉〕]*"
_ENDS = "。！？｡।॥؟۔።፧។៕။།༎։׃"
_PAUSES = "，、；：､،؛፣፤၊՝"

# Marks of English end a sentence before a space; those of scripts that may leave it out, everywhere.
BREAKS = tuple(
    regex.compile(pattern, regex.V1)
    for pattern in (
        rf"(?<=[.!?])(?=\s)|(?=\n)|(?<=[{_ENDS}]{_CLOSING})(?![{_ENDS}」』”’）》】〉〕…])",
        rf"(?<=[,;:])(?=\s)|(?<=[{_PAUSES}]|……)",
        r"(?=\s)",
    )
)
_ENDED = regex.compile(rf"[.!?:;,{_ENDS}{_PAUSES}][\"'»」』”’]*\s*$", regex.V1)
_QUOTATION = regex.compile(r"\s*[\"'«「『“‘„][^\"»」』“”]*[\"'»」』”’]\s*")


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order and without the space between them."""
    return [part.strip() for part in BREAKS[0].split(text) if part.strip()]


def is_ended(text: str) -> bool:
    """Whether its last mark, but for closing quotes, ends sentences or clauses; a quotation as a whole is not ended."""
    return bool(_ENDED.search(text)) and not _QUOTATION.fullmatch(text)


def characters(text: str) -> list[str]:
    """The characters of a text as readers see them, each with its marks."""
    found: list[str] = regex.findall(r"\X", text)
    return found
