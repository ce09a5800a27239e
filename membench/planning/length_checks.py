"""What the model's window and the length of an answer leave room for, by its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from membench.errors import MembenchError
from membench.planning.plan import PlannedCell
from membench.values import Context, Question

LONG = 8  # characters a token, more than texts have: so much of a long text is read first


class _Length(NamedTuple):
    """How many tokens a prompt takes, as it is said; whether they are too many, what makes it so long, and what to do
    about that.
    """

    tokens: str
    fits: bool
    what: str
    instead: str


def check_window(cells: Sequence[PlannedCell], llm: Any) -> None:
    """Refuse contexts, and questions, that do not fit the model's window with their prompt, before anything is played.

    Of a text that is far too long only the beginning is turned into tokens.
    """
    seen: set[tuple[str, ...]] = set()
    for cell in cells:
        for context in (*cell.data.contexts, *cell.data.held_out):
            key = context.text, *(question.text for question in context.questions)
            if key in seen or not context.questions:
                continue
            seen.add(key)
            found = _length(context, llm)
            if not found.fits:
                twice = ", where it stands twice (--style plain has it once)," if llm.renderer.times == 2 else ""
                raise MembenchError(
                    f"{found.what} of {cell.data.name} takes {found.tokens} tokens with its prompt{twice} and the "
                    f"window of {llm.name} is {llm.window}: {found.instead}, or take a model with a longer window"
                )


def _length(context: Context, llm: Any) -> _Length:
    """The length of a context with its prompt and its longest question; the longer of the two is what makes it so."""
    whole = f"context {context.id!r}", "split it"
    texts = [(context.text, whole), *((question.text, _named(question)) for question in context.questions)]
    for text, name in texts:
        start = text[: LONG * llm.window]
        if len(text) > len(start) and (tokens := len(llm.ids(start))) > llm.window:
            return _Length(f"more than {tokens}", False, *name)
    longest, size = _longest(context.questions, llm)
    tokens = sum(map(len, llm.segment_ids([context.text], longest.text))) + llm.max_new_tokens
    fits = tokens <= llm.window
    return _Length(str(tokens), fits, *(whole if fits or size <= len(llm.ids(context.text)) else _named(longest)))


def _named(question: Question) -> tuple[str, str]:
    return f"question {question.id!r} of context {question.context!r}", "shorten it"


def _longest(questions: Sequence[Question], llm: Any) -> tuple[Question, int]:
    """The question with the most tokens, and how many. A token is a byte at least, so that few have to be counted."""
    best, most = questions[0], -1
    for size, k in sorted(((len(q.text.encode()), k) for k, q in enumerate(questions)), reverse=True):
        if size + 2 <= most:  # a space in front and what opens a text may be tokens of their own
            break
        if (tokens := len(llm.ids(questions[k].text))) > most:
            best, most = questions[k], tokens
    return best, most


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
