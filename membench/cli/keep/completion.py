"""The command that makes a shell complete what is typed."""

from __future__ import annotations

import click

from membench.cli.shared.manners import common
from membench.cli.shared.panels import command


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print what lets SHELL complete commands and names.

    Names of methods, tasks, data, models and stored cells. In bash: eval "$(membench completion bash)", in zsh the
    same with zsh, in fish: membench completion fish | source; the file that the shell reads when it starts is the place
    for it.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found, "click knows all three"
    click.echo(found(ctx.find_root().command, {}, "membench", "_MEMBENCH_COMPLETE").source())
