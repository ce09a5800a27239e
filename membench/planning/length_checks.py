"""What the model's window and the length of an answer leave room for, by its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from membench.errors import MembenchError
from membench.planning.plan import PlannedCell
from membench.values import Context

LONG = 8  # characters a token, more than texts have: so much of a long text is read first


def check_window(cells: Sequence[PlannedCell], llm: Any) -> None:
    """Refuse contexts that do not fit the model's window with their prompt, before anything is played.

    Of a text that is far too long only the beginning is turned into tokens.
    """
    seen: set[str] = set()
    for cell in cells:
        for context in (*cell.data.contexts, *cell.data.held_out):
            if context.text in seen or not context.questions:
                continue
            seen.add(context.text)
            tokens, more = _tokens(context, llm)
            if tokens > llm.window:
                twice = ", where it stands twice (--style plain has it once)," if llm.renderer.times == 2 else ""
                raise MembenchError(
                    f"context {context.id!r} of {cell.data.name} takes {more}{tokens} tokens with its prompt{twice} "
                    f"and the window of {llm.name} is {llm.window}: split it, or take a model with a longer window"
                )


def _tokens(context: Context, llm: Any) -> tuple[int, str]:
    """The tokens of a context with its prompt and its longest question; of one that is far too long, so many at least,
    and a word that says so.
    """
    for text in (context.text, *(question.text for question in context.questions)):
        start = text[: LONG * llm.window]
        if len(text) > len(start) and (tokens := len(llm.ids(start))) > llm.window:
            return tokens, "more than "
    longest = _longest([question.text for question in context.questions], llm)
    return sum(map(len, llm.segment_ids([context.text], longest))) + llm.max_new_tokens, ""


def _longest(texts: Sequence[str], llm: Any) -> str:
    """The text with the most tokens. A token is a byte at least, so that few have to be counted."""
    best, most = texts[0], -1
    for size, text in sorted(((len(text.encode()), text) for text in texts), reverse=True):
        if size + 2 <= most:  # a space in front and what opens a text may be tokens of their own
            break
        if (tokens := len(llm.ids(text))) > most:
            best, most = text, tokens
    return best


def cut_answers(cells: Sequence[PlannedCell], llm: Any) -> list[str]:
    """A line for each data set with questions whose every accepted answer takes more tokens than an answer may have.

    The limit stays what it is for all data, so that tables compare; the line says what it costs.
    """
    lines: dict[str, str] = {}
    for cell in cells:
        limit = (cell.task.form or (llm.max_new_tokens, ""))[0]
        questions = [q for context in cell.data.contexts for q in context.questions]
        long = sum(min(_tokens_of(answer, limit, llm) for answer in q.answers) > limit for q in questions)
        if long:
            lines[cell.data.name] = (
                f"{cell.data.name}: {long} of {len(questions)} questions have no accepted answer of {limit} tokens or "
                "fewer, which is all that an answer may have: they cannot be answered in full"
            )
    return list(lines.values())


def _tokens_of(answer: str, limit: int, llm: Any) -> int:
    """The tokens of an answer, or of as much of its beginning as shows that they are more than the limit."""
    start = answer[: 4 * LONG * limit]
    tokens = len(llm.ids(f" {start}"))
    return tokens if tokens > limit or start == answer else len(llm.ids(f" {answer}"))
