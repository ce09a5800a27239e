"""A method that is made of another one: which, with which settings, and what identifies it in a recipe."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from membench.api import Method, settings_of
from membench.plugins import registry, settings


def part(text: str, whole: Method[Any], **lent: Any) -> Method[Any]:
    """The method that a setting of `whole` names: "NAME", or "NAME KEY=VALUE ..." with settings of its own.

    What the harness lent to the whole is lent to it too, and `lent` beside that. Raises MembenchError if there is no
    such method, or if it cannot be set so.
    """
    name, *given = text.split() or [""]
    cls = registry.load("methods", name)
    strings = settings.split(given, {name: cls})[name]
    known = {f.name for f in fields(cls) if f.metadata.get("lent")}
    handed = {f.name: getattr(whole, f.name) for f in fields(whole) if f.name in known}
    return settings.build(cls, strings, name=name, **handed | lent)


def identity(method: Method[Any], offline: bool) -> dict[str, Any]:
    """What can change the results of a part, for the recipe of the whole."""
    found: dict[str, Any] = {"version": method.version, "settings": settings_of(method)}
    sources = method.sources(offline)
    return found | ({"sources": sources} if sources else {})
