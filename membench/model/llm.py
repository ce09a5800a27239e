"""The model that is lent to every method: it answers under what a memory recalls, and comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from membench.errors import MembenchError
from membench.model.decode_scope import in_turn, lent_tree, read_without_adapter
from membench.model.decoding import Completion, Reading, complete, read
from membench.model.followed import Written
from membench.model.language_model import LanguageModel
from membench.model.likelihood import Reference
from membench.prompts.answer_form import MAX_NEW_TOKENS, AnswerForm
from membench.reading.prefix_cache import PrefixCache
from membench.reading.slow_tree import SlowTree
from membench.reading.token_tree import Tree
from membench.values import Adapter, Recall


class LLM(AnswerForm, LanguageModel):
    """A language model that answers questions in a task's form.

    `wearing` and the training loop change weights only inside a `with` block.
    """

    is_here = True
    ahead = 0

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        name: str,
        style: str,
        max_new_tokens: int = MAX_NEW_TOKENS,
        checkpoint: str = "",
    ):
        super().__init__(model, tokenizer, name, style, checkpoint)
        self.max_new_tokens = max_new_tokens
        self.first_segment = PrefixCache()
        self._pristine: dict[str, Tensor] = {}  # of modules that adapters lie on
        self._factors: tuple[Adapter | None, dict[str, tuple[Tensor, Tensor]]] = (None, {})  # of the last one worn

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
        form = self.max_new_tokens, self.stop
        out: dict[int, Reading] = {}
        parts = list(in_turn(self, recall, questions))
        written = self.written(recall, questions)
        for places, part in parts:
            mine = [questions[i] for i in places]
            contexts = part.contexts or tuple(() for _ in mine)
            scored = [candidates[i] for i in places] if candidates else None
            compared = [references[i] for i in places] if references else None
            given = [written[i] for i in places] if written else None
            tree = self.tree(part)
            if read_without_adapter(part):
                tree = lent_tree(self, tree, self.first_segment, part, mine)
            with self.wearing(part.adapter):
                found = read(self, self.first_segment, tree, form, contexts, mine, scored, compared, given)
            out |= zip(places, found, strict=True)
        return [out[i] for i in range(len(questions))]

    def written(self, recall: Recall, questions: Sequence[str]) -> Sequence[Written] | None:
        """The answers where something else decodes them; None, as here, where the reader does."""
        return None

    def tree(self, recall: Recall) -> Tree:
        """An empty tree that reads with what a recall brings of keys and values, by its rule."""
        if self.slow:
            if recall.lookup or recall.prefix:
                raise MembenchError(
                    f"{self.name} is read by its own forward pass, which takes texts and adapters alone"
                )
            return SlowTree(self.model)
        return recall.lookup.tree(self.model) if recall.lookup else Tree(self.model, prefix=recall.prefix)

    @property
    def parameters(self) -> int:
        """How many parameters the model has."""
        return int(self.model.num_parameters())

    @torch.no_grad()
    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        """Continue raw prompts greedily until `stop` appears; for writers and summarisers, not for answers."""
        return complete(self, prompts, max_new_tokens, stop)

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
            if self.device.type != "cpu":  # where a copy costs next to nothing, and its room much
                self._pristine.clear()

    @contextmanager
    def bare_of(self, worn: Adapter | None) -> Iterator[None]:
        """Within `wearing(worn)`: the model without it, for a while."""
        modules = {name: self.model.get_submodule(name) for layer in (worn.layers if worn else ()) for name in layer}
        with torch.no_grad():
            merged = {name: module.weight.detach().clone() for name, module in modules.items()}
            for name, module in modules.items():
                module.weight.copy_(self._pristine[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, module in modules.items():
                    module.weight.copy_(merged[name])

    @torch.no_grad()
    def _merge(self, adapter: Adapter, names: Sequence[str]) -> None:
        for name in names:
            module = self.model.get_submodule(name)
            weight = module.weight
            self._pristine.setdefault(name, weight.detach().clone())
            up, down = self._merged(adapter, name, weight.device)
            rows = weight.T if isinstance(module, Conv1D) else weight  # GPT-2's weights are [in, out]
            rows.copy_(rows.float().addmm_(up, down, alpha=adapter.scale).to(weight.dtype))

    def _merged(self, adapter: Adapter, name: str, device: torch.device) -> tuple[Tensor, Tensor]:
        """The factors of all its layers for a module, [out, ranks] and [ranks, in], on the module's device.

        On an accelerator those of the adapter that was worn last stay there.
        """
        if self._factors[0] is not adapter:
            self._factors = adapter, {}
        known = self._factors[1]
        if name in known:
            return known[name]
        parts = [layer[name] for layer in adapter.layers if name in layer]
        up = torch.cat([part["B"] for part in parts], dim=1).to(device)
        down = torch.cat([part["A"] for part in parts], dim=0).to(device)
        if device.type != "cpu":
            known[name] = up, down
        return up, down
