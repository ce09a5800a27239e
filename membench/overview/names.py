"""How a line is called: in one of several lengths, of which a table takes the longest that fits."""

from __future__ import annotations

from membench.overview.lines import Line
from membench.tables.formatting import marked_name
from membench.text.visible import visible

OTHER = "‡"  # beside a name: what it leaves out stands in --settings
FORMS = ("label", "title", "method")  # the longest first


def name(line: Line, form: str) -> str:
    """Whose line it is, in one of FORMS; OTHER stands behind one that leaves out settings or what it calls itself."""
    entry = line.first
    if form == "label" and not line.mixed:
        return entry.label
    title = entry.title or entry.method
    short = marked_name(entry.method if form == "method" else title, entry)
    hides = line.mixed or entry.settings or (form == "method" and title != entry.method)
    return visible(f"{short} {OTHER}" if hides else short)
