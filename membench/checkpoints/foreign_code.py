"""Code that comes with the files of an encoder: refused before anything is loaded, unless the user trusts it.

The modules of a sentence-transformers model are named in its files, and a name is imported: a file of the folder, or
any package that is installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from membench.errors import MembenchError

_OWN = re.compile(r"sentence_transformers(?:\.[A-Za-z_]\w*)+", re.ASCII)
_TORCH = re.compile(r"torch(?:\.[A-Za-z_]\w*)+", re.ASCII)


def refuse_foreign_code(folder: Path, name: str) -> None:
    """Refuse an encoder whose files name other classes than those of sentence-transformers itself (for activations:
    of torch), at any depth of the folder. Raises MembenchError with the first one.
    """
    for path, kind in _named(folder, name):
        allowed = _TORCH if path.name != "modules.json" and kind.startswith("torch.") else _OWN
        if not allowed.fullmatch(kind):
            raise MembenchError(
                f"encoder {name}: {path} names {kind!r}, which is no part of sentence-transformers: its code would be "
                "run; read it, and say --trust-remote-code, or take another encoder"
            )


def _named(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    """The files that name classes, and the names: modules, what a router leads to, activations, tokenizers of words."""
    if (folder / "modules.json").exists():
        rows = _read(folder / "modules.json", name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "type" in row for row in rows):
            raise MembenchError(f'encoder {name}: {folder / "modules.json"} is no list of modules with a "type" each')
        yield from ((folder / "modules.json", str(row["type"])) for row in rows)
    for path in sorted((*folder.glob("**/router_config.json"), *folder.glob("**/config.json"))):
        config = _read(path, name)
        types = config.get("types") if isinstance(config, dict) else None
        yield from ((path, str(kind)) for kind in (types.values() if isinstance(types, dict) else ()))
        for key in ("activation_function", "tokenizer_class"):
            kind = config.get(key) if isinstance(config, dict) else None
            if isinstance(kind, str) and "." in kind:  # others are names that transformers knows
                yield path, kind


def _read(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise MembenchError(f"encoder {name}: {path} is no JSON file that can be read") from error
