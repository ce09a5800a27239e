"""Short tables as text: for a terminal of any width, as markdown, as LaTeX.

On a terminal a name is never folded and no letter is lost: the longest form of the names that fits is taken, and where
the shortest does not fit, columns are left out from the right and named below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from membench.formats.grid import grid_text, grid_width
from membench.formats.latex import latex_table
from membench.formats.markdown import escaped, markdown_grid
from membench.formats.styled import styled
from membench.overview.lines import Line, Overview
from membench.overview.measures import Measure
from membench.overview.names import FORMS, OTHER, name
from membench.statistics.intervals import FEWEST
from membench.tables.formatting import BESIDE, FEW, FEWEST_QUESTIONS, NARROW, NOTHING, whole_name
from membench.text.visible import visible

MORE = "more: -t TASK · --columns cost|quality|risk|all · --explain COLUMN · --settings"
_SPLIT = 8  # letters of a head of several words from which they stand below each other
_SAID: Mapping[str, str] = {
    "=": "= not told apart from {best}",
    "?": "? one seed: not ranked (--seeds 0,1,2)",
    OTHER: f"{OTHER} whole name and settings: --settings",
    FEW: f"{FEW} fewer than {FEWEST} texts or {FEWEST_QUESTIONS} questions",
    BESIDE: f"{BESIDE} timed while other cells were played",
}
Cells = tuple[list[str], list[list[str]]]  # the head, and a row a line


def short_text(made: Sequence[Overview], form: str, width: int, parts: bool = False) -> str:
    """The tables as rich, md or latex; `width` and `parts` count for rich alone.

    With `parts` columns that do not fit stand in another part below, and names may have their settings on lines of
    their own; else they are left out.
    """
    if form == "rich":
        texts = [_terminal(overview, width, parts, MORE if overview is made[-1] else "") for overview in made]
        return "\n".join(texts)
    blocks = [_latex(overview) if form == "latex" else _markdown(overview) for overview in made]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def cells(overview: Overview, form: str, shown: Sequence[Measure] | None = None) -> Cells:
    """The head and the lines as plain text, names in one of FORMS."""
    shown = overview.measures if shown is None else shown
    head = ["method", *(visible(measure.head) for measure in shown)]
    return head, [[name(line, form), *(_cell(line, measure) for measure in shown)] for line in overview.lines]


def below(overview: Overview, rows: Sequence[Sequence[str]]) -> list[str]:
    """What stands below a table: answers to what was asked for, the signs that are in it, why cells have no number."""
    text = " ".join(f"{cell} " for row in rows for cell in row)
    said = [_SAID[sign].format(best=overview.against or "the best") for sign in _SAID if f" {sign} " in text]
    signs = ["   ".join(said[k : k + 2]) for k in range(0, len(said), 2)]
    asked = dict.fromkeys(visible(remark) for table in overview.tables for remark in table.asked)
    reasons = dict.fromkeys(
        visible(f"{entry.label}, {table.recipe['task']}: {entry.status}: {entry.reason}")
        for table in overview.tables
        for entry in table.entries
        if entry.reason and entry.status != "done"
    )
    return [*asked, *signs, *reasons]


def _markdown(overview: Overview) -> str:
    head, rows = cells(overview, "label")
    above = [f"**{escaped(overview.title)}**", escaped(overview.caption()), markdown_grid([head, *rows])]
    return "\n\n".join([*above, *(escaped(note) for note in below(overview, rows))])


def _latex(overview: Overview) -> str:
    head, rows = cells(overview, "label")
    marks = [line.first.mark for line in overview.lines]
    ruled = [k for k in range(1, len(marks)) if bool(marks[k]) != bool(marks[k - 1])]
    return latex_table(overview.title, head, rows, ruled, [overview.caption(), *below(overview, rows)])


def _terminal(overview: Overview, width: int, parts: bool, more: str) -> str:
    from rich.text import Text

    form, shown = ("label", overview.measures) if parts else _fitting(overview, width)
    head, rows = cells(overview, form, shown)
    if parts:
        rows = [[whole_name(line.first, NARROW), *row[1:]] for line, row in zip(overview.lines, rows, strict=True)]
    styles = [_style(line) for line in overview.lines]
    left = overview.measures[len(shown) :]
    console, out = styled(width)
    console.print(Text(overview.title, style="bold"))
    console.print(Text(overview.caption(shown), style="dim"))
    out.write(grid_text([head[0], *_heads(shown, form)], rows, styles, width))
    console.print()
    if left:
        console.print(Text(f"too narrow for: {', '.join(measure.head for measure in left)}", style="dim"))
    for note in filter(None, (*below(overview, rows), more)):
        console.print(Text(note, style="dim"))
    return out.getvalue()


def _fitting(overview: Overview, width: int) -> tuple[str, Sequence[Measure]]:
    """The longest form of the names with which all columns fit; else the shortest, and the columns that fit then."""
    left = overview.measures
    for form in FORMS:
        if _width(overview, form, left) <= width:
            return form, left
    count = len(left)
    while count > 1 and _width(overview, FORMS[-1], left[:count]) > width:
        count -= 1
    return FORMS[-1], left[:count]


def _width(overview: Overview, form: str, shown: Sequence[Measure]) -> int:
    head, rows = cells(overview, form, shown)
    return grid_width([head[0], *_heads(shown, form)], rows)


def _heads(shown: Sequence[Measure], form: str) -> list[str]:
    """Long heads stand on several lines; beside the shortest names all of several words do."""
    long = _SPLIT if form != FORMS[-1] else 0
    heads = [(measure.narrow, visible(measure.head)) for measure in shown]
    return [narrow or head.replace(" ", "\n") if len(head) >= long else head for narrow, head in heads]


def _cell(line: Line, measure: Measure) -> str:
    entry = line.entries.get(measure.table)
    if entry is None:
        return NOTHING
    if entry.status != "done":
        return entry.status
    text = visible(measure.show(entry))
    return f"{text} {line.sign}" if measure.ranks and line.sign and text != NOTHING else text


def _style(line: Line) -> str:
    if any(entry.status == "failed" for entry in line.entries.values()):
        return "red"
    return "dim" if line.first.mark else ""
