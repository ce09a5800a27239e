"""The options of `membench run`, in panels: what is played, on which model, set how, where, and how it goes."""

from __future__ import annotations

import click

from membench.checkpoints.dtypes import AUTO, DTYPES
from membench.cli.play.crew import crew_options
from membench.cli.shared import completion
from membench.cli.shared.folders import output_option
from membench.cli.shared.judging import JUDGE_HELP
from membench.cli.shared.options import PathType, listed, listed_data, whole_numbers
from membench.cli.shared.panels import in_panel, together
from membench.engines.choice import ENGINES, OWN
from membench.prompts.prompt import STYLES

DEFAULT_MODEL = "smollm2-135m"
COUNT = click.IntRange(min=1)

_what, _model, _settings, _where, _how = map(in_panel, ("What", "Model", "Settings", "Where", "How"))

run_options = together(
    _what(
        "-m", "--method", "methods", metavar="NAMES", multiple=True, callback=listed, help="Methods to play: A,B.",
        shell_complete=completion.plugins("methods"),
    ),
    _what(
        "-t", "--task", "tasks", metavar="NAMES", multiple=True, callback=listed, help="Tasks to play them on.",
        shell_complete=completion.plugins("tasks"),
    ),
    _what(
        "--data", metavar="NAMES", multiple=True, default=("worlds",), show_default=True, callback=listed_data,
        help="Data to play on: NAME or NAME:ARGUMENT.", shell_complete=completion.plugins("data"),
    ),
    _what("--seeds", metavar="LIST", default="0", show_default=True, callback=whole_numbers, help="E.g. 0,1,2."),
    _what("-L", "--limit", metavar="N", type=COUNT, help="Contexts to write; by default what the task says."),
    _what("--yardsticks/--no-yardsticks", default=True, show_default=True, help="Also play floor and reference."),
    _what(
        "-C", "--config", "file", metavar="FILE", type=PathType(), help="Options from a YAML file; flags win over it."
    ),
    _model(
        "--model", default=DEFAULT_MODEL, show_default=True, help="Alias, folder, hub id or openai:NAME.",
        shell_complete=completion.models,
    ),
    _model(
        "--dtype", type=click.Choice([AUTO, *DTYPES]), default="auto", show_default=True,
        help="Of the weights; auto is float32 on a CPU and bfloat16 elsewhere.",
    ),
    _model(
        "--engine", type=click.Choice(ENGINES), default=OWN, show_default=True,
        help="What decodes answers: the own reader, or vLLM beside it.",
    ),
    _model("--style", type=click.Choice(STYLES), help="Of the prompt; by default what suits the model."),
    _model("--trust-remote-code", is_flag=True, help="Run code that comes with a model or an encoder."),
    _model("--base-url", metavar="URL", help="OpenAI-compatible endpoint of --model openai:NAME and of writers."),
    _model("--concurrency", metavar="N", type=COUNT, help="Requests at once to the endpoint (8)."),
    _model("--max-tokens-total", metavar="N", type=COUNT, help="Stop before the endpoint took more tokens."),
    _model("--price-in", metavar="X", type=float, help="Price of a million tokens that the endpoint reads."),
    _model("--price-out", metavar="X", type=float, help="Price of a million tokens that it generates."),
    _model("--window", metavar="N", type=COUNT, help="Tokens of the endpoint's window, if it does not tell."),
    _settings(
        "-M", "--method-setting", "method_settings", multiple=True, metavar="[METHOD.]KEY=VALUE",
        help="A setting of every method that has it.",
    ),
    _settings(
        "-T", "--task-setting", "task_settings", multiple=True, metavar="[TASK.]KEY=VALUE",
        help="A setting of every task that has it.",
    ),
    output_option,
    _where(
        "--device", metavar="NAME", default="auto", show_default=True,
        help="Where the model stands: cpu, cuda, cuda:1, mps; auto takes CUDA, then MPS, then the CPU.",
    ),
    crew_options,
    _how("--dry-run", is_flag=True, help="Show cells, downloads, estimated time and memory, and stop."),
    _how("--overwrite", is_flag=True, help="Play cells again that are done."),
    _how("--offline", is_flag=True, help="Refuse the network; say which command fetches what is missing."),
    _how("--judge", metavar="openai:NAME", help=JUDGE_HELP),
    _how("--json", "as_json", is_flag=True, help="Print the rows as JSON."),
)  # fmt: skip
