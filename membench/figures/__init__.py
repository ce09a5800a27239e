"""The figures of stored cells as files for a paper: pdf, svg, png. matplotlib loads on use."""

from membench.figures.files import write_figures

__all__ = ["write_figures"]
