"""From `-M key=value` to the typed dataclass fields of a plug-in."""

from __future__ import annotations

import difflib
import math
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from membench.errors import MembenchError

T = TypeVar("T")

_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_WANTS = {int: "an int", float: "a float", bool: "true or false", str: "a text", types.NoneType: "none"}


def types_of(cls: type) -> dict[str, Any]:
    """The settings of a plug-in class with their types: its dataclass fields without what is lent."""
    if not is_dataclass(cls):
        return {}
    return {f.name: _type_of(cls, f.name) for f in fields(cls) if not f.metadata.get("lent")}


def split(settings: Iterable[str], chosen: Mapping[str, type], kind: str = "method") -> dict[str, dict[str, str]]:
    """Which of the chosen plug-ins gets which `key=value`, as text.

    `key=value` goes to every one that has the key, `name.key=value` to that one. Raises MembenchError for a setting
    that nobody has, and for one without a value.
    """
    out: dict[str, dict[str, str]] = {name: {} for name in chosen}
    for setting in settings:
        target, equals, value = setting.partition("=")
        if not equals:
            raise MembenchError(f"setting {setting!r} has no value: write {setting}=VALUE")
        owner, dot, key = target.strip().rpartition(".")
        owner, key = owner.replace("_", "-"), key.replace("-", "_")
        if dot and owner not in chosen:
            raise MembenchError(f"setting {target!r} is for a {kind} that does not run: running {', '.join(chosen)}")
        among = [owner] if dot else list(chosen)
        takers = [name for name in among if key in types_of(chosen[name])]
        if not takers:
            known = sorted({key for name in among for key in types_of(chosen[name])})
            raise _unknown(key, f"{kind} {', '.join(among)}", known)
        for name in takers:
            out[name][key] = value
    return out


def build(cls: type[T], strings: Mapping[str, str], *, name: str | None = None, **lent: Any) -> T:
    """A plug-in with these settings and what the harness lends it.

    `name` is what messages call it; by default what its module is called. Raises MembenchError for an unknown setting
    and for a value of the wrong type; values out of range are the plug-in's own to refuse.
    """
    name = name or cls.__module__.rpartition(".")[2].replace("_", "-")
    known = types_of(cls)
    values = {}
    for key, text in strings.items():
        if key not in known:
            raise _unknown(key, name, sorted(known))
        try:
            values[key] = _convert(text.strip(), known[key])
        except ValueError:
            wanted = _wants(known[key])
            raise MembenchError(f"setting {key} of {name} wants {wanted}, got {text!r}") from None
    return cls(**values, **lent)


def _unknown(key: str, owner: str, known: Sequence[str]) -> MembenchError:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return MembenchError(f"unknown setting {key!r} of {owner}: {hint}")


def _type_of(cls: type, name: str) -> Any:
    """The type of one field, resolved where it was written; other fields may name types that only checkers see."""
    home = next(base for base in cls.__mro__ if name in vars(base).get("__annotations__", {}))
    alone = types.SimpleNamespace(__annotations__={name: home.__annotations__[name]})
    return get_type_hints(alone, globalns=vars(sys.modules[home.__module__]))[name]


def _convert(text: str, wanted: Any) -> Any:
    """The value that a text stands for. Raises ValueError if it stands for none of the wanted type."""
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return {str(choice): choice for choice in args}[text] if text in map(str, args) else _refuse(text)
    if origin in (Union, types.UnionType):
        return _first(text, args)
    if origin is tuple:
        return _convert_tuple(text, args)
    if wanted is types.NoneType:
        return None if text.lower() in ("none", "") else _refuse(text)
    if wanted is bool:
        return _TRUTH[text.lower()] if text.lower() in _TRUTH else _refuse(text)
    if wanted is float:
        value = float(text)
        return value if math.isfinite(value) else _refuse(text)
    return wanted(text)


def _convert_tuple(text: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    parts = [part.strip() for part in text.split(",")] if text else []
    if args[-1] is Ellipsis:
        return tuple(_convert(part, args[0]) for part in parts)
    return tuple(_convert(part, arg) for part, arg in zip(parts, args, strict=True))


def _first(text: str, alternatives: Sequence[Any]) -> Any:
    """The value by the first alternative that takes the text; none before text, so that `none` is None."""
    for wanted in sorted(alternatives, key=lambda kind: (kind is str, kind is not types.NoneType)):
        try:
            return _convert(text, wanted)
        except ValueError:
            continue
    return _refuse(text)


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _wants(wanted: Any) -> str:
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if origin in (Union, types.UnionType):
        return " or ".join(_wants(arg) for arg in args)
    if origin is tuple:
        return "a comma-separated list"
    return _WANTS.get(wanted) or str(wanted.__name__)
