"""First writes of several contexts, each into a memory of its own, trained in one pass where the device gains by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from membench.api import Method
from membench.batched.together import Plan, train_together
from membench.trained.method import Trained
from membench.values import Adapter


def at_once(method: Method[Any]) -> int:
    """How many first writes of this method are trained in one pass; 1 where each is made alone."""
    if not isinstance(method, Trained) or type(method).write is not Trained.write:
        return 1
    if method.replayed or method.held or method.worn_by_teacher(None) is not None:
        return 1
    return method.llm.budgets.first_writes


def write_each(method: Trained, texts: Sequence[str]) -> list[Adapter]:
    """For each text the memory that `write` makes of it alone, to rounding."""
    courses = [method.course(None, [text]) for text in texts]
    taught = [course for course in courses if course.steps]  # of small talk there is nothing to learn
    plans = [Plan(tuple(map(tuple, course.steps)), course.lora.seed) for course in taught]
    layers = iter(train_together(method.llm, plans, method.loss, taught[0].lora, method.objective) if taught else ())
    return [Adapter((next(layers),) if course.steps else (), course.lora.scale) for course in courses]
