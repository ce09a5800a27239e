"""The language model itself: weights, tokenizer, prompt, logits; it reads nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from membench.checkpoints.budgets import Budgets, budgets_of
from membench.checkpoints.devices import chosen_device
from membench.checkpoints.dtypes import chosen_dtype
from membench.checkpoints.loading import embeddings, load_parts
from membench.errors import MembenchError
from membench.model.meter import Meter
from membench.prompts.prompt import Renderer
from membench.prompts.tokens import FollowingTokens, first_ids, opening_ids
from membench.reading.kept_verdicts import checkpoint_of
from membench.reading.positions import window_of
from membench.reading.self_test import Reader, reader_of
from membench.reading.slow_tree import SlowTree


class LanguageModel:
    """A causal model with its tokenizer, prompt and meter. Every weight is frozen.

    `checkpoint` is what kept verdicts on it go by (membench.reading.kept_verdicts); "" keeps nothing.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, style: str, checkpoint: str = ""):
        self.checkpoint = checkpoint
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.name = name
        self.trusts_code = False  # whether code that comes with a model may be run
        self.spoilt = False  # whether a method left it changed: it is not lent again
        self.renderer = Renderer(style, tokenizer)
        self.meter = Meter()
        self.bos = opening_ids(tokenizer)
        self._following = FollowingTokens(tokenizer)
        with contextlib.suppress(MembenchError):  # it is said again when the model is read
            _ = self.reader, self.budgets  # now, while nothing is done to the model

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        dtype: str = "auto",
        device: str = "auto",
        style: str = "plain",
        offline: bool = False,
        trust_remote_code: bool = False,
    ) -> Self:
        """Load from a local folder or a hub id. `auto` is the best device that is here, and float32 on a CPU alone.

        Raises MembenchError for what is no causal language model, or not a whole one (membench.checkpoints.loading).
        """
        device = chosen_device(device)
        dtype = chosen_dtype(dtype, device)
        options = {"local_files_only": offline, "trust_remote_code": trust_remote_code}
        model, tokenizer = load_parts(path, name or str(path), getattr(torch, dtype), device, options)
        checkpoint = checkpoint_of(Path(path), dtype, device, trust_remote_code)
        loaded = cls(model, tokenizer, name or str(path), style, checkpoint=checkpoint)
        loaded.trusts_code = trust_remote_code
        _ = loaded.reader  # what cannot be read is refused here
        return loaded

    @property
    def window(self) -> int:
        """The longest input in tokens that the model's positions allow; sys.maxsize where they set no limit."""
        return window_of(self.model.config)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device  # type: ignore[no-any-return]

    def ids(self, text: str) -> list[int]:
        """Tokens of a text that stands behind another one, without the tokens that open a sequence.

        Raises MembenchError for one that the tokenizer has and the model has not.
        """
        return self._checked(self._following.ids(text))

    def first_ids(self, text: str) -> list[int]:
        """Tokens of a text that opens a sequence, with those that open it. Raises MembenchError as `ids` does."""
        return self._checked(first_ids(self.tokenizer, self.bos, text))

    def _checked(self, ids: list[int]) -> list[int]:
        if ids and max(ids) >= embeddings(self.model):
            token = self.tokenizer.convert_ids_to_tokens(max(ids))
            raise MembenchError(f"model {self.name} has no vector for {token!r}, which a text holds: take it out")
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens, special tokens left out."""
        return self.tokenizer.decode(ids, skip_special_tokens=True)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary logits [..., vocabulary] in float32 of final hidden states [..., width].

        Exact, as no method changes the output head.
        """
        return self.reader[1](hidden)

    @cached_property
    def reader(self) -> Reader:
        """What reads the model, and its output head, as a self-test finds them (membench.reading.self_test).

        Raises MembenchError for a model that cannot be read.
        """
        return reader_of(self.model, self.name, self.checkpoint)

    @cached_property
    def budgets(self) -> Budgets:
        """How much is read and kept at once, measured when the model is loaded."""
        return budgets_of(self.model, self.device)

    @property
    def slow(self) -> bool:
        """Whether it is read by its own forward pass alone, so that no keys and values can be lent to it."""
        return self.reader[0] is SlowTree

    def segment_ids(self, contexts: Sequence[str], question: str) -> list[list[int]]:
        """The prompt as token segments; the first opens with the model's own opening tokens."""
        return list(map(list, self.paths([contexts], [question])[0]))

    def paths(self, contexts: Sequence[Sequence[str]], questions: Sequence[str]) -> list[list[tuple[int, ...]]]:
        """The segments of many prompts; one that several share is tokenised and held once."""

        @cache
        def ids(segment: str, opens: bool) -> tuple[int, ...]:
            return tuple(self.first_ids(segment) if opens else self.ids(segment))

        prompts = [self.renderer.segments(*pair) for pair in zip(contexts, questions, strict=True)]
        return [[ids(segment, k == 0) for k, segment in enumerate(segments)] for segments in prompts]

    def prompt(self, contexts: Sequence[str], question: str) -> str:
        """The prompt as text."""
        return "".join(self.renderer.segments(contexts, question))
