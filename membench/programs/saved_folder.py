"""What a program saves of its memory: the files of a folder, as a value that is stored and loaded like any memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from membench.errors import MembenchError


@dataclass(frozen=True)
class SavedFolder:
    """The bytes of each file (uint8) by its path in the folder, in the order of the paths; folders without files are
    not kept.
    """

    files: dict[str, np.ndarray[Any, Any]]


def packed(folder: Path) -> SavedFolder | None:
    """The folder as a memory; None, the empty memory, if it has no file. Raises MembenchError for links and devices."""
    files = {}
    for path in sorted(_files(folder)):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise MembenchError(f"it saved {name!r}, which is no plain file: save files and folders alone")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise MembenchError(f"it saved a file whose name is no text: {name!r}") from None
        files[name] = np.fromfile(path, dtype=np.uint8)
    return SavedFolder(files) if files else None


def unpack(memory: SavedFolder, folder: Path) -> None:
    """Write the memory into a folder, in place of what it had."""
    fresh(folder)
    for name, data in memory.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())


def fresh(folder: Path) -> None:
    """Make the folder an empty one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        yield from (Path(root, name) for name in names)
        yield from (path for name in folders if (path := Path(root, name)).is_symlink())
