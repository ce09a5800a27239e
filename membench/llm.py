"""The language model that is lent to every method: loaded once, read through one prompt, given back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from membench.errors import MembenchError
from membench.kept import Kept
from membench.meter import Meter
from membench.prompt import Renderer
from membench.published_pools import refuse_published
from membench.reading import Completion, Reading, Reference, complete, read
from membench.tree import Tree

if TYPE_CHECKING:
    from membench.api import Adapter, Recall

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MAX_NEW_TOKENS = 16


class LLM:
    """A causal model with its tokenizer, prompt and meter.

    Every weight is frozen. `wearing` and the training loop change weights only inside a `with` block.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, style: str, max_new_tokens: int = MAX_NEW_TOKENS):
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.name = name
        self.renderer = Renderer(style, tokenizer)
        self.meter = Meter()
        self.max_new_tokens = max_new_tokens
        self.stop = "\n"
        self.bos = tuple(tokenizer("").input_ids)
        self.kept = Kept()
        self._pristine: dict[str, Tensor] = {}

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
    ) -> LLM:
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

    @torch.no_grad()
    def answer(
        self,
        recall: Recall,
        questions: Sequence[str],
        candidates: Sequence[Sequence[str]] | None = None,
        references: Sequence[Reference | None] | None = None,
    ) -> list[Reading]:
        """Read and answer questions under a recall, greedily, to the end of a line or of the task's form.

        `candidates` are answers whose likelihood is wanted; `references` are what the in-context reference answered,
        for the divergence from it.
        """
        contexts = recall.contexts or tuple(() for _ in questions)
        with self.wearing(recall.adapter):
            return read(self, contexts, questions, candidates, references, self.tree(recall))

    def tree(self, recall: Recall) -> Tree:
        """An empty tree that reads with what a recall brings of keys and values, by its rule."""
        return recall.lookup.tree(self.model) if recall.lookup else Tree(self.model, prefix=recall.prefix)

    @torch.no_grad()
    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        """Continue raw prompts greedily until `stop` appears; for writers and summarisers, not for answers."""
        return complete(self, prompts, max_new_tokens, stop)

    @contextmanager
    def answering(self, form: tuple[int, str] | None) -> Iterator[None]:
        """The model with a task's form of answers, (max_new_tokens, stop); None leaves its own."""
        own = self.max_new_tokens, self.stop
        self.max_new_tokens, self.stop = form or own
        try:
            yield
        finally:
            self.max_new_tokens, self.stop = own

    @contextmanager
    def wearing(self, adapter: Adapter | None) -> Iterator[None]:
        """The model with an adapter merged into its weights; afterwards the weights are bit for bit what they were."""
        if adapter is None:
            yield
            return
        names = sorted({name for layer in adapter.layers for name in layer})
        try:
            self._merge(adapter, names)
            yield
        finally:
            with torch.no_grad():
                for name in names:
                    if name in self._pristine:
                        self.model.get_submodule(name).weight.copy_(self._pristine[name])

    @torch.no_grad()
    def _merge(self, adapter: Adapter, names: Sequence[str]) -> None:
        for name in names:
            weight = self.model.get_submodule(name).weight
            self._pristine.setdefault(name, weight.detach().clone())
            parts = [layer[name] for layer in adapter.layers if name in layer]
            up = torch.cat([part["B"] for part in parts], dim=1).to(self.device)
            down = torch.cat([part["A"] for part in parts], dim=0).to(self.device)
            weight.copy_((weight.float().addmm_(up, down, alpha=adapter.scale)).to(weight.dtype))
