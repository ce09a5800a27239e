"""Figures by matplotlib: one drawing becomes text inside a page, or a file for a paper."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membench.formats.markdown import Grid
from membench.tables.formatting import NOTHING
from membench.text.visible import visible_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

from collections.abc import Mapping

WIDTH = 460  # of a figure, in CSS pixels


SHOWN = 12  # entries that a figure shows at most, beside floor and reference; the best ones


_PIXELS = 96  # an inch has in CSS


_MARGIN = 12  # above the axes and to their right


_LINE, _GAP = 13, 5  # of a legend: height of a line, and between labels


_DATED = {"svg": ("Date", "Creator"), "pdf": ("CreationDate", "Creator", "Producer")}


@dataclass(frozen=True)
class Plot:
    """A figure with all that stands in for it: `caption` says what is drawn, `grid` has its numbers."""

    kind: str
    title: str
    caption: str
    grid: Grid
    figure: Figure
    small: bool = False  # one of many of its kind


def line_style(index: int) -> dict[str, Any]:
    """Colour, marker and line of a series: never the colour alone."""
    return {
        "color": SERIES[index % len(SERIES)], "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index % len(LINES)],
    }  # fmt: skip


def folded(label: str) -> str:
    """A label in lines that leave room for the data; what no three lines hold is cut."""
    return textwrap.fill(label, 30, max_lines=3, placeholder=" …")


def number(value: float | None) -> str:
    """As it stands in a table of a figure's numbers."""
    return NOTHING if value is None else f"{value:z.3f}" if abs(value) < 1000 else f"{value:.4g}"


def axes(width: float, height: float, left: float, bottom: float) -> tuple[Figure, Axes]:
    """One pair of axes; all sizes are CSS pixels, `left` and `bottom` the room for labels.

    Placed by hand: matplotlib's own layouts draw every text three times, and a page has many figures.
    """
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(width / _PIXELS, height / _PIXELS))
        place = (left / width, bottom / height, 1 - (left + _MARGIN) / width, 1 - (bottom + _MARGIN) / height)
        return figure, figure.add_axes(place)


def axes_over_legend(labels: Sequence[str]) -> tuple[Figure, Axes]:
    """Axes with room for `add_legend` of these labels."""
    lines = [_LINE * len(label.split("\n")) + _GAP for label in labels]
    half = -(-len(lines) // 2)
    legend = max(sum(lines[:half]), sum(lines[half:])) + _GAP
    return axes(WIDTH, 270 + legend, left=62, bottom=46 + legend)


def add_legend(figure: Figure) -> None:
    """The legend in two columns, below the axes."""
    figure.legend(loc="lower left", ncols=2, borderaxespad=0.2)


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib in the page's style; labels are never read as formulas."""
    import matplotlib

    style = {
        "font.size": 9.0, "font.family": "DejaVu Sans", "text.parse_math": False, "text.color": light("ink"),
        "axes.edgecolor": light("rule"), "axes.labelcolor": light("soft"), "axes.linewidth": 0.8,
        "axes.spines.top": False, "axes.spines.right": False, "xtick.color": light("soft"),
        "ytick.color": light("soft"), "grid.color": light("rule"), "grid.linewidth": 0.6, "axes.grid": False,
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
        "svg.fonttype": "none", "svg.hashsalt": "membench", "lines.linewidth": 1.5, "lines.markersize": 4.5,
        "legend.frameon": False, "legend.fontsize": 8.5, "axes.unicode_minus": True,
    }  # fmt: skip
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # The page's text is drawn in the reader's fonts; only the width of such a letter is then a guess.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def file_bytes(plot: Plot, form: str) -> bytes:
    """The figure as a file for a paper: pdf, svg, or png with 300 dots an inch; pdf and png on white."""
    return _saved(plot.figure, form)


def _clean(figure: Figure) -> None:
    """Take what no file may hold (control characters) out of all texts of a figure; their lines stay."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_text(visible_lines(text.get_text()))


def _saved(figure: Figure, form: str) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {} if form == "svg" else {"facecolor": "white"}
    if form in _DATED:
        options["metadata"] = dict.fromkeys(_DATED[form])  # the same figure is the same bytes
    with styled():
        _clean(figure)
        figure.savefig(out, format=form, dpi=300 if form == "png" else "figure", **options)
    return out.getvalue()


THEME: Mapping[str, tuple[str, str]] = {  # name of the CSS variable -> (light, dark)
    "paper": ("#fdfdfc", "#14171b"),
    "panel": ("#f4f5f4", "#1b1f24"),
    "ink": ("#1c2126", "#e4e7ea"),
    "soft": ("#59636d", "#a0a9b2"),
    "rule": ("#d4d8db", "#363d45"),
    "accent": ("#1a5c96", "#7cb7ee"),
    "bar": ("#cfe0f0", "#26425c"),
    "harm": ("#f3d9c8", "#5a3420"),
    "heat-ink": ("#3d86c6", "#3d86c6"),
    "s0": ("#1b609c", "#7ab5ed"),
    "s1": ("#b5521b", "#ee9a63"),
    "s2": ("#2b7a4b", "#6cc48f"),
    "s3": ("#9c3f79", "#e08bc0"),
    "s4": ("#6b5bb0", "#b0a3ec"),
    "s5": ("#7a6a10", "#d0bd55"),
}


SERIES = tuple(light for name, (light, _) in THEME.items() if name[0] == "s" and name[1:].isdigit())


HEAT = "#3d86c6"  # of maps: a tone between the themes, as a picture cannot follow them


MARKERS = "osD^vPX"  # as many as share no factor with the colours, so that a pair of both returns late


LINES = ("-", "--", "-.", (0, (1, 1.2)), (0, (4, 1, 1, 1, 1, 1)))


def light(name: str) -> str:
    """A colour of the light theme."""
    return THEME[name][0]


def variables(dark: bool) -> str:
    """The theme as CSS declarations."""
    return " ".join(f"--{name}: {colours[dark]};" for name, colours in THEME.items())
