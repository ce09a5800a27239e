"""Text with styles for a terminal, made in memory."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def styled(width: int) -> tuple[Console, io.StringIO]:
    """A console of this width, and what it writes into.

    The text has its styles whatever the environment says of colours: who shows it takes them out where they are not
    wanted, as `click.echo` does.
    """
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=True, color_system="standard", no_color=False, highlight=False
    )
    return console, out
