"""A folder of your own documents, with a gap to fill in their sentences as questions (`--data folder:DIR`)."""

from __future__ import annotations

from membench.api import Source
from membench.data._distractors import fill_distractors
from membench.documents.passages import passages
from membench.documents.questions import by_template
from membench.errors import MembenchError
from membench.io.user_files import user_path
from membench.values import Context, Dataset, Question


class Folder(Source):
    """Text files, Markdown, HTML and PDF below a folder; the argument is its path."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The passages in the order of the files' names, those that have a sentence to ask about.

        Raises MembenchError for a folder without documents, and if no sentence states a name or a number.
        """
        if not argument:
            raise MembenchError("folder wants a path: --data folder:DIR")
        path = user_path(argument)
        found = []
        for passage in passages(path):
            draft = by_template(passage)
            told = {pair.answer for pair in draft.targets}
            asked = tuple(
                Question(
                    f"{passage.id}-{k}", pair.question, (pair.answer,), passage.id,
                    tags={"kind": "test", "rehearsed": "yes" if pair.answer in told else "no"},
                )
                for k, pair in enumerate(draft.test)
            )  # fmt: skip
            if asked:
                found.append(Context(passage.id, passage.text, asked, draft.targets))
        if not found:
            raise MembenchError(
                f"{argument}: no sentence states a name or a number to ask about: "
                f"let a model write the questions, with membench questions {argument} --writer self"
            )
        filled = fill_distractors(found, limit + held_out)
        return Dataset(f"folder:{path.resolve().name}", filled[:limit], filled[limit:], stored=len(found))
