"""The commands that a person types."""

from membench.cli.app import main

__all__ = ["main"]
