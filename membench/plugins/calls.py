"""Calls of a plug-in's code before anything is played: whatever it raises is one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from membench.errors import MembenchError


@contextmanager
def calling(plug_in: str, what: str) -> Iterator[None]:
    """What a plug-in ("method bm25") raises within its `what` ("settings") is a MembenchError that says so.

    Its own MembenchErrors stay as they are; with --debug the traceback leads to its code.
    """
    try:
        yield
    except MembenchError:
        raise
    except (Exception, SystemExit) as error:  # code of somebody else runs here and may raise anything
        said = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise MembenchError(f"{plug_in}: its {what} failed with {reason} (--debug shows where)") from error
