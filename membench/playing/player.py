"""Playing one cell: its episodes step by step, from where a killed run left off."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from membench.api import Method
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.metrics.answer_scores import leak_margin, likelihood, token_f1
from membench.model.decoding import Reading
from membench.model.likelihood import Reference
from membench.model.meter import Peak
from membench.model.text_model import TextModel
from membench.planning.plan import PlannedCell
from membench.playing import episode_state
from membench.playing.ahead import ask_ahead, groups
from membench.playing.drift import Baseline, baseline, measure
from membench.playing.fingerprint import Watch
from membench.playing.first_writes import FirstWrites, Spent
from membench.playing.live_bytes import live_bytes
from membench.playing.neighbours import Neighbours
from membench.playing.plugin_call import as_it_was
from membench.plugins.given_back import sound_answers, sound_recall
from membench.store.recipe import GOLD
from membench.store.record_log import RecordLog
from membench.values import Answer, Ask, Drift, Episode, Forget, Question, Recall, Write

Notify = Callable[[int, str], None]


@dataclass
class Player:
    """Plays the episodes of one cell and appends a record for all that happens.

    A step is closed by its last record. After a kill the closed steps stand; the memory comes from the snapshot that
    was taken behind the last write, or from replaying the writes where the kill hit between the two.
    """

    cell: PlannedCell
    llm: TextModel
    log: RecordLog
    references: Mapping[str, Reference]
    notify: Notify
    baselines: dict[Drift, Baseline] = field(default_factory=dict)  # of the empty memory, shared by the cells of a run
    readings: dict[str, Reading] = field(default_factory=dict)  # by question id, of the last time it was read
    _known: dict[tuple[str, str], tuple[str, dict[str, float]]] = field(default_factory=dict)
    _notes: dict[str, float] = field(default_factory=dict)  # of the recall that was read last
    _recalled: tuple[Recall, Sequence[str]] | None = None  # the same recall, and its questions
    _peak: Peak = field(init=False)  # of this cell
    _watch: Watch = field(init=False)  # of the model that the method is lent
    _first: FirstWrites = field(init=False)
    _neighbours: Neighbours = field(default_factory=Neighbours)

    @property
    def method(self) -> Method[Any]:
        """The method, with what is lent to it."""
        return self.cell.method

    def play(self) -> None:
        """Play every step that the log does not hold yet."""
        self._refuse_what_cannot_be_forgotten()
        self._watch = Watch(self.llm, self.cell.method_name)
        self._peak = Peak(self.llm.device if self.llm.is_here else None)
        episodes = list(self.cell.episodes())
        self._forgetful = any(isinstance(step, Forget) for episode in episodes for step in episode.steps)
        self._first = FirstWrites(self.method, self.llm, episodes)
        ahead = self.llm.ahead if self.cell.recipe["task"] == GOLD else 0
        done = 0
        with self._neighbours.here(), self._watch.to_the_end(self.log.folder):
            for group in groups(episodes, ahead):
                self._ask_ahead(group)
                for episode in group:
                    self._episode(episode, done)
                    done += len(episode.steps)
        shutil.rmtree(self.log.folder / "memory", ignore_errors=True)

    def _ask_ahead(self, group: Sequence[Episode]) -> None:
        """Of several episodes, those that are not closed."""
        still = [e for e in group if any((e.name, k) not in self.log.closed for k in range(len(e.steps)))]
        if len(still) > 1:
            with self.llm.answering(self.cell.task.form):
                ask_ahead(self.llm, self.method, still)

    def _episode(self, episode: Episode, before: int) -> None:
        memory: Any = None
        if self._forgetful:
            self._known = {}  # of two memories that should be equal each is asked: what a program holds shows only so
        stale = False  # whether `memory` lacks writes that the log already holds
        for k, step in enumerate(episode.steps):
            if (episode.name, k) in self.log.closed:
                if isinstance(step, Ask):
                    self._recollect(episode, k)
                stale = stale or isinstance(step, Write | Forget)
                continue
            if stale:
                memory, stale = self._restore(episode, k), False
            if isinstance(step, Ask):
                self.notify(before + k, f"{episode.name}: asking {len(step.questions)} questions")
                self._ask(episode, k, step, memory)
                continue
            self.notify(before + k, f"{episode.name}: step {k + 1} of {len(episode.steps)}")
            if isinstance(step, Drift):
                self._drift(episode, k, step, memory)
            else:
                memory = self._change(episode, k, step, memory)

    def _refuse_what_cannot_be_forgotten(self) -> None:
        """Say that a method cannot forget before anything is spent on writing. Raises MembenchError."""
        if not self.method.forgets and (first := episode_state.first_forgotten(self.cell.episodes())):
            name, k, left = first
            raise MembenchError(
                f"{self.cell.method_name} cannot forget: {self.method.cannot_forget}; the contexts that are "
                f"left at step {k + 1} of {name} would have to be written again ({left})"
            )

    def _restore(self, episode: Episode, upto: int) -> Any:
        """The memory as it was before step `upto`: the snapshot if it is that one, or else all is written again."""
        changes = episode_state.changes(episode, upto)
        if not changes:
            return None
        with contextlib.suppress(MembenchError):  # no snapshot, or a damaged one
            known = self.log.memory_after(episode.name, changes[-1])
            return memories.load(self.log.folder / "memory", [type(part) for part in self.method.parts], known)
        memory = None
        for k in changes:
            memory = self._changed(episode, k, memory)[0]
        return memory

    def _changed(self, episode: Episode, k: int, memory: Any) -> tuple[Any, Spent]:
        """The memory behind step `k`, and what it took."""
        step = episode.steps[k]
        self.llm.meter.lap()
        made = self._first.take(episode, k)
        if made is None:
            made = self._apply(step, memory), self.llm.meter.lap()
        self._watch.check("forget" if isinstance(step, Forget) else "write")
        return made

    def _apply(self, step: Write | Forget | Ask | Drift, memory: Any) -> Any:
        texts = [c.text for c in step.contexts] if isinstance(step, Write | Forget) else []
        with as_it_was():
            if isinstance(step, Forget):
                return None if memory is None else self.method.forget(memory, texts)
            return self.method.write(memory, texts)

    def _recall(self, memory: Any, texts: Sequence[str]) -> Recall:
        with as_it_was():
            return sound_recall(self.method.recall(memory, texts), len(texts))

    def _refuse_changed(self, memory: Any, state: str, what: str) -> None:
        """Raise MembenchError if a memory that a method was given is not as it was: a resumed run would differ."""
        if memories.digest(memory) != state:
            raise MembenchError(f"{self.cell.method_name} changed the memory that `{what}` was given: make a new one")

    def _change(self, episode: Episode, k: int, step: Write | Forget, memory: Any) -> Any:
        given, before = memory, memories.digest(memory)
        memory, (seconds, tokens) = self._changed(episode, k, given)
        self._refuse_changed(given, before, "forget" if isinstance(step, Forget) else "write")
        digest = memories.digest(memory)  # first, as it refuses what is no plain data
        state = memories.nbytes(memory)
        with as_it_was():
            growth = self.method.deployed_growth(memory)
        memories.save(memory, self.log.folder / "memory")
        self.log.append(
            {
                "type": "write" if isinstance(step, Write) else "forget",
                "episode": episode.name,
                "step": k,
                "contexts": [c.id for c in step.contexts],
                **self._spent(seconds, tokens),
                "state_bytes": state,
                "growth_bytes": state if growth is None else growth,
                "memory": digest,
            }
        )
        return memory

    def _drift(self, episode: Episode, k: int, step: Drift, memory: Any) -> None:
        if step not in self.baselines:
            self.baselines[step] = baseline(self.llm, step)
        state = memories.digest(memory)
        self.llm.meter.lap()
        found = measure(self.llm, lambda prompts: self._recall(memory, prompts), self.baselines[step])
        seconds, tokens = self.llm.meter.lap()
        self._watch.check("recall")
        self._refuse_changed(memory, state, "recall")
        found |= self._spent(seconds, tokens)
        self.log.append({"type": "drift", "episode": episode.name, "step": k, **found})

    def _spent(self, seconds: float, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """What a step took, as its closing record has it."""
        spent = {"seconds": round(seconds, 3), "tokens": tokens, "cell_peak_bytes": self._peak.bytes()}
        return spent | ({"beside": beside} if (beside := self._neighbours.since()) else {})

    def _recollect(self, episode: Episode, k: int) -> None:
        """Know again what a closed Ask answered, so that a resumed run reads no more than an undisturbed one."""
        changes = episode_state.changes(episode, k)
        state = self.log.memory_after(episode.name, changes[-1]) if changes else memories.digest(None)
        for record in self.log.answers_of(episode.name, k):
            self._known[state, record["question"]] = record["answer"], record["scores"]
        self._keep(state)

    def _keep(self, state: str) -> None:
        self._known = {key: value for key, value in self._known.items() if key[0] == state}

    def _ask(self, episode: Episode, k: int, step: Ask, memory: Any) -> None:
        self.llm.meter.lap()
        self._notes, self._recalled = {}, None
        state = memories.digest(memory)
        fresh = [q for q in step.questions if (state, q.id) not in self._known]
        if fresh:
            with self.llm.answering(self.cell.task.form):
                results = self._read(memory, fresh)
            self._known |= {(state, q.id): result for q, result in zip(fresh, results, strict=True)}
        seconds, tokens = self.llm.meter.lap()
        self._watch.check("recall" if type(self.method).answer is Method.answer else "answer")
        self._refuse_changed(memory, state, "recall")
        written, positions = episode_state.written(episode, k), episode_state.positions(episode, k)
        for question in step.questions:
            text, scores = self._known[state, question.id]
            answer = Answer(
                episode.name, k, written, positions.get(question.context, 0), question.id, question.context,
                dict(question.tags), question.text, question.answers, text, scores,
            )  # fmt: skip
            # Distractors are no part of an answer; they are kept so that it can be scored anew without the data.
            self.log.append({"type": "answer", **vars(answer), "distractors": question.distractors})
        asked: dict[str, Any] = {"questions": len(step.questions), "read": len(fresh)}
        if self._notes:
            asked["notes"] = self._notes
        if self._recalled:
            asked["live_bytes"] = live_bytes(self.llm, *self._recalled)
        asked |= self._spent(seconds, tokens)
        self.log.append({"type": "ask", "episode": episode.name, "step": k, **asked})
        self._keep(state)

    def _read(self, memory: Any, questions: Sequence[Question]) -> list[tuple[str, dict[str, float]]]:
        texts = [q.text for q in questions]
        if type(self.method).answer is not Method.answer:
            with as_it_was(), self._watch.around("answer"):
                replies = sound_answers(self.method.answer(memory, texts), len(texts))
            return [(r, self.cell.task.score(q, r)) for q, r in zip(questions, replies, strict=True)]
        candidates = [(q.answers[0], *q.distractors) for q in questions]
        references = [self.references.get(q.id) for q in questions]
        with self._watch.around("recall"):
            recall = self._recall(memory, texts)
        self._notes = {name: round(value, 6) for name, value in recall.notes.items()}
        self._recalled = recall, texts
        readings = self.llm.answer(recall, texts, candidates, references)
        out = []
        for question, reading, reference in zip(questions, readings, references, strict=True):
            self.readings[question.id] = reading
            scores = self.cell.task.score(question, reading.text)
            scores |= likelihood(reading) | leak_margin(question, reading.logprobs)
            out.append((reading.text, scores | self._fidelity(reading, reference)))
        return out

    def _fidelity(self, reading: Reading, reference: Reference | None) -> dict[str, float]:
        if reference is None:
            return {}
        f1 = {"fidelity_f1": token_f1(reading.text, self.llm.decode(reference.ids).strip())}
        return f1 if reading.divergence is None else f1 | {"fidelity_kl": round(reading.divergence, 6)}
