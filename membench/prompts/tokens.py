"""Tokens of texts that stand one behind another: joined, they are those of the whole text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PROBE = "Q"
_BEFORE = ("\n", ":", "a")  # one of them keeps its own tokens, whatever follows it


def opening_ids(tokenizer: Any) -> tuple[int, ...]:
    """The tokens that open a sequence. What a tokenizer puts behind a text ends one, and opens none."""
    whole, plain = list(tokenizer(_PROBE).input_ids), _plain(tokenizer, _PROBE)
    for start in range(len(whole) - len(plain) + 1):
        if whole[start : start + len(plain)] == plain:
            return tuple(whole[:start])
    return ()


def first_ids(tokenizer: Any, opening: Sequence[int], text: str) -> list[int]:
    """The tokens of a text that opens a sequence, with the opening ones, which a chat template may write itself."""
    ids = _plain(tokenizer, text)
    return ids if opening and ids[: len(opening)] == list(opening) else [*opening, *ids]


BLANK = "\n\n"


def cut_before_blank(tokenizer: Any) -> bool:
    """Whether a blank line belongs to what follows it, so that pieces cut there have the tokens of their whole text.

    Tokenizers of GPT-2's kind leave the last newline to the next word, those of Llama 3's join newlines to what stands
    before them.
    """
    if not callable(tokenizer):  # the server's own: it is sent the whole text
        return False
    follows = FollowingTokens(tokenizer)

    def whole(before: str, behind: str) -> bool:
        return [*_plain(tokenizer, before), *follows.ids(behind)] == _plain(tokenizer, before + behind)

    ends = (f"a{_PROBE}", f"a{_PROBE}.")
    behind = all(whole(end + BLANK, _PROBE) for end in ends)
    return not behind and all(whole(end, BLANK + _PROBE) for end in ends)


class FollowingTokens:
    """The tokens of a text that stands behind another one.

    SentencePiece's tokenizers put a space before every text that they are given. Behind another text that space would
    be one too many, so there the text is tokenised behind a character, whose own tokens are then cut off.
    """

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self.spaced = self._behind(_PROBE) not in (None, _plain(tokenizer, _PROBE))

    def ids(self, text: str) -> list[int]:
        """The tokens, without any that open or end a sequence."""
        found = self._behind(text) if self.spaced else None
        return _plain(self._tokenizer, text) if found is None else found

    def _behind(self, text: str) -> list[int] | None:
        """The tokens of a text behind a character; None where none of those tried keeps its own tokens."""
        for character in _BEFORE:
            head, whole = _plain(self._tokenizer, character), _plain(self._tokenizer, character + text)
            if whole[: len(head)] == head:
                return whole[len(head) :]
        return None


def _plain(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False).input_ids)
