"""What a plug-in's settings may be: the types of its dataclass fields, ranges and choices included (pydantic).

`lr: Annotated[float, Gt(0)]`, `order: Literal["score", "written"]`. pydantic is imported when a value is judged.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge

from membench.errors import MembenchError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

AtLeast0 = Annotated[int, Ge(0)]
AtLeast1 = Annotated[int, Ge(1)]

_WANTS = {int: "an int", float: "a float", bool: "true or false", str: "a text", types.NoneType: "none"}
_BOUNDS = {"gt": "more than {}", "ge": "{} or more", "lt": "less than {}", "le": "at most {}"}
_OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


def types_of(cls: type) -> dict[str, Any]:
    """The settings of a plug-in class with their types: its dataclass fields without what is lent."""
    if not is_dataclass(cls):
        return {}
    return {f.name: type_of(cls, f.name) for f in fields(cls) if not f.metadata.get("lent")}


def type_of(cls: type, name: str) -> Any:
    """The type of one field, resolved where it was written; other fields may name types that only checkers see."""
    home = next(base for base in cls.__mro__ if name in vars(base).get("__annotations__", {}))
    alone = types.SimpleNamespace(__annotations__={name: home.__annotations__[name]})
    return get_type_hints(alone, globalns=vars(sys.modules[home.__module__]), include_extras=True)[name]


def name_of(cls: type) -> str:
    """What messages call a plug-in: its module's name."""
    return cls.__module__.rpartition(".")[2].replace("_", "-")


def from_text(cls: type, key: str, text: str, owner: str) -> Any:
    """The value that a typed text stands for. Raises MembenchError if it stands for none that the setting may have."""
    from pydantic import ValidationError

    try:
        return _adapter(cls, key, typed=True).validate_python(text.strip())
    except ValidationError as error:
        raise _refused(cls, key, owner, text, error) from None


def check(plugin: object) -> None:
    """Refuse settings of the wrong type or out of range, as given from Python; values stay as they are.

    Defaults are the plug-in's own affair. Raises MembenchError.
    """
    cls: Any = type(plugin)
    given = {f.name: getattr(plugin, f.name) for f in fields(cls) if not f.metadata.get("lent")}
    defaults = {f.name: f.default for f in fields(cls)}
    for key, value in given.items():
        if value is defaults[key] or (type(value) is type(defaults[key]) and value == defaults[key]):
            continue
        from pydantic import ValidationError

        try:
            _adapter(cls, key, typed=False).validate_python(value, strict=True)
        except ValidationError as error:
            raise _refused(cls, key, name_of(cls), value, error) from None


@cache
def _adapter(cls: type, key: str, typed: bool) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    wanted = type_of(cls, key)
    config = ConfigDict(allow_inf_nan=False, arbitrary_types_allowed=True)
    return TypeAdapter(_typed(wanted) if typed else wanted, config=config)


def _typed(wanted: Any) -> Any:
    """The type as a text on the command line stands for it: `none`, comma lists, choices by their spelling."""
    from pydantic import BeforeValidator, Field

    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return Annotated[(_typed(args[0]), *args[1:])]
    if origin is Literal:
        choices = {str(choice): choice for choice in args}
        return Annotated[wanted, BeforeValidator(lambda text: choices.get(text, text))]
    if origin in (Union, types.UnionType):
        ordered = sorted(args, key=lambda kind: (kind is str, kind is not types.NoneType))
        return Annotated[Union[tuple(map(_typed, ordered))], Field(union_mode="left_to_right")]  # noqa: UP007
    if origin is tuple:
        parts = tuple(part if part is Ellipsis else _typed(part) for part in args)
        return Annotated[tuple[parts], BeforeValidator(_split)]  # type: ignore[valid-type]
    if wanted is types.NoneType:
        return Annotated[None, BeforeValidator(lambda text: None if text.lower() in ("none", "") else text)]
    if isinstance(wanted, type) and wanted not in _WANTS and wanted.__module__ not in ("builtins", "pathlib"):
        return Annotated[wanted, BeforeValidator(wanted)]  # a type of the plug-in's own reads its text itself
    return wanted


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _refused(cls: type, key: str, owner: str, given: Any, error: ValidationError) -> MembenchError:
    out_of_range = any(problem["type"] in _OUT_OF_RANGE for problem in error.errors(include_url=False))
    wanted = _spell(type_of(cls, key), out_of_range)
    return MembenchError(f"setting {key} of {owner} wants {wanted}, got {given!r}")


def _spell(wanted: Any, ranges: bool) -> str:
    """A type in words; with `ranges`, the range of a number in its place."""
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return (ranges and _range(args[1:])) or _spell(args[0], ranges)
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if origin in (Union, types.UnionType):
        return " or ".join(_spell(arg, ranges) for arg in args)
    if origin is tuple:
        each = _spell(args[0], ranges) if ranges else ""
        return f"a comma-separated list{f', each {each}' if each else ''}"
    return _WANTS.get(wanted) or str(getattr(wanted, "__name__", wanted))


def _range(constraints: Sequence[Any]) -> str:
    """Bounds in words: "more than 0 and at most 1"."""
    found = [(words, getattr(c, name)) for c in constraints for name, words in _BOUNDS.items() if hasattr(c, name)]
    return " and ".join(words.format(bound) for words, bound in found)
