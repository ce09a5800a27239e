"""Answers of endpoints, kept on disk by the content of what was asked, so that nothing is paid for twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from membench.io.atomic_files import make_folder, replace_file
from membench.io.plain_files import NoFile, read_plain

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


class KeptAnswers:
    """A folder of answers; without one (None) nothing is kept. `fresh`: what was kept before is not used."""

    def __init__(self, folder: Path | None, fresh: bool = False):
        self._folder = folder
        self._fresh = fresh

    @property
    def answers(self) -> bool:
        """Whether what is put here is got back."""
        return self._folder is not None and not self._fresh

    def get(self, asked: Any, form: type[T]) -> T | None:
        """What was kept of a request, a dataclass of this form; None if there is nothing or it is damaged."""
        if self._folder is None or not self.answers:
            return None
        with contextlib.suppress(FileNotFoundError, NoFile, ValueError):
            data = read_plain(self._path(self._folder, asked))
            found: T = _adapter(form).validate_json(data, strict=True)  # type: ignore[arg-type]
            return found
        return None

    def put(self, asked: Any, answer: Any) -> None:
        """Keep the answer to a request, a dataclass of plain data. Raises CannotWrite."""
        if self._folder is None:
            return
        path = self._path(self._folder, asked)
        make_folder(path.parent)
        replace_file(path, json.dumps(asdict(answer), ensure_ascii=False).encode(), durable=False)

    def _path(self, folder: Path, asked: Any) -> Path:
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return folder / key[:2] / f"{key}.json"


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter, with_config

    return TypeAdapter(with_config(ConfigDict(allow_inf_nan=False))(form))
