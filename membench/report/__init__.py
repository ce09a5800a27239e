"""The report: one HTML page that holds all it shows."""

from membench.report.page import write_page

__all__ = ["write_page"]
