"""ReDial, films that people recommend to each other in chats (Li et al., NeurIPS 2018); `--data redial:FOLDER`."""

from __future__ import annotations

from membench.api import Source
from membench.corpora.dialogues import Dialogues
from membench.data._conversations import load_published


class Redial(Source):
    """Dialogues in the published form; the argument is a folder, a test file in one, or a hub id with its files."""

    def load(self, argument: str, limit: int, held_out: int) -> Dialogues:
        """See membench.data._conversations; raises MembenchError with file and record."""
        return load_published("redial", argument, limit, held_out)
