"""What a program may answer, checked: what it is, and what it recalls."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, ValidationError

from membench.api import MemoryKind
from membench.errors import MembenchError, shortened
from membench.io.user_files import parse_json
from membench.text.visible import visible

PROTOCOL = 1

_Name = Annotated[str, Len(1, 60)]


class Answer(BaseModel):
    """Any answer; `error` says in one line why it was not done. What a later protocol adds is let through."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    error: str | None = None


class Hello(Answer):
    """What a program says of itself; name and version identify it in a recipe, beside the files of its command."""

    name: _Name
    version: _Name
    kind: MemoryKind
    trained_on: list[_Name] = []  # data that its weights have seen, by the names that `--data` has for them
    licence: str = ""
    forgets: bool = False


class Recalled(Answer):
    """What it brings to some questions: for each the texts that stand before it, or an adapter's folder, or both."""

    texts: list[list[str]] | None = None
    adapter: str | None = None


A = TypeVar("A", bound=Answer)


def parsed(line: bytes, kind: type[A]) -> A:
    """The answer that a line holds. Raises MembenchError, in one line, for what is none, and with the program's own
    words for an answer that says `error`.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise MembenchError(f"an answer that is no UTF-8 text: {_quoted(line)}") from None
    try:
        row: Any = parse_json(text, "answer")
    except MembenchError as error:
        raise MembenchError(f"an answer that is no JSON: {_quoted(line)} ({error})") from None
    if not isinstance(row, dict):
        raise MembenchError(f"an answer that is no JSON object: {_quoted(line)}")
    if isinstance(said := row.get("error"), str):
        raise MembenchError(shortened(visible(" ".join(said.split())), 300) or "an error without a word")
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "answer"
        raise MembenchError(f"an answer whose {where} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


def _quoted(line: bytes) -> str:
    return repr(shortened(line[:400].decode(errors="replace"), 80))
