"""The contracts: what a method, a task and a data source are, and the values that pass between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from membench.errors import MembenchError

if TYPE_CHECKING:
    from torch import Tensor

    from membench.infllm import Lookup
    from membench.llm import LLM
    from membench.scribe import Scribe

M = TypeVar("M")

# ---------------------------------------------------------------- data


@dataclass(frozen=True)
class Question:
    """A test question about one context. A method sees `text` and nothing else of it."""

    id: str
    text: str
    answers: tuple[str, ...]  # accepted answers, the canonical one first
    context: str  # id of the context that states the answer
    distractors: tuple[str, ...] = ()  # wrong answers of the same type, the candidate set of `exclusive` and `acc_mc`
    tags: Mapping[str, str] = field(default_factory=dict)  # e.g. kind=test, fact=..., rehearsed=yes|no


@dataclass(frozen=True)
class Pair:
    """A target sentence: a question and its answer, as a target writer words them."""

    question: str
    answer: str


@dataclass(frozen=True)
class Context:
    """A text to remember, with the questions that test whether it is remembered."""

    id: str
    text: str
    questions: tuple[Question, ...]
    targets: tuple[Pair, ...] = ()  # what the `template` writer knows to write about this text
    probes: tuple[Question, ...] = ()  # questions where the memory must not surface; tags["kind"] says why
    revision: Context | None = None  # a later text that contradicts this one, with the questions it changes


@dataclass(frozen=True)
class Dataset:
    """Contexts in a fixed order: those to write, and held-out ones that are asked about and never written."""

    name: str  # as the user typed it, e.g. "worlds" or "squad:dev.json"
    contexts: tuple[Context, ...]
    held_out: tuple[Context, ...] = ()
    conflicts: tuple[Context, ...] = field(default=(), repr=False)  # dated texts, each contradicted by its `revision`


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


# ---------------------------------------------------------------- tasks


@dataclass(frozen=True)
class Write:
    """Put these contexts into the memory, jointly."""

    contexts: tuple[Context, ...]


@dataclass(frozen=True)
class Ask:
    """Ask these questions of the memory as it is now."""

    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Forget:
    """Take these contexts out of the memory again."""

    contexts: tuple[Context, ...]


@dataclass(frozen=True)
class Drift:
    """Measure what the memory as it is now does to the model elsewhere (membench.drift)."""

    text: str = "builtin"  # generic text, as in membench.generic; the held-out part of it is read
    suites: tuple[str, ...] = ("common",)  # test sets, as in membench.drift_data
    items: int = 64  # of each test set, at most


Step = Write | Ask | Forget | Drift


@dataclass(frozen=True)
class Episode:
    """The life of one memory, from the empty one."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Answer:
    """One answered question, as it stands in the records.

    `written` counts the contexts written before the question; `position` is the 1-based place of the question's own
    context in the episode's order of writing, 0 if the episode never writes it or made the memory forget it.
    `position <= written` and `position > 0` mean that the memory holds the answer; everything else is a placebo.
    """

    episode: str
    step: int
    written: int
    position: int
    question: str
    context: str
    tags: Mapping[str, str]
    text: str
    gold: tuple[str, ...]
    answer: str
    scores: Mapping[str, float]

    @property
    def seen(self) -> bool:
        """Whether the memory holds the context that this question is about."""
        return 0 < self.position <= self.written


@dataclass(frozen=True)
class Metric:
    """A number of a table: its value, and the values per context that it is the mean of (for its interval)."""

    value: float
    contexts: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[float, ...] = ()  # e.g. retention by age; `value` is then its headline
    sums: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # of a ratio: both per context; not stored


class Task(ABC):
    """A script of writes and asks, and what its records amount to.

    Fields of a subclass (a frozen dataclass) are settings, but for those that are `lent()`.
    """

    default_limit: ClassVar[int] = 10  # contexts to write where the user names no limit
    held_out: ClassVar[int] = 0  # contexts beyond the limit that it asks about and never writes
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

    @abstractmethod
    def episodes(self, data: Dataset, seed: int) -> Iterable[Episode]:
        """The episodes, in the same order every time for the same data and seed."""

    def score(self, question: Question, answer: str) -> dict[str, float]:
        """Scores of a freely generated answer; see membench.score."""
        from membench.score import score_answer

        return score_answer(question, answer)

    @abstractmethod
    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """What the records amount to; every number of a table comes from here."""


# ---------------------------------------------------------------- methods


@dataclass(frozen=True)
class Recall:
    """What a memory contributes to reading. All parts are optional and combine."""

    contexts: tuple[tuple[str, ...], ...] | None = None  # per question, the texts that stand before it
    adapter: Adapter | None = None  # weights that the model wears
    lookup: Lookup | None = None  # a stream's keys and values, with the rule by which they are looked up
    notes: Mapping[str, float] = field(default_factory=dict)  # what tables say of this reading (membench.summary.NOTES)
    prefix: Prefix | None = None  # keys and values that stand behind the worked examples, before any recalled text


@dataclass(frozen=True)
class Adapter:
    """A change of the model's weights, as a stack of low-rank factors: ΔW = Σ scale · B @ A.

    `layers` holds one dict a write: module name -> {"A": [rank, in], "B": [out, rank]}, both float32.
    """

    layers: tuple[Mapping[str, Mapping[str, Any]], ...]
    scale: float


@dataclass(frozen=True)
class Prefix:
    """Keys and values in place of a text, for each layer a tensor [key-value heads, tokens, head width].

    Keys are as they are before the rotary position embedding; the reader turns them to the positions where they stand.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def tokens(self) -> int:
        """How many tokens it stands for."""
        return int(self.keys[0].shape[1])


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
    licence: ClassVar[str] = ""  # of weights that it brings beside the base model, likewise

    llm: LLM = lent()
    scribe: Scribe = lent()  # writes target sentences; lent to every method, used by the trained ones
    seed: int = lent(0)

    @abstractmethod
    def write(self, memory: M | None, contexts: Sequence[str]) -> M | None:
        """The memory after these texts were added to it. Must not change `memory`."""

    @abstractmethod
    def recall(self, memory: M | None, questions: Sequence[str]) -> Recall:
        """What the memory brings to reading these questions."""

    def answer(self, memory: M | None, questions: Sequence[str]) -> list[str]:
        """The answers; override only for a loop of your own (the likelihood columns then stay empty)."""
        return [a.text for a in self.llm.answer(self.recall(memory, questions), questions)]

    def forget(self, memory: M, contexts: Sequence[str]) -> M | None:
        """The memory without these contexts. A method that leaves this as it is cannot forget."""
        raise MembenchError(f"{type(self).__name__} cannot forget: {self.cannot_forget}")

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
