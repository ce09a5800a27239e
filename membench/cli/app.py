"""The command line, thin: every command is a call of the package and a table of what it returned."""

from __future__ import annotations

import click

from membench.cli.shared.manners import common
from membench.cli.shared.shell import Shell, Shelved

# A line of help stands here and not in the command's module, so that `membench --help` need not import them all.
SHELVES = {
    "Start": [
        Shelved("demo", "start.demo:demo", "Play three memories on documents that come with membench."),
        Shelved("doctor", "start.doctor:doctor", "Versions, devices, caches, and how to get what is missing."),
        Shelved("status", "start.status:status", "Show how far the runs in FOLDER are, and the time left."),
        Shelved("ls", "start.ls:list_", "List methods, tasks, data, models or stored runs."),
    ],
    "Play": [
        Shelved("run", "play.run:run", "Play what is missing and print its tables."),
        Shelved("check", "play.check:check", "Play METHOD against the contract on a tiny model."),
        Shelved("questions", "play.questions:questions", "Write test questions about the documents in DIR."),
        Shelved(
            "train-memory", "play.train_memory:train_memory", "Train the parts that `memoryllm` needs beside its model."
        ),
    ],
    "Look": [
        Shelved("leaderboard", "look.leaderboard:leaderboard", "Print tables of the cells stored in FOLDERS."),
        Shelved("show", "look.show:show", "Show one cell: settings, costs, targets, answers."),
        Shelved("report", "look.report:report", "Write a page of what the cells stored in FOLDERS show."),
    ],
    "Decide": [
        Shelved("advise", "decide.advise:advise", "Say which measured memory fits a need, and why."),
        Shelved("compare", "decide.compare:compare", "Compare two methods question by question."),
    ],
    "Keep": [
        Shelved("verify", "keep.verify:verify", "Recompute every stored number from its records."),
        Shelved("score", "keep.score:score", "Score stored answers anew, without a model."),
        Shelved("export", "keep.export:export", "Write all that is stored to FILE, for other tools."),
        Shelved("import", "keep.import_results:import_results", "Bring results of another harness into a folder."),
        Shelved("merge", "keep.merge:merge", "Copy the cells stored in FOLDERS into one folder."),
        Shelved("migrate", "keep.migrate:migrate", "Give cells of earlier versions what their recipes lack."),
        Shelved("completion", "keep.completion:completion", "Print what lets SHELL complete commands and names."),
    ],
}

OPENING = """\
Which memory should a language model have? To start:

  membench demo                     # three memories, one table: two minutes
  membench run -m bm25,full-context -t batch --data folder:DIR  # your documents
  membench leaderboard              # what they remember, and at what cost

"""


@click.group(
    cls=Shell,
    shelves=SHELVES,
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
            click.echo(f"{title:{width}}  {' · '.join(command.name for command in commands)}")
        click.echo("\nmembench --help has a line on each, membench COMMAND --help all of one.")
