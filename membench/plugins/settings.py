"""From `-M key=value` to the typed dataclass fields of a plug-in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from membench.errors import MembenchError
from membench.plugins.calls import calling
from membench.settings.types import from_text, name_of, types_of

__all__ = ["build", "split", "types_of"]

T = TypeVar("T")


def split(settings: Iterable[str], chosen: Mapping[str, type], kind: str = "method") -> dict[str, dict[str, str]]:
    """Which of the chosen plug-ins gets which `key=value`, as text.

    `key=value` goes to every one that has the key, `name.key=value` to that one and to parts of that name. Raises
    MembenchError for a setting that nobody has, and for one without a value.
    """
    out: dict[str, dict[str, str]] = {name: {} for name in chosen}
    for setting in settings:
        target, equals, value = setting.partition("=")
        if not equals:
            raise MembenchError(f"setting {setting!r} has no value: write {setting}=VALUE")
        owner, dot, key = target.strip().rpartition(".")
        owner, key = owner.replace("_", "-"), key.replace("-", "_")
        every = [(name, *place) for name, cls in chosen.items() for place in _places(cls)]
        among = [place for place in every if not dot or owner in place[:2]]
        if not among and (not dot or owner not in chosen):
            raise MembenchError(f"setting {target!r} is for a {kind} that does not run: running {', '.join(chosen)}")
        takers = [(name, field) for name, _, known, field in among if key in (known, field)]
        if not takers:
            owners = owner if dot else ", ".join(chosen)
            raise _unknown(key, f"{kind} {owners}", sorted({known for _, _, known, _ in among}))
        for name, field in takers:
            out[name][field] = value
    return out


def _places(cls: type) -> list[tuple[str, str, str]]:
    """The settings of a class: the part that each is of ("" for the class's own), its name there, and its field."""
    metadata = {f.name: f.metadata for f in fields(cls)} if is_dataclass(cls) else {}
    return [(str(metadata[name].get("part", "")), str(metadata[name].get("key", name)), name) for name in types_of(cls)]


def build(cls: type[T], strings: Mapping[str, str], *, name: str | None = None, **lent: Any) -> T:
    """A plug-in with these settings and what the harness lends it.

    `name` is what messages call it; by default what its module is called. Raises MembenchError for an unknown setting,
    for a value of the wrong type or out of range, and for what its own code raises.
    """
    name = name or name_of(cls)
    known = types_of(cls)
    values = {}
    for key, text in strings.items():
        if key not in known:
            raise _unknown(key, name, sorted(known))
        values[key] = from_text(cls, key, text, name)
    with calling(name, "settings"):
        return cls(**values, **lent)


def _unknown(key: str, owner: str, known: Sequence[str]) -> MembenchError:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return MembenchError(f"unknown setting {key!r} of {owner}: {hint}")
