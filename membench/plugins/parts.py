"""A method that is made of another one, which one of its settings names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from membench.api import Method
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
