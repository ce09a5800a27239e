"""Yardsticks behind an endpoint: the questions of several texts are asked at once, and answered from what was kept.

A text has a few questions only, and an endpoint takes more requests at a time than that. What is asked ahead is what
the step itself would ask; its answers are kept by content, and each step is charged the seconds of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from membench.api import Method
from membench.endpoints.model_client import EndpointAway
from membench.errors import MembenchError
from membench.io.atomic_files import CannotWrite
from membench.model.text_model import TextModel
from membench.playing.plugin_call import as_it_was
from membench.values import Ask, Episode, Question, Recall, Write


def groups(episodes: Sequence[Episode], questions: int) -> Iterator[list[Episode]]:
    """Episodes in order, together until they have so many questions; one by one for 0."""
    group: list[Episode] = []
    for episode in episodes:
        group.append(episode)
        if sum(len(step.questions) for e in group for step in e.steps if isinstance(step, Ask)) >= questions:
            yield group
            group = []
    if group:
        yield group


def ask_ahead(llm: TextModel, method: Method[Any], episodes: Sequence[Episode]) -> None:
    """Ask all questions of these episodes, whose answers are then kept.

    What one of them fails for is met again in its turn, when the texts before it are closed. Raises EndpointAway,
    CannotWrite.
    """
    contexts: list[tuple[str, ...]] = []
    questions: list[Question] = []
    for episode in episodes:
        memory = None
        for step in episode.steps:
            with as_it_was():
                if isinstance(step, Write):
                    memory = method.write(memory, [context.text for context in step.contexts])
                elif isinstance(step, Ask):
                    recall = method.recall(memory, [question.text for question in step.questions])
                    contexts += recall.contexts or [()] * len(step.questions)
                    questions += step.questions
    candidates = [(question.answers[0], *question.distractors) for question in questions]
    try:
        llm.answer(Recall(tuple(contexts)), [question.text for question in questions], candidates)
    except (EndpointAway, CannotWrite):
        raise
    except MembenchError:
        return
