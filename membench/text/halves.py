"""Halves of characters (lone surrogates), which JSON can spell and no file can hold."""

from __future__ import annotations

MARK = "\ufffd"  # what decoders put where bytes make no character


def has_half(text: str) -> bool:
    """Whether a text holds half of a character."""
    return not text.isascii() and max(text) >= "\ud800" and any(map(_is_half, text))


def marked_halves(text: str) -> str:
    """A text with MARK in place of each half."""
    return "".join(MARK if _is_half(letter) else letter for letter in text) if has_half(text) else text


def _is_half(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"
