"""What the calls of plug-ins give back, looked at before it is used: a slip of their code is no other answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from membench.api import Task
from membench.errors import MembenchError
from membench.text.halves import has_half
from membench.values import (
    Ask,
    Composed,
    Context,
    Dataset,
    Drift,
    Episode,
    Forget,
    Pair,
    Question,
    Recall,
    Step,
    Write,
)

CALLS = 3  # of episodes(): a chance order is hardly the same in all of them


def sound_recall(recall: Any, questions: int) -> Recall:
    """What `recall` gave back for so many questions. Raises MembenchError for what is no Recall with a tuple of texts
    for each of them. Of a text in its place every letter would stand in the prompt as a text of its own.
    """
    if not isinstance(recall, Recall):
        raise MembenchError(f"recall returned {type(recall).__name__}, not Recall")
    if recall.adapter_scope not in ("all", "decode"):
        raise MembenchError(f"recall brought adapter_scope {recall.adapter_scope!r}: make it all or decode")
    if recall.contexts is not None:
        _refuse_count(recall.contexts, questions, "recall brought contexts for")
        for texts in recall.contexts:
            if isinstance(texts, str) or not isinstance(texts, Iterable):
                raise MembenchError(
                    f"recall brought {type(texts).__name__} as the contexts of a question: make it a tuple of texts"
                )
            _refuse_but_texts(texts, "recall brought a context")
    for kind in ("adapters", "prefixes"):
        if (brought := getattr(recall, kind)) is not None:
            _refuse_count(brought, questions, f"recall brought {kind} for")
    return recall


def sound_answers(answers: Any, questions: int) -> Sequence[str]:
    """What `answer` gave back for so many questions. Raises MembenchError for what is no list of as many texts."""
    _refuse_count(answers, questions, "answer gave answers to")
    _refuse_but_texts(answers, "answer gave an answer")
    return list(answers)


def _refuse_count(found: Any, questions: int, what: str) -> None:
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise MembenchError(f"{what} {questions} questions as {type(found).__name__}: make it a list")
    if len(found) != questions:
        raise MembenchError(f"{what} {len(found)} of {questions} questions")


def _refuse_but_texts(found: Iterable[Any], what: str) -> None:
    for text in found:
        if not isinstance(text, str):
            raise MembenchError(f"{what} of type {type(text).__name__}: make it a text")
        if has_half(text):
            raise MembenchError(f"{what} with half of a character (a lone surrogate): take it out")


def sound_episodes(episodes: Callable[[], Iterable[Any]], task: str) -> list[Episode]:
    """What `episodes` gives back. Raises MembenchError for what is no Episode of steps of contexts and questions, and
    where another call gives others, or another order: a run that goes on after a stop would mix them.
    """
    found = list(episodes())
    if any(list(episodes()) != found for _ in range(CALLS - 1)):
        raise MembenchError(
            f"task {task}: episodes() gives other episodes, or another order, when it is called again: draw by chance "
            "from `seed` alone, and sort what comes out of a set"
        )
    if not found:
        raise MembenchError(f"task {task}: episodes() has no episode: there is nothing to play")
    for episode in found:
        if not (isinstance(episode, Episode) and isinstance(episode.name, str)):
            raise MembenchError(f"task {task}: episodes() has {type(episode).__name__}: make it Episode(name, steps)")
        _refuse_but_texts((episode.name,), f"task {task}: episodes() has an episode with a name")
        for k, step in enumerate(episode.steps):
            if not _is_step(step):
                raise MembenchError(
                    f"task {task}: episodes() has {type(step).__name__} as step {k + 1} of {episode.name!r}: make it "
                    "Write or Forget of contexts, Ask of questions, or Drift"
                )
    return found


def _is_step(step: Step | Any) -> bool:
    if isinstance(step, Write | Forget):
        return all(isinstance(context, Context) for context in step.contexts)
    return isinstance(step, Drift) or (
        isinstance(step, Ask) and all(isinstance(question, Question) for question in step.questions)
    )


def sound_task(task: Any, name: str) -> Task:
    """What `over` gave back. Raises MembenchError for what is no task."""
    if not isinstance(task, Task):
        raise MembenchError(f"task {name}: over() returned {type(task).__name__}, not a task")
    return task


def sound_data(data: Any, name: str) -> Dataset:
    """What `load` gave back. Raises MembenchError, naming the context, for what is no Dataset of texts."""
    if not isinstance(data, Dataset):
        raise MembenchError(f"data {name}: load() returned {type(data).__name__}, not Dataset")
    _refuse_but_texts((data.name,), f"data {name}: load() has a name")
    for part in ("contexts", "held_out", "conflicts"):
        if not isinstance(getattr(data, part), Sequence):
            raise MembenchError(
                f"data {name}: load() has {part} as {type(getattr(data, part)).__name__}: make it a tuple"
            )
    for context in (*data.contexts, *data.held_out, *data.conflicts):
        _refuse_odd_context(context, f"data {name}: load() has")
        for question in context.questions:
            if question.context != context.id:
                raise MembenchError(
                    f"data {name}: load() has in context {context.id!r} question {question.id!r} of "
                    f"{question.context!r}: name the context that it stands in"
                )
    return data


def _refuse_odd_context(context: Context | Any, told: str) -> None:
    """Raise MembenchError, which begins as it is told, for a Context that does not hold texts where these belong."""
    if not isinstance(context, Context):
        raise MembenchError(f"{told} {type(context).__name__} in place of a Context")
    where = f"{told} in context {context.id!r}"
    _refuse_but_texts((context.id, context.text), f"{where} something")
    for question in (*context.questions, *context.probes):
        asked = f"{where}, question {getattr(question, 'id', question)!r},"
        if not isinstance(question, Question) or isinstance(question.answers, str) or not question.answers:
            raise MembenchError(f"{asked} no tuple of answers: make it Question(id, text, answers, context)")
        texts = question.id, question.text, question.context, *question.answers, *question.distractors
        _refuse_but_texts(texts, f"{asked} something")
        if not isinstance(question.tags, Mapping):
            raise MembenchError(f"{asked} tags of type {type(question.tags).__name__}: make it a dict of texts")
        _refuse_but_texts((*question.tags, *question.tags.values()), f"{asked} a tag")
    for pair in context.targets:
        if not isinstance(pair, Pair):
            raise MembenchError(f"{where} {type(pair).__name__} as a target: make it Pair(question, answer)")
        _refuse_but_texts((pair.question, pair.answer), f"{where} a target")
    later = (context.revision,) if context.revision is not None else ()
    for part in (*later, *(context.parts if isinstance(context, Composed) else ())):
        _refuse_odd_context(part, told)
