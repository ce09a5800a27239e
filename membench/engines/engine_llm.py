"""The model that is lent to methods where an engine decodes: answers are the engine's, all else its own reader's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from membench.engines.adapter_files import rank_of
from membench.engines.vllm_engine import RANKS, VllmEngine
from membench.model.decode_scope import read_without_adapter
from membench.model.decoding import Completion, end_ids
from membench.model.followed import Written
from membench.model.llm import LLM
from membench.values import Adapter, Recall


class EngineLLM(LLM):
    """Answers under texts and adapters, and continued prompts, are decoded by `engine`; the own reader follows each
    answer for likelihoods and divergences, and refuses one that is not the model's own (membench.model.followed).

    Keys and values, adapters of more ranks than the engine knows, and whatever is asked while an adapter is worn are
    read by the own reader alone.
    """

    engine: VllmEngine
    _worn = 0  # adapters that the weights wear now

    @contextmanager
    def wearing(self, adapter: Adapter | None) -> Iterator[None]:
        """As ever."""
        self._worn += adapter is not None
        try:
            with super().wearing(adapter):
                yield
        finally:
            self._worn -= adapter is not None

    def written(self, recall: Recall, questions: Sequence[str]) -> list[Written] | None:
        """What the engine answers; None for what it cannot be asked."""
        adapters = recall.adapters or (recall.adapter,) * len(questions)
        if recall.prefix or recall.prefixes or recall.lookup:
            return None
        if not questions or self._worn or read_without_adapter(recall):
            return None
        if max(map(rank_of, adapters)) > RANKS[-1]:
            return None
        contexts = recall.contexts or tuple(() for _ in questions)
        prompts = [[token for part in path for token in part] for path in self.paths(contexts, questions)]
        if max(map(len, prompts)) + self.max_new_tokens > self.window:
            return None  # the own reader says what is too long
        return self._decoded(prompts, adapters, self.max_new_tokens, self.stop)

    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        """Continue raw prompts greedily until `stop` appears; for writers and summarisers, not for answers."""
        ids = [self.first_ids(prompt) for prompt in prompts]
        if not ids or self._worn or max(map(len, ids)) + max_new_tokens > self.window:
            return super().complete(prompts, max_new_tokens, stop)
        rows = self._decoded(ids, [None] * len(ids), max_new_tokens, stop)
        self.meter.add(read=sum(map(len, ids)), generated=sum(len(row.ids) for row in rows))
        return [Completion(self.decode(row.ids), row.ids, row.truncated) for row in rows]

    def _decoded(
        self, prompts: Sequence[Sequence[int]], adapters: Sequence[Adapter | None], most: int, stop: str
    ) -> list[Written]:
        ends = end_ids(self)
        rows = self.engine.decoded(prompts, adapters, most, stop, sorted(ends))
        return [self._cut(tokens, stopped, stop, ends) for tokens, stopped in rows]

    def _cut(self, tokens: Sequence[int], stopped: bool, stop: str, ends: set[int]) -> Written:
        """An answer up to what ends it, by the own reader's rule: the token that completes `stop` is no part of it."""
        for k, token in enumerate(tokens):
            if token in ends or stop in self.decode(tokens[: k + 1]):
                return Written(tuple(tokens[:k]), False)
        return Written(tuple(tokens), not stopped)
