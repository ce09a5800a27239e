"""A memory that is a program of its own, asked over its standard input and output, and which memory it holds now."""

from __future__ import annotations

import atexit
import json
import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from membench.errors import MembenchError, shortened
from membench.io import memory_codec as memories
from membench.io.file_hashes import content_key
from membench.programs.answers import PROTOCOL, Answer, Hello, Recalled, parsed
from membench.programs.pipe import Broken, Pipe
from membench.programs.saved_folder import SavedFolder, fresh, packed, unpack

A = TypeVar("A", bound=Answer)

CLOSING = 5.0  # seconds that it has to end by itself


class Program:
    """One running program. It holds one memory at a time; another one is loaded into it when it is asked about that.

    Whatever goes wrong ends the program, and `dead` is then true: what it held is not certain any more.
    """

    def __init__(self, argv: Sequence[str], seed: int, seconds: float):
        self.name = f"program {shortened(shlex.join(argv))!r}"
        self.dead = False
        self._seconds = seconds
        self._pipe = Pipe(argv, self.name)
        self._scratch = tempfile.TemporaryDirectory(prefix="membench-")
        self._folder = Path(self._scratch.name, "memory")
        self._held = memories.digest(None)
        self.hello = self._ask("hello", Hello, protocol=PROTOCOL, seed=seed)

    def write(self, memory: SavedFolder | None, texts: Sequence[str]) -> SavedFolder | None:
        """The memory after these texts were added."""
        return self._changed("write", memory, texts)

    def forget(self, memory: SavedFolder, texts: Sequence[str]) -> SavedFolder | None:
        """The memory without these texts."""
        return self._changed("forget", memory, texts)

    def recall(self, memory: SavedFolder | None, questions: Sequence[str]) -> Recalled:
        """What it brings to these questions. Raises MembenchError if it has not something for each."""
        self._hold(memory)
        found = self._ask("recall", Recalled, questions=list(questions))
        if found.texts is not None and len(found.texts) != len(questions):
            self.kill()
            raise MembenchError(
                f"{self.name} recalled texts for {len(found.texts)} of {len(questions)} questions: a list for each"
            )
        return found

    def close(self) -> None:
        """Let it end by itself, then end what is left of it."""
        if not self.dead:
            until = time.monotonic() + CLOSING
            try:
                self._seconds = min(self._seconds, CLOSING)
                self._ask("close", Answer)
            except MembenchError:
                return  # it is dead, which was wanted
            try:
                self._pipe.end(max(0.0, until - time.monotonic()))
            finally:
                self._gone()

    def kill(self) -> None:
        """End it now."""
        if not self.dead:
            self._pipe.kill()
            self._gone()

    def _gone(self) -> None:
        self.dead = True
        self._scratch.cleanup()

    def _changed(self, what: str, memory: SavedFolder | None, texts: Sequence[str]) -> SavedFolder | None:
        self._hold(memory)
        self._ask(what, Answer, texts=list(texts))
        fresh(self._folder)
        self._ask("save", Answer, folder=str(self._folder))
        try:
            saved = packed(self._folder)
        except (MembenchError, OSError) as error:
            self.kill()
            raise MembenchError(f"{self.name}: {error}") from error
        self._held = memories.digest(saved)
        return saved

    def _hold(self, memory: SavedFolder | None) -> None:
        """Let it hold this memory, if it holds another one."""
        if (wanted := memories.digest(memory)) == self._held:
            return
        if memory is None:
            self._ask("clear", Answer)
        else:
            unpack(memory, self._folder)
            self._ask("load", Answer, folder=str(self._folder))
        self._held = wanted

    def _ask(self, what: str, kind: type[A], **fields: Any) -> A:
        """Its answer. Raises MembenchError in one line that says who failed at what; the program is then dead."""
        try:
            return parsed(self._pipe.ask(json.dumps({"do": what, **fields}).encode(), what, self._seconds), kind)
        except Broken:
            self._gone()
            raise
        except BaseException as error:
            self.kill()
            if isinstance(error, MembenchError):
                raise MembenchError(f"{self.name} answered to {what}: {error}") from error
            raise


_running: dict[tuple[tuple[str, ...], int, float], Program] = {}


def running(argv: Sequence[str], seed: int, seconds: float) -> Program:
    """The program of this command, started unless it runs already. Raises MembenchError if it does not come up."""
    key = (tuple(argv), seed, seconds)
    found = _running.get(key)
    if found is None or found.dead:
        found = _running[key] = Program(argv, seed, seconds)
    return found


def close(argv: Sequence[str], seed: int, seconds: float) -> None:
    """End the program of this command, if it runs."""
    if found := _running.pop((tuple(argv), seed, seconds), None):
        found.close()


@atexit.register
def _close_all() -> None:
    while _running:
        _running.popitem()[1].kill()


_told: dict[tuple[tuple[str, ...], str], Hello] = {}


def hello_of(argv: Sequence[str], seconds: float) -> Hello:
    """What the program of this command says of itself; asked once for what its files hold. Raises MembenchError."""
    key = tuple(argv), json.dumps(files_of(argv))
    if key not in _told:
        program = Program(argv, 0, seconds)
        _told[key] = program.hello
        program.close()
    return _told[key]


def files_of(argv: Sequence[str]) -> dict[str, str]:
    """The files that a command names, with the sha256 of what they hold.

    Of an interpreter that is given a file, that file: "python memory.py" is known by memory.py.
    """
    found = {word: digest for word in argv[1:] if (digest := content_key(word))}
    if not found and (own := content_key(argv[0])):
        found = {argv[0]: own}
    return {Path(word).name: digest[:16] for word, digest in found.items()}
