"""The values that pass between methods, tasks, data sources and the harness; plain data, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


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
class Part(Context):
    """One of several texts that are written apart, each of which may hold what a question about another context needs.

    Once it is written the memory holds those contexts, too.
    """

    completes: tuple[str, ...] = ()  # ids of contexts whose last text this is


@dataclass(frozen=True)
class Composed(Context):
    """A context whose text a task writes in parts; floor and reference read `text`, which holds all that is needed."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Contexts in a fixed order: those to write, and held-out ones that are asked about and never written."""

    name: str  # as the user typed it, e.g. "worlds" or "squad:dev.json"
    contexts: tuple[Context, ...]
    held_out: tuple[Context, ...] = ()
    conflicts: tuple[Context, ...] = field(default=(), repr=False)  # dated texts, each contradicted by its `revision`
    stored: int | None = field(default=None, repr=False)  # contexts that the user's own documents hold in all


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
    """Measure what the memory as it is now does to the model elsewhere (membench.playing.drift)."""

    text: str = "builtin"  # generic text, as in membench.corpora.generic_text; the held-out part of it is read
    suites: tuple[str, ...] = ("common",)  # test sets, as in membench.corpora.test_suites
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
    below: tuple[float, ...] = ()  # denominators per context of a ratio to which a context may add nothing


# ---------------------------------------------------------------- methods
class Lookup(Protocol):
    """Keys and values with a rule of its own by which a reader looks them up."""

    @property
    def nbytes(self) -> int:
        """Bytes of what is looked up."""
        ...

    def tree(self, model: nn.Module) -> Any:
        """An empty tree (membench.reading.token_tree.Tree) that reads `model` by that rule."""
        ...


@dataclass(frozen=True)
class Recall:
    """What a memory contributes to reading. All parts are optional and combine."""

    contexts: tuple[tuple[str, ...], ...] | None = None  # per question, the texts that stand before it
    adapter: Adapter | None = None  # weights that the model wears
    lookup: Lookup | None = None  # a stream's keys and values, with the rule by which they are looked up
    notes: Mapping[str, float] = field(
        default_factory=dict
    )  # what tables say of this reading (NOTES of membench.store.costs)
    prefix: Prefix | None = None  # keys and values that stand behind the worked examples, before any recalled text
    adapters: tuple[Adapter | None, ...] | None = None  # in place of `adapter`, one a question
    prefixes: tuple[Prefix | None, ...] | None = None  # in place of `prefix`, one a question
    adapter_scope: Literal["all", "decode"] = "all"  # decode: recalled texts are read without it, all else with it


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


DIGITS = 6  # decimals that are stored
NOT_STATED = ("not stated",)  # the gold answer of what no context answers


# ---------------------------------------------------------------- what numbers are
@dataclass(frozen=True)
class MetricSpec:
    """What a metric is and how a table shows it, declared where it is computed.

    `name` is "SCORE/VIEW"; "SCORE" stands for the view "all" and, in unit and direction, for all views of the score;
    "SCORE:" for every metric that begins so. One without a `title` has no column.
    """

    name: str
    title: str = ""  # the head of its column
    help: str = ""  # how to read it, in one line
    unit: str = "share"  # of what it counts; a share lies in [0, 1]
    higher_is_better: bool | None = True  # None: neither is
    digits: int = 2
    section: str = "memory"  # the table that its column stands in
    interval: bool = True  # whether the column shows it
    base: str = ""  # the metric that stands in brackets beside it: the base model's own rate
    instead: str = ""  # the metric that is shown where this one is not there
    brief: int = 0  # its place among the columns of its task's short table; it has none there with 0
    leads: bool = False  # whether it ranks the entries of a table that has it, in place of contains


@dataclass(frozen=True)
class CostSpec:
    """What a cost is and how a table shows it, declared where it is computed. Less is better."""

    name: str
    unit: str  # s, B, tokens, FLOP, ratio, cells
    title: str = ""  # the head of its column; none without
    help: str = ""
    digits: int = 2
    budget: str = ""  # its name in `--at NAME=LIMIT`
    of: str = ""  # what a budget is of: a context, a question
    front: str = ""  # the letter of the Pareto front of score against this cost
    derived: bool = False  # whether it comes from the ledger and not from the records' own costs
