"""INSPIRED, sociable film recommendation (Hayati et al., EMNLP 2020); `--data inspired:FOLDER`."""

from __future__ import annotations

from membench.api import Source
from membench.convrec import load_published
from membench.dialogues import Dialogues


class Inspired(Source):
    """Dialogues in the published form; the argument is a folder, a test file in one, or a hub id with its files."""

    def load(self, argument: str, limit: int, held_out: int) -> Dialogues:
        """See membench.convrec; raises MembenchError with file and record."""
        return load_published("inspired", argument, limit, held_out)
