"""Pieces of texts that stand in place of tokens where a model's tokenizer is not at hand.

A piece is a word with the space before it, a number of up to three digits, some signs or white space, cut after five
bytes: of English text there are rather more of them than a tokenizer makes tokens. A piece is known by a number that
holds its text, so that numbers kept in a file are read anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

VERSION = 1  # raise it when a text comes to other pieces: passages are then cut otherwise

_BYTES = 5  # of a piece at most; with a one before them they fit into 63 bits
_PARTS = regex.compile(r" ?[\p{L}\p{M}]+| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]{1,3}|\s+?(?=\S|$)|\s")
_ERRORS = "surrogatepass"


def ids(text: str) -> list[int]:
    """The numbers of a text's pieces, in order."""
    return list(_ids(text))


@lru_cache(maxsize=4096)
def _ids(text: str) -> tuple[int, ...]:
    """Kept, since a text that is recalled for every question is counted for each."""
    return tuple(_number(piece) for part in _PARTS.findall(text) for piece in _cut(part))


def text_of(numbers: Sequence[int]) -> str:
    """The text of pieces."""
    return b"".join(number.to_bytes(_BYTES + 1, "big").lstrip(b"\0")[1:] for number in numbers).decode(errors=_ERRORS)


def _number(piece: bytes) -> int:
    return int.from_bytes(b"\1" + piece, "big")


def _cut(part: str) -> Iterator[bytes]:
    """A part in pieces of at most `_BYTES` bytes, no character cut."""
    piece = b""
    for character in part:
        coded = character.encode(errors=_ERRORS)
        if len(piece) + len(coded) > _BYTES:
            yield piece
            piece = b""
        piece += coded
    yield piece
