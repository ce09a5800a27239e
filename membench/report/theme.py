"""The colours of page and figures, light and dark; figures are drawn in the light ones and follow the page's theme."""

from __future__ import annotations

from collections.abc import Mapping

THEME: Mapping[str, tuple[str, str]] = {  # name of the CSS variable -> (light, dark)
    "paper": ("#fdfdfc", "#14171b"),
    "panel": ("#f4f5f4", "#1b1f24"),
    "ink": ("#1c2126", "#e4e7ea"),
    "soft": ("#59636d", "#a0a9b2"),
    "rule": ("#d4d8db", "#363d45"),
    "accent": ("#1a5c96", "#7cb7ee"),
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
