"""What recipes and tables say of a plug-in, asked of its code before anything is played."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Any, get_args

from membench.api import MemoryKind, Method, Task, settings_of
from membench.errors import MembenchError
from membench.plugins.calls import calling
from membench.values import DIGITS, MetricSpec

_TEXTS = ("storage", "licence", "cannot_forget")  # of a method's class
_LOADS = ("contexts", "chains", "conversations")
_STATED: dict[str, tuple[str, Callable[[Any], bool]]] = {  # of a task's class: what it must be
    "default_limit": ("a whole number from 1 on", lambda value: type(value) is int and value >= 1),
    "held_out": ("a whole number from 0 on", lambda value: type(value) is int and value >= 0),
    "gold_script": ("True or False", lambda value: type(value) is bool),
    "probed": ("True or False", lambda value: type(value) is bool),
    "loads": (f"one of {', '.join(_LOADS)}", lambda value: value in _LOADS),
}


def facts_of(name: str, method: Method[Any], offline: bool) -> dict[str, Any]:
    """A method's version, settings, their defaults and the sources that they point to, as a recipe has them.

    Raises MembenchError, naming the method, for what its code raises, and for what no recipe or table can hold.
    """
    with calling(f"method {name}", "description"):
        found = {
            "method_version": method.version,
            "settings": settings_of(method),
            "defaults": settings_of(type(method)()),
            "sources": method.sources(offline),
        }
        label, stated = method.label, {fact: getattr(method, fact) for fact in _TEXTS}
        _refuse_but_plain([found, label])
        memory = method.kind
    if memory is not None and memory not in get_args(MemoryKind):
        raise MembenchError(f"method {name}: its kind is {memory!r}: make it one of {', '.join(get_args(MemoryKind))}")
    wanted = ("version", method.version, int), ("sources()", found["sources"], dict), ("label", label or "", str)
    for what, value, kind in (*wanted, *((fact, text, str) for fact, text in stated.items())):
        if type(value) is not kind:
            raise MembenchError(f"method {name}: its {what} is of type {type(value).__name__}: make it {kind.__name__}")
    return found


def needs_weights(name: str, method: Method[Any]) -> bool:
    """Whether a method, or one that it is made of, changes the model's weights. Raises MembenchError as above."""
    with calling(f"method {name}", "parts"):
        return any(part.kind == "weights" for part in method.parts)


def fetched_by(name: str, method: Method[Any]) -> tuple[str, ...]:
    """The models beside the base model that a method needs. Raises MembenchError as above."""
    with calling(f"method {name}", "fetches()"):
        found = tuple(method.fetches())
    if odd := [fetched for fetched in found if not isinstance(fetched, str)]:
        raise MembenchError(f"method {name}: its fetches() has {odd[0]!r}: make it the name of a model")
    return found


def refuse_odd_task(name: str, task: Task) -> None:
    """Raise MembenchError, naming the task, for what its class states of itself and no task may."""
    with calling(f"task {name}", "description"):
        stated = {fact: getattr(task, fact) for fact in _STATED}
        metrics = task.metrics
    for fact, (wanted, holds) in _STATED.items():
        if not holds(stated[fact]):
            raise MembenchError(f"task {name}: its {fact} is {stated[fact]!r}: make it {wanted}")
    sound_metrics(name, metrics)


def sound_metrics(name: str, metrics: Any) -> tuple[MetricSpec, ...]:
    """What a task declares as its `metrics`. Raises MembenchError for what are no MetricSpecs, or odd ones."""
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise MembenchError(
            f"task {name}: its metrics are of type {type(metrics).__name__}: make it a list of MetricSpec"
        )
    for spec in metrics:
        if not isinstance(spec, MetricSpec):
            raise MembenchError(f"task {name}: its metrics have {type(spec).__name__}: make it MetricSpec(name, ...)")
        for part in fields(spec):
            value, usual = getattr(spec, part.name), "" if part.default is MISSING else part.default
            if type(value) is not type(usual) and not (part.name == "higher_is_better" and value is None):
                raise MembenchError(
                    f"task {name}: {part.name} of its metric {spec.name!r} is of type {type(value).__name__}: make it "
                    f"{type(usual).__name__}"
                )
        if not (spec.name and 0 <= spec.digits <= DIGITS):
            raise MembenchError(f"task {name}: its metric {spec.name!r} wants a name, and 0 to {DIGITS} digits")
    return tuple(metrics)


def facts_of_task(name: str, task: Task) -> dict[str, Any]:
    """A task's settings and provenance, as a recipe has them. Raises MembenchError as above."""
    refuse_odd_task(name, task)
    with calling(f"task {name}", "description"):
        found = {"task_settings": settings_of(task), **task.provenance()}
        _refuse_but_plain(found)
        form = task.form
    if form is not None and not (
        isinstance(form, tuple) and [type(part) for part in form] == [int, str] and form[0] > 0
    ):
        raise MembenchError(f"task {name}: its form is {form!r}: make it (tokens of an answer, text that ends it)")
    return found


def _refuse_but_plain(found: Any) -> None:
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
