"""A memory that is a program of its own, in any language and environment, asked over its standard input and output."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Gt

from membench.api import MemoryKind, Method, Recall
from membench.errors import MembenchError
from membench.io.user_files import user_path
from membench.programs.peft_folder import read_adapter
from membench.programs.program import Program, close, files_of, hello_of, running
from membench.programs.saved_folder import SavedFolder


@dataclass(frozen=True)
class Process(Method[SavedFolder]):
    """The program has the memory; what it saves of it is kept here, so that a killed run goes on (docs/process.md)."""

    storage: ClassVar[str] = "as the program says"
    kind: ClassVar[MemoryKind] = "growing"  # nothing is promised of it before the program was asked

    command: str = ""  # that starts the program: split into words as a shell does, and run without one
    timeout: Annotated[float, Gt(0)] = 600.0  # seconds that one answer may take

    @property
    def argv(self) -> list[str]:
        """The command's words, `~` as in a shell. Raises MembenchError for a command that has none."""
        try:
            words = shlex.split(self.command)
        except ValueError as error:  # a quotation mark without its partner
            raise MembenchError(f"setting command of process: {error}: {self.command!r}") from None
        if not words:
            raise MembenchError('process wants the command of a program: -M command="python my_memory.py"')
        return [str(user_path(word)) if word.startswith("~") else word for word in words]

    @property
    def label(self) -> str | None:
        """The program's own name and version."""
        hello = hello_of(self.argv, self.timeout)
        return f"{hello.name} {hello.version}"

    @property
    def brings_text(self) -> bool:  # type: ignore[override]  # one program is not like another
        """Unless the program's memory is weights."""
        return hello_of(self.argv, self.timeout).kind != "weights"

    @property
    def forgets(self) -> bool:
        """As the program says."""
        return hello_of(self.argv, self.timeout).forgets

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The files of the command by content, and what the program says of itself."""
        argv = self.argv
        hello = hello_of(argv, self.timeout)
        return {"program": {"files": files_of(argv), **hello.model_dump(exclude={"error", "forgets"})}}

    def write(self, memory: SavedFolder | None, contexts: Sequence[str]) -> SavedFolder | None:
        """What the program saves once it was given these texts."""
        return self._program.write(memory, contexts)

    def recall(self, memory: SavedFolder | None, questions: Sequence[str]) -> Recall:
        """The texts that the program recalls, and the adapter, if it names one."""
        found = self._program.recall(memory, questions)
        adapter = None if found.adapter is None else read_adapter(Path(found.adapter), self.llm.model)
        texts = None if found.texts is None else tuple(map(tuple, found.texts))
        return Recall(contexts=texts, adapter=adapter)

    def forget(self, memory: SavedFolder, contexts: Sequence[str]) -> SavedFolder | None:
        """What the program saves once it forgot these texts."""
        return self._program.forget(memory, contexts)

    def close(self) -> None:
        """End the program."""
        close(self.argv, self.seed, self.timeout)

    @property
    def _program(self) -> Program:
        return running(self.argv, self.seed, self.timeout)
