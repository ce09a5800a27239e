"""The command line, thin: every command is a call of the package and a table of what it returned."""

from __future__ import annotations

import click

from membench.cli.decide.advise import advise
from membench.cli.decide.compare import compare
from membench.cli.keep.completion import completion
from membench.cli.keep.export import export
from membench.cli.keep.import_results import import_results
from membench.cli.keep.merge import merge
from membench.cli.keep.migrate import migrate
from membench.cli.keep.score import score
from membench.cli.keep.verify import verify
from membench.cli.look.leaderboard import leaderboard
from membench.cli.look.report import report
from membench.cli.look.show import show
from membench.cli.play.check import check
from membench.cli.play.questions import questions
from membench.cli.play.run import run
from membench.cli.play.train_memory import train_memory
from membench.cli.shared.manners import common
from membench.cli.shared.shell import Shell
from membench.cli.start.demo import demo
from membench.cli.start.doctor import doctor
from membench.cli.start.ls import list_
from membench.cli.start.status import status

OPENING = """\
Which memory should a language model have? To start:

  membench demo                     # three memories, one table: two minutes
  membench run -m bm25,selfparam -t single --data folder:DIR  # your documents
  membench leaderboard              # what they remember, and at what cost

"""


@click.group(
    cls=Shell,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
        "max_content_width": 110,
    },
)
@click.version_option(package_name="membench")
@common
@click.pass_context
def main(ctx: click.Context, /) -> None:
    """Which memory should a language model have?

    Methods, tasks and tables through one interface.
    """
    if ctx.invoked_subcommand is None:
        width = max(map(len, main.shelves))
        click.echo(OPENING, nl=False)
        for title, commands in main.shelves.items():
            click.echo(f"{title:{width}}  {' · '.join(str(command.name) for command in commands)}")
        click.echo("\nmembench --help has a line on each, membench COMMAND --help all of one.")


main.put("Start", demo, doctor, status, list_)
main.put("Play", run, check, questions, train_memory)
main.put("Look", leaderboard, show, report)
main.put("Decide", advise, compare)
main.put("Keep", verify, score, export, import_results, merge, migrate, completion)
