"""How target sentences come to be: the prompts of the writers that write them, and the reading of their replies.

A writer sees one passage and a number, never a test question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from membench.targets.pairs import beginning, distinct, holds, parse, prompt_hash, words
from membench.text.halves import MARK, has_half
from membench.values import Pair

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.model.meter import Meter
    from membench.targets.openai_endpoint import Endpoint


OPENAI_ROUNDS = 4  # requests for one passage: a short reply is asked for the pairs that are missing


SELF_TOKENS = 32  # of one question with its answer


SELF_USES = 2  # questions that may share one answer


SYSTEM = (
    "You write questions and answers that a reader of a passage should be able to recall later without it. Cover "
    "every fact that the passage states, each from more than one side where there is room. Name the subject in full "
    "in every question, so that it can be understood on its own. Answer in a few words, copied from the passage, and "
    "state nothing that it does not state. Reply with JSON and nothing else:\n"
    '{"pairs": [{"question": "the question", "answer": "the answer"}]}'
)


REQUEST = "Write {count} pairs about this passage.\n\n{text}"


AGAIN = "Write {count} more pairs about the same passage, none of them about what has been asked already."


_TEXTS = {"question": {"type": "string"}, "answer": {"type": "string"}}


# The form of a reply, for endpoints that can keep a model to one.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "pairs": {
            "type": "array",
            "items": {
                "type": "object", "properties": _TEXTS, "required": [*_TEXTS], "additionalProperties": False,
            },
        },
    },
    "required": ["pairs"],
    "additionalProperties": False,
}  # fmt: skip


# A small base model left to itself asks the same question over and over; the opening words make it ask about each thing
# that a passage may state.
OPENINGS = (
    "Who", "In what year", "Where", "How many", "What kind of", "Which", "When", "What did", "What is the",
    "What was the", "By whom", "In which", "What color", "How much", "Who was the", "What is the name of the",
)  # fmt: skip


SELF_PROMPT = """\
Passage: The Amber Bridge crosses the river Tay. It opened in 1932 and is 210 metres long. It was built by Ellen Marsh.
Q: Which river does the Amber Bridge cross?
A: the river Tay
Q: When did the Amber Bridge open?
A: 1932
Q: How long is the Amber Bridge?
A: 210 metres
Q: Who built the Amber Bridge?
A: Ellen Marsh

Passage: Samuel Reed was a baker from Leeds. In 1908 he opened a shop in Chicago with his brother. It sold rye bread.
Q: Where was Samuel Reed from?
A: Leeds
Q: What kind of bread did the shop of Samuel Reed sell?
A: rye bread

Passage: {text}
Q: {opening}"""


SELF_HASH = prompt_hash(SELF_PROMPT, OPENINGS, SELF_TOKENS)


OPENAI_HASH = prompt_hash(SYSTEM, REQUEST, AGAIN, OPENAI_ROUNDS, SCHEMA)


def self_pairs(llm: LLM, text: str, count: int) -> list[Pair]:
    """At most `count` pairs that the model itself writes, greedily, one for each of a list of opening words.

    A pair is dropped when its answer does not stand in the passage (a small model invents), when the question gives the
    answer away, when it shares no name or number with the passage, so that it could be about any other, and when its
    answer has been given twice already (a small model gives the one year of a passage to every question).
    """
    kept: list[Pair] = []
    asked = 0
    while len(kept) < count and asked < len(OPENINGS):
        due = OPENINGS[asked : asked + count - len(kept)]
        asked += len(due)
        prompts = [SELF_PROMPT.format(text=" ".join(text.split()), opening=opening) for opening in due]
        replies = llm.complete(prompts, SELF_TOKENS, "\nQ")
        wrote = (
            pair
            for opening, reply in zip(due, replies, strict=True)
            for pair in parse(_first_lines(f"Q: {opening}{reply.text}"))[:1]
            if not reply.truncated
        )
        for pair in wrote:
            uses = sum(words(other.answer) == words(pair.answer) for other in kept)
            if uses < SELF_USES and _usable(pair, text):
                kept = distinct([*kept, pair])
    return kept


def _first_lines(reply: str) -> str:
    """A question and its answer: what a small model writes below them belongs to neither."""
    return "\n".join([line for line in reply.splitlines() if line.strip()][:2])


def _usable(pair: Pair, text: str) -> bool:
    named = (word for word in re.findall(r"\w+", pair.question)[1:] if not word.islower())
    return (
        pair.question.endswith("?")
        and holds(text, pair.answer)
        and not holds(pair.question, pair.answer)
        and any(holds(text, word) for word in named)
    )


def openai_pairs(
    endpoint: Endpoint, model: str, text: str, count: int, meter: Meter, say: Callable[[str], object]
) -> list[Pair]:
    """At most `count` pairs from a model behind an endpoint; tokens as its replies count them.

    `say` is told what is left out.

    Raises MembenchError when the endpoint refuses, cannot be reached, or does not speak the protocol.
    """
    talk = [("system", SYSTEM), ("user", REQUEST.format(count=count, text=text))]
    pairs: list[Pair] = []
    for _ in range(OPENAI_ROUNDS):  # and for those that are missing as long as a reply brings new ones
        reply = endpoint.ask("target writer", model, talk, meter, SCHEMA)
        before = len(pairs)
        found = parse(reply.text, reply.cut)
        sound = [pair for pair in found if not _broken(pair, text)]
        if broken := len(found) - len(sound):
            say(f"openai:{model} wrote half of a character in {broken} of its pairs about {beginning(text)}: left out")
        pairs = distinct([*pairs, *sound])
        if len(pairs) >= count or len(pairs) == before:
            break
        talk += [("assistant", reply.text), ("user", AGAIN.format(count=count - len(pairs)))]
    return pairs[:count]


def _broken(pair: Pair, text: str) -> bool:
    """Whether a pair holds what is no character and not of the passage, or half of one, which JSON in it can spell."""
    return any(has_half(part) or (MARK in part and MARK not in text) for part in (pair.question, pair.answer))
