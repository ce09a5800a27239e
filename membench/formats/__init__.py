"""Grids of text cells for a terminal, for markdown and for LaTeX, and rows for other programs."""

FORMATS = ("rich", "md", "csv", "json", "latex")  # in which a table is printed
