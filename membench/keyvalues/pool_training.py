"""Training a memory pool's reader and writer on plain text (MemoryLLM, ICML 2024, sections 3.2 to 4.2).

Two adapters are trained, one worn while a chunk is written and one while the pool is read (M+, 2025), by next-token
prediction in three phases: from one chunk to the next; over more and more chunks; and coming back to a text after
others were written. One pool lives through the whole training, so that what is read is what writing leaves.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor
from torch.nn import functional as F

from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.keyvalues.pool import Sink, tail, update
from membench.keyvalues.pool_parts import PoolParts
from membench.keyvalues.side_adapters import added, detached, fresh_factors
from membench.reading.key_values import require_projectable
from membench.settings.types import AtLeast0, AtLeast1, check
from membench.values import Adapter

if TYPE_CHECKING:
    from membench.model.llm import LLM

STATE = "state"  # folder of what a resumed training needs, inside that of the parts


@dataclass(frozen=True)
class Recipe:
    """What determines a training beside model and text."""

    new: AtLeast1 = 64
    chunk: Annotated[int, Ge(4)] = 128
    size: AtLeast1 = 1024
    store: Literal["input", "output"] = "input"
    drop: Literal["layer", "shared"] = "layer"
    steps: tuple[AtLeast0, ...] = (1500, 1500, 1000)  # of each phase
    batch_size: AtLeast1 = 16
    rank: AtLeast1 = 16
    alpha: Annotated[float, Gt(0)] = 32.0
    lr: Annotated[float, Gt(0)] = 1e-4
    warm_up: AtLeast1 = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)
        if self.new > self.size:
            raise MembenchError(f"setting new must be at most size, {self.size}, got {self.new}")
        if len(self.steps) != 3 or not sum(self.steps):
            raise MembenchError(f"steps wants a number for each of three phases, such as 1500,1500,1000: {self.steps}")

    def phase(self, step: int) -> tuple[int, float]:
        """The phase of a step (0, 1, 2) and how far in it the step is (0 to 1)."""
        for phase, count in enumerate(self.steps):
            if step < count:
                return phase, step / count
            step -= count
        raise ValueError("behind the last step")

    def rate(self, step: int) -> float:
        """The learning rate: a linear warm-up, then a cosine to 0."""
        return self.lr * min(1.0, (step + 1) / self.warm_up) * 0.5 * (1 + math.cos(math.pi * step / sum(self.steps)))


@dataclass
class Life:
    """All that changes while training; plain data but for the optimiser's moments, which stand beside it."""

    step: int = 0
    pool: Tensor | None = None
    writes: int = 0
    cached: tuple[int, ...] = ()  # a segment to come back to, whose beginning the pool has read
    age: int = 0  # chunks written since


class Trainer:
    """One training, from its last checkpoint on. Documents are lists of tokens, of at least one chunk."""

    def __init__(self, llm: LLM, recipe: Recipe, documents: Sequence[Sequence[int]], identity: Mapping[str, str]):
        require_projectable(llm.model, llm.name)
        self.llm, self.recipe, self.documents, self.life = llm, recipe, documents, Life()
        self.identity = {**asdict(recipe), **identity}
        self.scale = recipe.alpha / recipe.rank
        self.write, self.read = (fresh_factors(llm, recipe.rank, 2 * recipe.seed + k) for k in range(2))
        self.optimiser = torch.optim.AdamW([t for f in (self.write, self.read) for p in f.values() for t in p.values()])

    def train(self, folder: Path, every: int, on_step: Callable[[int, float], None]) -> None:
        """Go on to the last step, saving every so many of them."""
        total = sum(self.recipe.steps)
        while self.life.step < total:
            on_step(self.life.step, self._step())
            if self.life.step % every == 0 or self.life.step == total:
                self.save(folder)

    def save(self, folder: Path) -> None:
        """A checkpoint: it is there whole, or the one before it is."""
        state = {"identity": self.identity, "life": asdict(self.life), "write": self.write, "read": self.read}
        memories.save({**state, "optimiser": self.optimiser.state_dict()}, folder / STATE)

    def resume(self, folder: Path) -> None:
        """Take up the checkpoint in a folder, if any. Raises MembenchError if it is of another training."""
        if not (folder / STATE / memories.STRUCTURE).exists():
            return
        state = memories.load(folder / STATE)
        other = [name for name, value in self.identity.items() if state["identity"].get(name) != value]
        if other:
            raise MembenchError(
                f"{folder} holds a training with another {', '.join(other)}: name another folder with --output"
            )
        self.life = Life(**state["life"])
        self.life.pool = None if self.life.pool is None else self.life.pool.to(self.llm.device)
        for mine, saved in ((self.write, state["write"]), (self.read, state["read"])):
            for name, parts in mine.items():
                for key, tensor in parts.items():
                    tensor.data.copy_(saved[name][key])
        self.optimiser.load_state_dict(state["optimiser"])

    def parts(self, losses: Mapping[str, float]) -> PoolParts:
        """What was trained, as `memoryllm` wears it."""
        write, read = (Adapter((detached(f),), self.scale) for f in (self.write, self.read))
        return PoolParts(write, read, self.identity, dict(losses))

    def _step(self) -> float:
        rng = random.Random(f"{self.recipe.seed} {self.life.step}")
        with torch.no_grad(), added(self.llm, self.write, self.scale):
            writer = Sink(self.llm)
        with torch.no_grad(), added(self.llm, self.read, self.scale):
            reader = Sink(self.llm)
        total = 0.0
        for _ in range(self.recipe.batch_size):
            loss = self._row(writer, reader, rng) / self.recipe.batch_size
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        self.optimiser.param_groups[0]["lr"] = self.recipe.rate(self.life.step)
        torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.life.step += 1
        return total

    def _row(self, writer: Sink, reader: Sink, rng: random.Random) -> Tensor:
        """The loss of one document, or of an earlier one's last segment."""
        phase, progress = self.recipe.phase(self.life.step)
        if phase == 2 and self.life.cached and rng.random() < 0.5:
            return self._predict(reader, self.life.pool, self.life.cached)
        most = 2 if phase == 0 else 2 ** (1 + min(2, int(3 * progress))) if phase == 1 else 8
        *before, last = segments(rng.choice(self.documents), self.recipe.chunk, most, rng)
        alone = phase == 0 and rng.random() < 0.5  # the new vectors are all that is read, and the writer learns too
        for segment in before:
            with torch.set_grad_enabled(alone), added(self.llm, self.write, self.scale):
                read = writer.states_of(segment, tail(self.life.pool, self.recipe.new), self.recipe.store)
            fresh = read[:, -self.recipe.new :]
            self._remember(fresh.detach())
        if not self.life.cached or self.life.age > self.recipe.size // self.recipe.new:
            self.life.cached, self.life.age = tuple(last), 0
        return self._predict(reader, fresh if alone else self.life.pool, last)

    def _remember(self, fresh: Tensor) -> None:
        seed = self.recipe.seed * 1_000_003 + self.life.writes
        self.life.pool = update(self.life.pool, fresh, self.recipe.size, self.recipe.drop, seed)
        self.life.writes += 1
        self.life.age += 1

    def _predict(self, reader: Sink, states: Tensor | None, segment: Sequence[int]) -> Tensor:
        with added(self.llm, self.read, self.scale):
            return next_token_loss(self.llm, reader, states, segment)


def losses(llm: LLM, parts: PoolParts, documents: Sequence[Sequence[int]], new: int, chunk: int) -> dict[str, float]:
    """Next-token loss (nats) of each document's second segment by what is read before it.

    `none`: nothing; `adapted`: nothing, the trained reader; `untrained` and `trained`: the vectors that the first
    segment left; `in-context`: all of the first segment.
    """
    rows = {name: 0.0 for name in ("none", "adapted", "untrained", "trained", "in-context")}
    store = parts.recipe["store"]
    pairs = [segments(document, chunk, 2, random.Random(i)) for i, document in enumerate(documents)]
    with torch.no_grad():
        with llm.wearing(parts.write):
            writer = Sink(llm)
            trained = [writer.states_of(first, None, store)[:, -new:] for first, _ in pairs]
        with llm.wearing(parts.read):
            reader = Sink(llm)
            for (_, second), states in zip(pairs, trained, strict=True):
                rows["adapted"] += next_token_loss(llm, reader, None, second).item()
                rows["trained"] += next_token_loss(llm, reader, states, second).item()
        plain = Sink(llm)
        for first, second in pairs:
            untrained, whole = plain.states_of(first, None, store), plain.states_of(first, None, "input")
            rows["none"] += next_token_loss(llm, plain, None, second).item()
            rows["untrained"] += next_token_loss(llm, plain, untrained[:, -new:], second).item()
            rows["in-context"] += next_token_loss(llm, plain, whole, second).item()
    return {name: value / len(documents) for name, value in rows.items()}


def next_token_loss(llm: LLM, sink: Sink, states: Tensor | None, segment: Sequence[int]) -> Tensor:
    """Mean cross-entropy of a segment's tokens, but for the first, read behind these vectors."""
    with sink.tree.aside():
        hidden = sink.tree.grow([(sink.below(states), segment)])[1][0]
    return F.cross_entropy(llm.logits(hidden[:-1]), torch.tensor(segment[1:], device=hidden.device))


def segments(document: Sequence[int], chunk: int, most: int, rng: random.Random) -> list[Sequence[int]]:
    """Two to `most` consecutive segments of one random length, half a chunk to a chunk; as many as there are."""
    length = rng.randint(chunk // 2, min(chunk, len(document) // 2))
    count = min(most, len(document) // length)
    start = rng.randint(0, len(document) - count * length)
    return [document[start + i * length : start + (i + 1) * length] for i in range(count)]
