"""The language model itself: weights, tokenizer, prompt, logits; it reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from membench.errors import MembenchError
from membench.model.meter import Meter
from membench.model.prompt import Renderer
from membench.model.refused_checkpoints import refuse_published

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class LanguageModel:
    """A causal model with its tokenizer, prompt and meter. Every weight is frozen."""

    def __init__(self, model: Any, tokenizer: Any, name: str, style: str):
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.name = name
        self.renderer = Renderer(style, tokenizer)
        self.meter = Meter()
        self.bos = tuple(tokenizer("").input_ids)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        dtype: str = "auto",
        device: str = "cpu",
        style: str = "plain",
        offline: bool = False,
        trust_remote_code: bool = False,
    ) -> Self:
        """Load from a local folder or a hub id. `auto` is float32 on a CPU and bfloat16 elsewhere.

        Raises MembenchError when the folder or the hub id holds no causal language model.
        """
        if dtype == "auto":
            dtype = "float32" if device == "cpu" else "bfloat16"
        if dtype not in DTYPES:
            raise MembenchError(f"unknown dtype {dtype!r}: choose from auto, {', '.join(DTYPES)}")
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        options = {"local_files_only": offline, "trust_remote_code": trust_remote_code}
        try:
            config = AutoConfig.from_pretrained(path, **options)
            refuse_published("model", name or str(path), (config.model_type, *(config.architectures or ())))
            tokenizer = AutoTokenizer.from_pretrained(path, **options)
            model: nn.Module = AutoModelForCausalLM.from_pretrained(path, dtype=DTYPES[dtype], **options)
            model = model.to(torch.device(device))
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise MembenchError(f"cannot load model {name or path}: {reason}") from error
        return cls(model, tokenizer, name or str(path), style)

    @property
    def window(self) -> int:
        """The longest input in tokens that the model's positions allow."""
        return int(self.model.config.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device  # type: ignore[no-any-return]

    def ids(self, text: str) -> list[int]:
        """Tokens of a text, without the tokens that open a sequence."""
        return self.tokenizer(text, add_special_tokens=False).input_ids  # type: ignore[no-any-return]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens, special tokens left out."""
        return self.tokenizer.decode(ids, skip_special_tokens=True)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary logits [..., vocabulary] in float32 of final hidden states [..., width].

        Exact, as no method changes the output head.
        """
        logits = nn.functional.linear(hidden, self.model.get_output_embeddings().weight).float()
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return torch.tanh(logits / cap) * cap if cap else logits

    def segment_ids(self, contexts: Sequence[str], question: str) -> list[list[int]]:
        """The prompt as token segments; the first opens with the model's own opening tokens."""
        return list(map(list, self.paths([contexts], [question])[0]))

    def paths(self, contexts: Sequence[Sequence[str]], questions: Sequence[str]) -> list[list[tuple[int, ...]]]:
        """The segments of many prompts; one that several share is tokenised and held once."""

        @cache
        def ids(segment: str, opens: bool) -> tuple[int, ...]:
            return (*(self.bos if opens else ()), *self.ids(segment))

        prompts = [self.renderer.segments(*pair) for pair in zip(contexts, questions, strict=True)]
        return [[ids(segment, k == 0) for k, segment in enumerate(segments)] for segments in prompts]

    def prompt(self, contexts: Sequence[str], question: str) -> str:
        """The prompt as text."""
        return "".join(self.renderer.segments(contexts, question))
