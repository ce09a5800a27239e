"""Which methods, tasks and data sources there are: built-in ones by file name, third-party ones by entry point.

Nothing is imported before it is used, except third-party plug-ins by `listing`, which says which of them are broken.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from membench import api
from membench.errors import MembenchError, shortened, unknown
from membench.plugins.combined import SIGN, combined, together

BUILTIN = "membench"
CONTRACTS: Mapping[str, type] = {"methods": api.Method, "tasks": api.Task, "data": api.Source}
SINGULAR: Mapping[str, str] = {"methods": "method", "tasks": "task", "data": "data source"}
FACTS = ("storage", "licence")  # what a method's class states of itself and `ls` shows, see membench.api.Method
STATED = (*FACTS, "kind")


@dataclass(frozen=True)
class PlugIn:
    """A line of `membench ls`: a plug-in, the distribution it comes from, and what is wrong with it, if anything."""

    name: str
    origin: str
    summary: str
    error: str | None = None
    storage: str = ""  # of a method: how its memory grows
    licence: str = ""  # of weights that a method brings
    kind: str = ""  # of a method: what its memory is, see membench.api.MemoryKind


@dataclass(frozen=True)
class _Claim:
    """Somebody's claim to a name: a built-in module, or an entry point of a distribution."""

    origin: str
    where: Path | EntryPoint


def names(kind: str) -> list[str]:
    """The names of a kind ("methods", "tasks" or "data"), sorted."""
    return sorted(_claims(kind))


def require(kind: str, wanted: Iterable[str]) -> None:
    """Raise MembenchError for a name of a kind that nothing answers to; nothing is imported."""
    claims = _claims(kind)
    for name in (part for whole in wanted for part in _named_parts(kind, whole)):
        if name not in claims:
            raise unknown(SINGULAR[kind], name, claims)


def parts_of(kind: str, name: str) -> tuple[str, ...]:
    """The names that a name is made of: of methods side by side (A+B, or A + B) all, else the name itself."""
    return tuple(part.strip() for part in name.split(SIGN)) if kind == "methods" else (name,)


def tidy(method: str) -> str:
    """A method's name as cells have it: `A + B` as A+B."""
    return SIGN.join(parts_of("methods", method))


def _named_parts(kind: str, name: str) -> tuple[str, ...]:
    """The parts of a name. Raises MembenchError if one of several is missing."""
    parts = parts_of(kind, name)
    if len(parts) > 1 and "" in parts:
        raise MembenchError(f"method {shortened(name)!r} lacks a part: write METHOD{SIGN}METHOD")
    return parts


def split_data(typed: Iterable[str]) -> tuple[str, ...]:
    """`worlds,jsonl:FILE` as names of data, without repetitions.

    A comma may stand in a file's name: what follows it belongs to the name, unless it is a data source itself.
    """
    out: dict[str, None] = {}
    for text in typed:
        found: list[str] = []
        for part in text.split(","):
            owned = found and ":" in found[-1] and ":" not in part and part.strip() not in names("data")
            found[-1:] = [f"{found[-1]},{part}"] if owned else [*found[-1:], part]
        out |= dict.fromkeys(name.strip() for name in found if name.strip())
    return tuple(out)


def load(kind: str, name: str) -> type[Any]:
    """The plug-in class of this name; of several names with + between, the methods side by side.

    Raises MembenchError if there is none, if two distributions claim the name, if its module cannot be imported, or if
    methods cannot stand side by side.
    """
    parts = _named_parts(kind, name)
    if len(parts) > 1:
        return combined(parts, tuple(load(kind, part) for part in parts))
    claims = _claims(kind)
    if name not in claims:
        raise unknown(SINGULAR[kind], name, claims)
    if len(claims[name]) > 1:
        raise MembenchError(_conflict(kind, name, claims[name]))
    return _import(kind, name, claims[name][0])


def origin(kind: str, name: str) -> str | None:
    """The distribution that a plug-in comes from, BUILTIN for membench itself; None if there is none of this name."""
    claims = _claims(kind).get(name)
    return claims[0].origin if claims else None


def stated(kind: str, name: str, fact: str) -> str:
    """What a plug-in states of itself (one of STATED), "" for nothing; a built-in one is read and not imported."""
    parts = parts_of(kind, name)
    if len(parts) > 1:
        return together(fact, (stated(kind, part, fact) for part in parts))
    claims = _claims(kind).get(name, [])
    return str(getattr(_describe(kind, name, claims[0]), fact)) if claims else ""


def listing(kind: str) -> list[PlugIn]:
    """Every plug-in of a kind; built-in ones are read and not imported."""
    out = []
    for name, claims in sorted(_claims(kind).items()):
        conflict = _conflict(kind, name, claims) if len(claims) > 1 else None
        for claim in claims:
            entry = _describe(kind, name, claim)
            out.append(replace(entry, error=conflict or entry.error))
    return out


def _claims(kind: str) -> dict[str, list[_Claim]]:
    package = f"membench.{kind}"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise MembenchError(f"{package} is not installed: run `pip install -e .` in the repository")
    claims: dict[str, list[_Claim]] = {}
    for folder in spec.submodule_search_locations:
        for module in pkgutil.iter_modules([folder]):
            if not module.name.startswith("_"):
                claim = _Claim(BUILTIN, Path(folder, f"{module.name}.py"))
                claims.setdefault(module.name.replace("_", "-"), []).append(claim)
    for point in _points(package):
        origin = point.dist.name if point.dist else point.value
        claims.setdefault(point.name, []).append(_Claim(origin, point))
    return claims


def _points(package: str) -> tuple[EntryPoint, ...]:
    """Third parties' entry points; all distributions are read again only where a folder that modules come from changed.

    That takes tens of milliseconds, and a run asks a dozen times.
    """
    folders = [(folder, os.stat(folder).st_mtime_ns) for folder in sys.path if os.path.exists(folder)]
    return _read_points(entry_points, package, tuple(folders))


@lru_cache(maxsize=8)
def _read_points(
    find: Callable[..., Iterable[EntryPoint]], package: str, folders: tuple[tuple[str, int], ...]
) -> tuple[EntryPoint, ...]:
    return tuple(find(group=package))


def _conflict(kind: str, name: str, claims: list[_Claim]) -> str:
    origins = " and ".join(claim.origin for claim in claims)
    return f"{SINGULAR[kind]} {name!r} is claimed by {origins}: uninstall all but one"


def _import(kind: str, name: str, claim: _Claim) -> type[Any]:
    try:
        if isinstance(claim.where, Path):
            found = _defined_in(kind, f"membench.{kind}.{claim.where.stem}")
        else:
            found = claim.where.load()
    except MembenchError:
        raise
    except Exception as error:  # code of somebody else runs here and may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise MembenchError(f"{SINGULAR[kind]} {name!r} of {claim.origin} cannot be imported: {reason}") from error
    contract = CONTRACTS[kind]
    if not (isinstance(found, type) and issubclass(found, contract)):
        raise MembenchError(f"{SINGULAR[kind]} {name!r} of {claim.origin} is no subclass of {contract.__name__}")
    return found


def _defined_in(kind: str, module_name: str) -> type[Any]:
    module = importlib.import_module(module_name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module_name
        and issubclass(value, CONTRACTS[kind])
        and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        count = f"{len(found)} concrete subclasses" if found else "no concrete subclass"
        raise MembenchError(f"{module_name} defines {count} of {CONTRACTS[kind].__name__}: it must define one")
    return found[0]


def _describe(kind: str, name: str, claim: _Claim) -> PlugIn:
    """The plug-in by the first line of its docstring, and why it cannot be used, if so."""
    entry = PlugIn(name, claim.origin, "")
    if isinstance(claim.where, Path):
        try:
            module = ast.parse(claim.where.read_text(encoding="utf-8"))
        except SyntaxError as error:
            return replace(entry, error=f"{claim.where.name}:{error.lineno}: {error.msg}")
        return replace(entry, summary=_first_line(ast.get_docstring(module)), **_stated(module))
    try:
        plugin = _import(kind, name, claim)
    except MembenchError as error:
        return replace(entry, error=str(error))
    stated = {fact: said for fact in STATED if isinstance(said := getattr(plugin, fact, None), str)}
    return replace(entry, summary=_first_line(inspect.getdoc(plugin)), **stated)


def _stated(module: ast.Module) -> dict[str, str]:
    """The facts of `STATED` that a class of this module states as a text."""
    fields = (node for cls in module.body if isinstance(cls, ast.ClassDef) for node in cls.body)
    return {
        field.target.id: str(field.value.value)
        for field in fields
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and field.target.id in STATED
        and isinstance(field.value, ast.Constant)
    }


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
