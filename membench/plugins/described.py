"""What recipes and tables say of a plug-in, asked of its code before anything is played."""

from __future__ import annotations

import json
from typing import Any

from membench.api import Method, Task, settings_of
from membench.errors import MembenchError
from membench.plugins.calls import calling


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
        label = method.label
        _refuse_but_plain([found, label])
    wanted = ("version", method.version, int), ("sources()", found["sources"], dict), ("label", label or "", str)
    for what, value, kind in wanted:
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


def facts_of_task(name: str, task: Task) -> dict[str, Any]:
    """A task's settings and provenance, as a recipe has them. Raises MembenchError as above."""
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
