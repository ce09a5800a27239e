"""The contracts: what a method, a task and a data source are, and the values that pass between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from membench.errors import MembenchError
from membench.settings.types import AtLeast0, AtLeast1, check
from membench.values import (
    Adapter,
    Answer,
    Ask,
    Composed,
    Context,
    CostSpec,
    Dataset,
    Drift,
    Episode,
    Forget,
    Lookup,
    Metric,
    MetricSpec,
    Pair,
    Part,
    Prefix,
    Question,
    Recall,
    Step,
    Write,
)

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.targets.scribe import Scribe

__all__ = [
    "Adapter",
    "Answer",
    "Ask",
    "AtLeast0",
    "AtLeast1",
    "Composed",
    "Context",
    "CostSpec",
    "Dataset",
    "Drift",
    "Episode",
    "Forget",
    "Lookup",
    "M",
    "MemoryKind",
    "Method",
    "Metric",
    "MetricSpec",
    "Pair",
    "Part",
    "Prefix",
    "Question",
    "Recall",
    "Source",
    "Step",
    "Task",
    "Write",
    "added",
    "identity_of",
    "lent",
    "settings_of",
]

M = TypeVar("M")

# What a memory is. nothing: it holds nothing. text: texts that stand in the prompt, read as in-context reads them.
# weights: merged into the model's, so that it does not grow. bounded: a state that fills up. growing: any other state.
MemoryKind = Literal["nothing", "text", "weights", "bounded", "growing"]


class Source(ABC):
    """Where contexts come from. A source knows no protocol; any task plays over any source."""

    @abstractmethod
    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The first `limit` contexts and the next `held_out` ones; fewer where the data has fewer.

        `argument` is what stands after the colon in `--data NAME:ARGUMENT` (a path, a hub id, a seed), "" if nothing.
        Raises MembenchError with file and line (or record) for missing, empty or broken data.
        """

    def load_probed(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The same contexts with all their probes and conflicts, if it has any, for a task that is `probed`."""
        return self.load(argument, limit, held_out)

    def load_chains(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Questions that take facts of several texts, as `Composed` contexts. Raises MembenchError if it has none."""
        raise MembenchError(
            f"{type(self).__name__.lower()} has no questions over several texts: --data worlds, hotpotqa:FILE or "
            "musique:FILE"
        )

    def load_conversations(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Questions about dated sessions, as `Composed` contexts. Raises MembenchError if it has none."""
        raise MembenchError(
            f"{type(self).__name__.lower()} has no dated conversations: --data worlds, longmemeval:FILE, "
            "locomo:FILE or memoryagentbench"
        )


class Task(ABC):
    """A script of writes and asks, and what its records amount to.

    Fields of a subclass (a frozen dataclass) are settings, but for those that are `lent()`.
    """

    def __post_init__(self) -> None:
        """Settings are of the types that their fields declare, ranges included. Raises MembenchError."""
        check(self)

    default_limit: ClassVar[int] = 10  # contexts to write where the user names no limit
    held_out: ClassVar[int] = 0  # contexts beyond the limit that it asks about and never writes
    metrics: ClassVar[Sequence[MetricSpec]] = ()  # its own ones, where membench does not know them
    gold_script: ClassVar[bool] = True  # floor and reference play the gold script; else this task's own

    @property
    def form(self) -> tuple[int, str] | None:
        """(tokens that an answer may have, text that ends it), for every method; None: a line of 16 tokens."""
        return None

    def over(self, data: Dataset) -> Task:
        """The task fitted to the data that it will be played over. Raises MembenchError if that lacks what it needs."""
        return self

    def provenance(self) -> dict[str, Any]:
        """What can change a result beside settings and contexts, for the recipe (it may refine `data_hash`)."""
        return {}

    probed: ClassVar[bool] = False  # whether its data come by `Source.load_probed`
    loads: ClassVar[Literal["contexts", "chains", "conversations"]] = "contexts"  # its data come by `Source.load_…`

    @abstractmethod
    def episodes(self, data: Dataset, seed: int) -> Iterable[Episode]:
        """The episodes, in the same order every time for the same data and seed."""

    def score(self, question: Question, answer: str) -> dict[str, float]:
        """Scores of a freely generated answer; see membench.metrics.answer_scores."""
        from membench.metrics.answer_scores import score_answer

        return score_answer(question, answer)

    @abstractmethod
    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """What the records amount to; every number of a table comes from here."""


def lent(default: Any = None) -> Any:
    """A dataclass field that the harness fills in; no setting of the method."""
    return field(default=default, repr=False, compare=False, metadata={"lent": True})


def added(default: Any) -> Any:
    """A setting that came after results were stored: at its default it is in no recipe, so their ids stay valid."""
    return field(default=default, metadata={"added": True})


@dataclass(frozen=True)
class Method(ABC, Generic[M]):
    """A memory method: a pure function from a memory and new contexts to a new memory.

    Fields of a subclass are its hyper-parameters. Between calls it keeps nothing; the `llm` is lent and comes back as
    it was. A memory is plain data: tensors, arrays, strings, numbers, and dataclasses, tuples, dicts of them, so that
    the harness can measure, hash, save and load it. `None` is the empty memory.
    """

    version: ClassVar[int] = 1  # raise it when a change of code changes results: stored cells are then played anew
    cannot_forget: ClassVar[str] = "it has no way to take a text out again"  # said by methods without `forget`
    storage: ClassVar[str] = ""  # how a memory grows and what it holds, for `membench ls methods`
    kind: ClassVar[MemoryKind | None] = None  # what a memory is, where estimates of time and size may build on it
    licence: ClassVar[str] = ""  # of weights that it brings beside the base model, likewise
    brings_text: ClassVar[bool] = True  # False: it recalls weights, or keys and values, alone; so does kind `weights`

    llm: LLM = lent()
    scribe: Scribe = lent()  # writes target sentences; lent to every method, used by the trained ones
    seed: int = lent(0)

    def __post_init__(self) -> None:
        """Settings are of the types that their fields declare, ranges included. Raises MembenchError."""
        check(self)

    @abstractmethod
    def write(self, memory: M | None, contexts: Sequence[str]) -> M | None:
        """The memory after these texts were added to it. Must not change `memory`."""

    @abstractmethod
    def recall(self, memory: M | None, questions: Sequence[str]) -> Recall:
        """What the memory brings to reading these questions."""

    def require_model(self) -> None:
        """Raise MembenchError if the lent model is none that this method can be played on; asked before any cell."""

    def answer(self, memory: M | None, questions: Sequence[str]) -> list[str]:
        """The answers; override only for a loop of your own (the likelihood columns then stay empty)."""
        return [a.text for a in self.llm.answer(self.recall(memory, questions), questions)]

    def forget(self, memory: M, contexts: Sequence[str]) -> M | None:
        """The memory without these contexts. A method that leaves this as it is cannot forget."""
        raise MembenchError(f"{type(self).__name__} cannot forget: {self.cannot_forget}")

    def close(self) -> None:
        """Let go of what it holds outside of memories, such as a program: its cell ends here, however it ended."""

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """What identifies by content what the settings point to (files, encoders, writers), for the recipe."""
        return {}

    def fetches(self) -> tuple[str, ...]:
        """Models beside the base model, as `membench doctor --fetch` names them, that must be there before play."""
        return ()

    @property
    def parts(self) -> tuple[Method[Any], ...]:
        """The methods at work in this one: itself, and those that it is made of with theirs."""
        return (self,)

    @property
    def forgets(self) -> bool:
        """Whether the method has a `forget` of its own."""
        return type(self).forget is not Method.forget

    @property
    def label(self) -> str | None:
        """What tables call the method as it is set; None for its own name."""
        return None

    def deployed_growth(self, memory: M | None) -> int | None:
        """Bytes that a deployment adds for this memory; None means all of it (0 once weights are merged)."""
        return None


def settings_of(plugin: object) -> dict[str, Any]:
    """The settings of a method or task as a recipe has them: fields, but for what is lent or `added` and at default."""
    own = {f: getattr(plugin, f.name) for f in fields(plugin) if not f.metadata.get("lent")}  # type: ignore[arg-type]
    return {f.name: value for f, value in own.items() if not f.metadata.get("added") or value != f.default}


def identity_of(part: Method[Any], offline: bool) -> dict[str, Any]:
    """What can change the results of a method that another one is made of, for the recipe of the whole."""
    found: dict[str, Any] = {"version": part.version, "settings": settings_of(part)}
    sources = part.sources(offline)
    return found | ({"sources": sources} if sources else {})
