"""INSPIRED, sociable film recommendation (Hayati et al., EMNLP 2020); `--data inspired:FOLDER`."""

from __future__ import annotations

from membench.api import Source
from membench.corpora.dialogues import Dialogues
from membench.data._conversations import load_published


class Inspired(Source):
    """Dialogues in the published form; the argument is a folder, a test file in one, or a hub id with its files."""

    def load(self, argument: str, limit: int, held_out: int) -> Dialogues:
        """See membench.data._conversations; raises MembenchError with file and record."""
        return load_published("inspired", argument, limit, held_out)
