"""A file of options for `membench run -C`: YAML, options by their long names, blocks of them under `runs`.

Values are kept as they were typed, so that the command line's own types judge them: one rule for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.errors import MembenchError, unknown
from membench.io.plain_files import read_plain

RUNS = "runs"
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Given:
    """What a file gives for an option: its texts, whether they are a list or map, and where it stands ("a.yaml:3")."""

    texts: tuple[str, ...]
    several: bool
    place: str


@dataclass(frozen=True)
class Block:
    """Options by name, and where they stand ("a.yaml:3")."""

    given: Mapping[str, Given]
    place: str


def read(path: Path, names: Sequence[str], settings: Sequence[str]) -> list[Block]:
    """The blocks of options in a file, each with the options above `runs` that it does not give itself.

    `names` are the options that there are; those in `settings` take a map of KEY: VALUE too. Raises MembenchError, with
    file and line, for a file that is no YAML, an unknown or repeated option, and a value of the wrong kind.
    """
    import yaml

    try:
        root = yaml.compose(read_plain(path).decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise MembenchError(f"there is no file {path}: name a file of options with -C") from None
    except RecursionError:
        raise MembenchError(f"{path}: nested too deeply") from None
    except UnicodeDecodeError:
        raise MembenchError(f"{path} is no text in UTF-8") from None
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise MembenchError(f"{where}: no YAML: {problem or error}") from None
    if root is None:
        raise MembenchError(f"{path} is empty: write options such as `method: bm25`")
    common = _Reader(path, names, settings)
    above = {key: value for key, value in common.pairs(root) if key != RUNS}
    blocks = [value for key, value in common.pairs(root) if key == RUNS]
    shared = common.options(above)
    if not blocks:
        return [Block(shared, common.place(root))]
    if not isinstance(blocks[0], yaml.SequenceNode) or not blocks[0].value:
        raise MembenchError(f"{common.place(blocks[0])}: {RUNS} wants a list of maps of options")
    own = [(common.options(dict(common.pairs(block))), common.place(block)) for block in blocks[0].value]
    return [Block({**shared, **options}, place) for options, place in own]


@dataclass(frozen=True)
class _Reader:
    path: Path
    names: Sequence[str]
    settings: Sequence[str]

    def place(self, node: Any) -> str:
        return f"{self.path}:{node.start_mark.line + 1}"

    def pairs(self, node: Any) -> Iterator[tuple[str, Any]]:
        """The keys of a map with their nodes; `_` and `-` are the same in an option's name."""
        if node.id != "mapping":
            raise MembenchError(f"{self.place(node)}: expected a map of options such as `method: bm25`")
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value).replace("_", "-") if key.id == "scalar" else ""
            if name in seen:
                raise MembenchError(f"{self.place(key)}: {name} stands twice")
            seen.add(name)
            if name != RUNS and name not in self.names:
                raise MembenchError(f"{self.place(key)}: {unknown('option', name, self.names)}")
            yield name, value

    def options(self, nodes: Mapping[str, Any]) -> dict[str, Given]:
        """What the file gives, by the option's name."""
        if RUNS in nodes:
            raise MembenchError(f"{self.place(nodes[RUNS])}: {RUNS} stands at the top of a file alone")
        return {name: self._given(name, node) for name, node in nodes.items()}

    def _given(self, name: str, node: Any) -> Given:
        if node.id == "mapping":
            if name not in self.settings:
                raise MembenchError(f"{self.place(node)}: {name} wants a value or a list, not a map")
            return Given(tuple(self._settings(name, node)), True, self.place(node))
        nodes = node.value if node.id == "sequence" else [node]
        return Given(tuple(self._text(name, part) for part in nodes), node.id == "sequence", self.place(node))

    def _settings(self, name: str, node: Any) -> Iterator[str]:
        """A map of settings as -M has them; `_` and `-` are the same in a setting's name."""
        seen: set[str] = set()
        for key, value in node.value:
            setting = self._text(name, key)
            if (same := setting.replace("-", "_")) in seen:
                raise MembenchError(f"{self.place(key)}: {name}: {setting} stands twice")
            seen.add(same)
            yield f"{setting}={self._setting(name, value)}"

    def _setting(self, name: str, node: Any) -> str:
        """The value of a setting as -M has it."""
        if node.id == "sequence":
            return ",".join(self._text(name, part) for part in node.value)
        return "none" if node.tag == _NULL else self._text(name, node)

    def _text(self, name: str, node: Any) -> str:
        if node.id != "scalar" or node.tag == _NULL:
            raise MembenchError(
                f"{self.place(node)}: {name} wants a value, got {'nothing' if node.id == 'scalar' else node.id}"
            )
        return str(node.value)


def write(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Options as a file that `read` takes; what all blocks share stands above `runs`."""
    import yaml

    first, *others = blocks
    shared = {name: value for name, value in first.items() if all(b.get(name) == value for b in others)}
    rest = [{name: value for name, value in block.items() if name not in shared} for block in blocks]
    whole = {**shared, **({RUNS: rest} if others else {})}
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120))
