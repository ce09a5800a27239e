"""Texts of others (names of files, labels, answers) as they may be shown: nothing in them steers what shows them."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """A text on one line without control characters, marks of direction and halves of surrogate pairs.

    What parts words becomes a space; marks that join letters (zero-width joiners) stay.
    """
    return "".join(letter if letter.isprintable() or letter in "\u200c\u200d" else _instead(letter) for letter in text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which stay."""
    return "\n".join(map(visible, text.split("\n")))


def _instead(letter: str) -> str:
    return "" if unicodedata.category(letter) == "Cf" else " "
