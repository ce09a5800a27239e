"""The judge that an option names, and how often it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from membench.talks.judge import Judge

JUDGE_HELP = "A model at --base-url that judges answers of `conversation`, in columns of its own."


@contextmanager
def judging(typed: str | None, base_url: str | None) -> Iterator[Judge | None]:
    """The judge that was named, with its replies kept in the user's cache; None without one.

    Says at the end how often it was asked. Raises MembenchError for a name or a URL that is none.
    """
    if typed is None:
        yield None
        return
    from membench.io import weights
    from membench.served.kept_answers import KeptAnswers
    from membench.talks.judge import judge_of

    judge = judge_of(typed, base_url, KeptAnswers(weights.home() / "answers"))
    yield judge
    unread = f"; {judge.unread} verdicts are missing, where a reply was neither yes nor no" if judge.unread else ""
    click.echo(f"judge {judge.model}: asked {judge.asked} times, other replies were kept{unread}", err=True)
