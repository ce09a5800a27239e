"""Data files of the user, read with errors that name file and line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.plain_files import read_plain

_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LONE_SURROGATE = re.compile(rf"(?<!\\)(?:\\\\)*(?:{_HIGH}(?!{_LOW})|(?<!\\u[dD][89abAB][0-9a-fA-F]{{2}}){_LOW})")


def user_path(typed: str | Path) -> Path:
    """A path as the user typed it, wherever that was: `~` and `~NAME` are home folders, as in a shell."""
    return Path(os.path.expanduser(typed))


def is_file_argument(argument: str) -> bool:
    """Whether a data source's argument means a local file rather than a data set of the hub (OWNER/NAME)."""
    if os.path.exists(argument) or argument.endswith((".json", ".jsonl")):
        return True
    return argument.count("/") != 1 or argument[0] in "./~"


def data_name(source: str, argument: str) -> str:
    """The name of a data set as typed; of a path only its last part, so that results name no folder of a machine."""
    if not argument:
        return source
    name = Path(argument).name if is_file_argument(argument) else argument
    return f"{source}:{os.fsencode(name).decode('utf-8', 'backslashreplace')}"  # a file's name may be any bytes


def read_text(argument: str) -> str:
    """The text of a file; raises MembenchError if it cannot be read or is empty."""
    try:
        if os.path.isdir(user_path(argument)):
            raise MembenchError(f"{argument} is a folder: name a file")
        text = read_plain(user_path(argument)).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MembenchError(f"{argument}:{line}: not UTF-8 text: save the file as UTF-8") from error
    except FileNotFoundError as error:
        raise MembenchError(f"{argument}: no such file: check the path") from error
    except ValueError as error:  # a null character, half of a surrogate pair
        raise MembenchError(f"no file can be called {argument!r}: {error}") from error
    if not text.strip():
        raise MembenchError(f"{argument}: the file is empty")
    return text


def read_json(argument: str) -> Any:
    """The value of a JSON file."""
    return parse_json(read_text(argument), argument)


def read_jsonl(argument: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file with one JSON object a line, each with its place "FILE:LINE"; blank lines are skipped."""
    # Not splitlines(): JSON texts may hold characters such as U+2028, which it takes for ends of lines.
    for number, line in enumerate(read_text(argument).split("\n"), 1):
        if line.strip():
            row = parse_json(line, argument, number)
            if not isinstance(row, dict):
                raise MembenchError(f"{argument}:{number}: wants a JSON object {{...}}, got {type(row).__name__}")
            yield f"{argument}:{number}", row


def want(row: object, key: str, kind: type, where: str) -> Any:
    """row[key], which must be of this type and, for texts and lists, not empty.

    Raises MembenchError that begins with `where`.
    """
    if not isinstance(row, dict):
        raise MembenchError(f"{where}: wants an object with {key!r}, got {type(row).__name__}")
    if key not in row:
        raise MembenchError(f"{where}: {key!r} is missing")
    value = row[key]
    names: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
    if not isinstance(value, kind):
        raise MembenchError(f"{where}: {key!r} must be {names[kind]}, got {type(value).__name__}")
    if not (value.strip() if isinstance(value, str) else value):
        raise MembenchError(f"{where}: {key!r} is empty")
    return value


def parse_json(text: str, argument: str, first_line: int = 1) -> Any:
    """The value of a JSON text that begins on this line of a file. Raises MembenchError that begins with "FILE:LINE".

    Refused are broken JSON, nesting and numbers beyond what Python reads, and halves of characters (lone surrogates).
    """
    lone = _LONE_SURROGATE.search(text)
    if lone:
        line = first_line + text.count("\n", 0, lone.start())
        raise MembenchError(f"{argument}:{line}: {lone[0]} is half a character (a lone surrogate): remove it")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise MembenchError(f"{argument}:{line}: broken JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise MembenchError(f"{argument}:{first_line}: the JSON is nested too deeply: make it flatter") from error
    except ValueError as error:
        raise MembenchError(f"{argument}:{first_line}: a number has too many digits: write it as a text") from error
