"""The report: one HTML page that holds all it shows, or its figures as files. matplotlib loads on use."""

from membench.report.page import write_figures, write_page

__all__ = ["write_figures", "write_page"]
