"""Answers of endpoints, kept on disk by the content of what was asked, so that nothing is paid for twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from membench.io.atomic_files import make_folder, replace_file


class KeptAnswers:
    """A folder of answers; without one (None) nothing is kept. `fresh`: what was kept before is not used."""

    def __init__(self, folder: Path | None, fresh: bool = False):
        self._folder = folder
        self._fresh = fresh

    def get(self, asked: Any) -> dict[str, Any] | None:
        """What was kept of a request, plain data; None if there is nothing or it is damaged."""
        if self._folder is None or self._fresh:
            return None
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path(self._folder, asked).read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else None
        return None

    def put(self, asked: Any, answer: dict[str, Any]) -> None:
        """Keep the answer to a request. Raises CannotWrite."""
        if self._folder is None:
            return
        path = self._path(self._folder, asked)
        make_folder(path.parent)
        replace_file(path, json.dumps(answer, ensure_ascii=False).encode(), durable=False)

    def _path(self, folder: Path, asked: Any) -> Path:
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return folder / key[:2] / f"{key}.json"
