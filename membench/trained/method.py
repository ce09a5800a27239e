"""What FT(C), FT(S) and SELF-PARAM have in common: a LoRA adapter trained on target sentences at every write.

The settings are equal for all of them, so that in one table only text and loss differ.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from membench.api import Method
from membench.corpora.generic_text import generic_texts
from membench.io.memory_codec import nbytes
from membench.losses.divergences import Objective
from membench.settings.types import AtLeast1
from membench.targets.scribe import provenance
from membench.trained.lora import Lora
from membench.trained.replay import Rehearsed, asked_before, keep, mix_in, recollect, without
from membench.trained.sentences import (
    Material,
    Sentence,
    batches,
    generic_sentence,
    learnable,
    qa_sentences,
    quota,
    said_already,
    student_stem,
    suffix_sentence,
    untaught,
)
from membench.trained.trainer import Precision, precision, taught, train
from membench.trained.verdict import require_trainable
from membench.values import Adapter, Pair, Recall


@dataclass(frozen=True)
class Course:
    """The sentences of each step of a training, the adapter that is trained, and what is known of some sentences."""

    steps: list[list[Sentence]]
    lora: Lora
    known: dict[Sentence, Tensor]


@dataclass(frozen=True)
class Trained(Method[Adapter]):
    """A memory that lives in the weights. Between writes the adapter is merged and the next one starts fresh."""

    lr: Annotated[float, Gt(0)] = 4e-3  # of the first step; it falls linearly to 0
    epochs: AtLeast1 = 12  # passes over the sentences
    batch_size: AtLeast1 = 4  # sentences about contexts in a step
    rank: AtLeast1 = 16
    alpha: Annotated[float, Gt(0)] = 32.0
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    upper: Annotated[float, Gt(0), Le(1)] = 0.5  # share of the layers, from the top, that are trained
    precision: Precision = "auto"
    version: ClassVar[int] = 3

    @property
    @abstractmethod
    def loss(self) -> str:
        """`ce` for hard labels, `kl` for the teacher's distribution."""

    @abstractmethod
    def steps(self, materials: Sequence[Material], rng: random.Random) -> Iterator[list[Sentence]]:
        """The sentences of each optimiser step."""

    def pairs_about(self, contexts: Sequence[str]) -> list[tuple[Pair, ...]]:
        """The target pairs about each context."""
        return [() for _ in contexts]

    def materials(self, contexts: Sequence[str], written: Sequence[Sequence[Pair]]) -> list[Material]:
        """The contexts with the pairs written about them."""
        return [Material(text, ()) for text in contexts]

    def said_of(self, materials: Sequence[Material]) -> dict[Sentence, Tensor]:
        """What the teacher said already of some sentences of these."""
        return {}

    @property
    def objective(self) -> Objective:
        """How far from the teacher it is, where the loss is `kl`."""
        return Objective()

    def require_model(self) -> None:
        """Its training must read as the model itself does."""
        require_trainable(self.llm, self.upper)

    def write(self, memory: Adapter | None, contexts: Sequence[str]) -> Adapter:
        """Train one more adapter on top of the memory."""
        course = self.course(memory, contexts)
        if not course.steps:  # small talk, of which there is nothing to learn
            return memory or Adapter((), course.lora.scale)
        worn, apart = self.worn_by_teacher(memory), memory if self.apart else None
        with self.llm.wearing(worn):
            below = memory if worn is None else None  # the student always stands on the memory
            layer, said = train(
                self.llm, course.steps, self.loss, course.lora, self.objective, None, below, course.known, apart
            )
        adapter = Adapter((*(memory.layers if memory else ()), layer), course.lora.scale)
        if not (self.replayed or self.held):
            return adapter
        return keep(adapter, memory, said if self.replayed else {}, (s for step in course.steps for s in step))

    def forget(self, memory: Adapter, contexts: Sequence[str]) -> Adapter:
        """Train one more adapter on these contexts' sentences, by a teacher that never read them: the untouched model.

        Approximate (after Chundawat et al., AAAI 2023; the task `deletion` measures what is left). Sentences of other
        contexts that the memory keeps are held to what it said of them before.
        """
        course = self.course(None, contexts)
        left = without(memory, course.steps)
        if not course.steps:
            return left
        lora = replace(course.lora, seed=self._seed(memory))
        held = asked_before(left, student_stem(self.llm))
        rng = random.Random(lora.seed)
        steps = mix_in(untaught(course.steps), held, max(self.replayed, self.held), rng)
        with self.llm.wearing(memory):
            known = taught(self.llm, [s for step in steps for s in step if s.kind == "held"], lora)
        layer, _ = train(self.llm, steps, "kl", lora, self.objective, below=memory, known=known)
        return replace(left, layers=(*memory.layers, layer))

    def course(self, memory: Adapter | None, contexts: Sequence[str]) -> Course:
        """What a write of these contexts trains on."""
        self.require_model()
        pairs = self.pairs_about(contexts)  # by the model as it was lent, not as it was written to
        seed = self._seed(memory)
        lora = Lora(self.rank, self.alpha, self.dropout, self.lr, self.upper, self.precision, seed)
        stem = student_stem(self.llm)
        known, held = recollect(memory, stem), asked_before(memory, stem)
        rng = random.Random(seed)
        with self.llm.wearing(self.worn_by_teacher(memory)):
            materials = self.materials(contexts, pairs)
            own = mix_in(self.steps(materials, rng), list(known), self.replayed, rng)
            steps = learnable(mix_in(own, held, self.held, rng))
        if self.loss == "kl" and isinstance(precision(self.llm, lora.precision, True), nullcontext):  # as it read
            known |= self.said_of(materials)
        with self.llm.wearing(memory):
            known |= taught(self.llm, [s for step in steps for s in step if s.kind == "held"], lora)
        return Course(steps, lora, known)

    def _seed(self, memory: Adapter | None) -> int:
        """One of each adapter."""
        return self.seed * 1000 + len(memory.layers if memory else ())

    @property
    def replayed(self) -> float:
        """Sentences of earlier writes for each pair."""
        return 0.0

    @property
    def held(self) -> float:
        """The same sentences for each pair, with what the memory says of them before this write."""
        return 0.0

    @property
    def apart(self) -> bool:
        """Whether each write's adapter reads no input that those of earlier writes read."""
        return False

    def worn_by_teacher(self, memory: Adapter | None) -> Adapter | None:
        """What the teacher remembers of earlier writes: nothing."""
        return None

    def recall(self, memory: Adapter | None, questions: Sequence[str]) -> Recall:
        """The adapter; the prompt holds the question alone."""
        return Recall(adapter=memory)

    def deployed_growth(self, memory: Adapter | None) -> int:
        """What is kept for rehearsal; the adapter is merged into weights that are there anyway."""
        return nbytes(memory.kept) if isinstance(memory, Rehearsed) else 0


@dataclass(frozen=True)
class OnTargets(Trained):
    """Trained on question-answer pairs, context suffixes and generic text (SELF-PARAM's three kinds of sentences)."""

    targets: str = "template"  # who writes the pairs: template, self, openai[:MODEL], recorded:FILE
    answers: Literal["own", "gold"] = "own"  # own: the model's greedy answer with the context; gold: the writer's
    teacher: Literal["original", "current"] = "original"  # remembers nothing, or (released code): earlier writes
    pairs: AtLeast1 = 16  # at most, for a context
    suffix: Annotated[float, Ge(0)] = 0.05  # context suffixes for each pair (1 in the released code)
    generic: Annotated[float, Ge(0)] = 0.05  # generic texts for each pair (1 in the released code)
    generic_text: str = "builtin"
    generic_teacher: Literal["context", "none"] = "context"  # it sees the context (released code), or: none
    loss_on: Literal["answer", "all"] = "answer"  # of a pair, the tokens of its answer, or (released code): all
    replay: Annotated[float, Ge(0)] = 0.0  # pairs of earlier writes for each pair; the memory keeps them

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The target writer, and the generic text where any is mixed in."""
        generic = {"generic_text": generic_texts(self.generic_text).digest} if self.generic else {}
        return {"targets": provenance(self.targets), **generic}

    @property
    def replayed(self) -> float:
        """As set."""
        return self.replay

    def worn_by_teacher(self, memory: Adapter | None) -> Adapter | None:
        """The memory so far, if the teacher is the current model."""
        return memory if self.teacher == "current" else None

    def pairs_about(self, contexts: Sequence[str]) -> list[tuple[Pair, ...]]:
        """What the target writer wrote."""
        return [self.scribe.pairs(self.targets, text, self.pairs, self.llm) for text in contexts]

    def materials(self, contexts: Sequence[str], written: Sequence[Sequence[Pair]]) -> list[Material]:
        """With the pairs, answered as `answers` says."""
        out = []
        for text, pairs in zip(contexts, written, strict=True):
            if pairs and self.answers == "own":
                questions = [pair.question for pair in pairs]
                with self.llm.meter.role("teacher"):
                    replies = self.llm.answer(Recall(contexts=((text,),) * len(pairs)), questions)
                own = tuple(zip(questions, (r.text for r in replies), strict=True))
                out.append(Material(text, own, tuple(replies)))
            else:
                out.append(Material(text, tuple((pair.question, pair.answer) for pair in pairs)))
        return out

    def said_of(self, materials: Sequence[Material]) -> dict[Sentence, Tensor]:
        """Its own answers, which it has just read: of the losses on the answer alone."""
        if self.loss_on == "all":
            return {}
        found = (said_already(qa_sentences(self.llm, m, self.loss_on), m.readings) for m in materials if m.readings)
        return {s: states for those in found for s, states in those.items()}

    def steps(self, materials: Sequence[Material], rng: random.Random) -> Iterator[list[Sentence]]:
        """Every epoch all pairs in a new order, with suffixes and generic texts mixed in at their ratios."""
        asked = [s for m in materials for s in qa_sentences(self.llm, m, self.loss_on)]
        anchor = generic_texts(self.generic_text).train if self.generic else ()
        suffix_due = generic_due = 0.0
        for chosen in batches(len(asked), self.batch_size, self.epochs, rng):
            suffixes, suffix_due = quota(self.suffix, len(chosen), suffix_due)
            generics, generic_due = quota(self.generic, len(chosen), generic_due)
            step = [asked[i] for i in chosen]
            step += [suffix_sentence(self.llm, rng.choice(materials), rng) for _ in range(suffixes)]
            for _ in range(generics):
                given = rng.choice(materials).text if self.generic_teacher == "context" else ""
                step.append(generic_sentence(self.llm, rng.choice(anchor), given))
            yield step
