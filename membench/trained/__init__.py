"""Memories in the weights: LoRA adapters trained on target sentences (FT, SELF-PARAM)."""

from membench.trained.method import OnTargets, Trained

__all__ = ["OnTargets", "Trained"]
