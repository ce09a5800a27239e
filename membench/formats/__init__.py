"""Grids of text cells for a terminal, for markdown and for LaTeX, and rows for other programs."""
