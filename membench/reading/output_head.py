"""From final hidden states to logits, exactly as the model's own forward does it: its head, its scale, its cap."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor

_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 3e-2, torch.float16: 1e-2}  # of the largest logit


class OutputHead:
    """The model's own head module, with what its forward does behind it.

    Granite divides the logits, Cohere and Falcon-H1 multiply them, MiniCPM scales the states before: for a head without
    a bias each is one factor, `scale`.
    """

    def __init__(self, model: Any, scale: float = 1.0):
        config = model.config.get_text_config()
        self._head = model.get_output_embeddings()
        self._cap = getattr(config, "final_logit_softcapping", None) or getattr(config, "logits_soft_cap", None)
        self.scale = scale

    @classmethod
    def tried(cls, model: Any, hidden: Tensor, own: Tensor) -> Self:
        """The head with the scale that a trial finds: final states [tokens, width], and the model's own logits of them.

        Raises ValueError where these logits are not those of the head, up to a factor and a soft cap.
        """
        plain = cls(model)
        mine = plain(hidden)
        close = tolerance(model) * own.abs().max().item()
        if (mine - own).abs().max().item() <= close:
            return plain
        factor = (own * mine).sum().item() / max((mine * mine).sum().item(), 1e-30)
        if plain._cap or (factor * mine - own).abs().max().item() > close:
            raise ValueError("its logits are not those of its output head")
        return cls(model, _stated(model.config.get_text_config(), factor))

    def __call__(self, hidden: Tensor) -> Tensor:
        """Vocabulary logits [..., vocabulary] in float32 of final hidden states [..., width]."""
        logits: Tensor = self._head(hidden).float()
        if self.scale != 1.0:
            logits = logits * self.scale
        return torch.tanh(logits / self._cap) * self._cap if self._cap else logits


def tolerance(model: Any) -> float:
    """By how much of the largest logit two right ways to read a model may differ, in its precision."""
    return _TOLERANCE.get(model.dtype, 3e-2)


def _stated(config: Any, factor: float) -> float:
    """The factor as the configuration states it, where it does: free of the trial's rounding."""
    stated = [getattr(config, "logit_scale", None), getattr(config, "lm_head_multiplier", None)]
    stated += [1 / divisor for divisor in (getattr(config, "logits_scaling", None),) if divisor]
    base = getattr(config, "dim_model_base", None)
    stated += [base / config.hidden_size] if base else []
    near = [float(value) for value in stated if value and abs(value / factor - 1) < 0.02]
    return near[0] if near else factor
