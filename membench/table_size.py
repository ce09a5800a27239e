"""How much a table is about, as its title says it."""

from __future__ import annotations

from collections.abc import Iterable

from membench.entry import Entry


def size_of(entries: Iterable[Entry], contexts: int, questions: int) -> str:
    """Contexts written and questions asked.

    `contamination` asks each question before and after writing, and writes texts that disagree beside its contexts:
    those are no contexts that any fact is asked of.
    """
    facts = max((len(values) for entry in entries for values in entry.by_context("efficacy")), default=0)
    if not facts:
        return f"{contexts} contexts, {questions} questions"
    others = f", {contexts - facts} texts that disagree" if contexts > facts else ""
    return f"{facts} contexts{others}, {questions} answers before and after writing"
