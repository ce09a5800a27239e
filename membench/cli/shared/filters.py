"""Which tables a decision looks at."""

from __future__ import annotations

from membench.cli.shared import completion
from membench.cli.shared.options import listed, listed_data
from membench.cli.shared.panels import in_panel, together

_which = in_panel("Which tables")

task_option = _which(
    "-t", "--task", metavar="NAMES", multiple=True, callback=listed, help="Only these tasks.",
    shell_complete=completion.plugins("tasks"),
)  # fmt: skip
data_option = _which(
    "--data", metavar="NAMES", multiple=True, callback=listed_data, help="Only these data, with or without argument.",
    shell_complete=completion.plugins("data"),
)  # fmt: skip
model_option = _which(
    "--model", metavar="NAMES", multiple=True, callback=listed, help="Only these models.",
    shell_complete=completion.models,
)  # fmt: skip
filters = together(task_option, data_option, model_option)
