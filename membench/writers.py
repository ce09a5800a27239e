"""How target sentences come to be: the prompts of the writers that write them, and the reading of their replies.

A writer sees one passage and a number, never a test question.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from membench import openai_chat
from membench.api import Pair
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.llm import LLM
    from membench.meter import Meter

OPENAI_ROUNDS = 4  # requests for one passage: a short reply is asked for the pairs that are missing
SELF_TOKENS = 32  # of one question with its answer
SELF_USES = 2  # questions that may share one answer

SYSTEM = (
    "You write questions and answers that a reader of a passage should be able to recall later without it. Cover "
    "every fact that the passage states, each from more than one side where there is room. Name the subject in full "
    "in every question, so that it can be understood on its own. Answer in a few words, copied from the passage, and "
    "state nothing that it does not state. Write each pair on two lines and nothing else:\n"
    "Q: the question\nA: the answer"
)
REQUEST = "Write {count} pairs about this passage.\n\n{text}"
AGAIN = "Write {count} more pairs about the same passage, none of them about what has been asked already."

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

_PAIR = re.compile(
    r"\bQ(?:uestion)?[ \t]*\d*[ \t]*:\s*(?P<question>[^\n]+?)\s*\bA(?:nswer)?[ \t]*\d*[ \t]*:[ \t]*"
    r"(?P<answer>[^\n]+?)[ \t]*(?=\n|\bQ(?:uestion)?[ \t]*\d*[ \t]*:|\Z)",
    re.IGNORECASE,
)


def prompt_hash(*parts: object) -> str:
    """What identifies the wording that a writer works with."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


SELF_HASH = prompt_hash(SELF_PROMPT, OPENINGS, SELF_TOKENS)
OPENAI_HASH = prompt_hash(SYSTEM, REQUEST, AGAIN, OPENAI_ROUNDS)


def words(text: str) -> list[str]:
    """Words in lower case, without punctuation and articles, for comparing texts."""
    return [word for word in re.findall(r"\w+", text.lower()) if word not in ("a", "an", "the")]


def holds(text: str, phrase: str) -> bool:
    """Whether a text has the words of a phrase in a row; an empty phrase is in no text."""
    inner = " ".join(words(phrase))
    return bool(inner) and f" {inner} " in f" {' '.join(words(text))} "


def beginning(text: str) -> str:
    """The first words of a passage, for messages."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 40 else f"{flat[:40]}…")


def parse(reply: str) -> list[Pair]:
    """The pairs in a reply: `Q:`/`Question:` and `A:`/`Answer:`, numbered, in bold, on one line or on two."""
    plain = reply.replace("*", "").replace("\r", "")
    return [
        Pair(" ".join(match["question"].split()), " ".join(match["answer"].split()).rstrip("."))
        for match in _PAIR.finditer(plain)
        if words(match["question"]) and words(match["answer"])
    ]


def distinct(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs without those that repeat an earlier question."""
    first: dict[tuple[str, ...], Pair] = {}
    for pair in pairs:
        first.setdefault(tuple(words(pair.question)), pair)
    return list(first.values())


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
            for pair in parse(f"Q: {opening}{reply.text}")[:1]
            if not reply.truncated
        )
        for pair in wrote:
            uses = sum(words(other.answer) == words(pair.answer) for other in kept)
            if uses < SELF_USES and _usable(pair, text):
                kept = distinct([*kept, pair])
    return kept


def _usable(pair: Pair, text: str) -> bool:
    named = (word for word in re.findall(r"\w+", pair.question)[1:] if not word.islower())
    return (
        pair.question.endswith("?")
        and holds(text, pair.answer)
        and not holds(pair.question, pair.answer)
        and any(holds(text, word) for word in named)
    )


def openai_pairs(model: str, text: str, count: int, base_url: str | None, meter: Meter) -> list[Pair]:
    """At most `count` pairs from an OpenAI-compatible endpoint, at temperature 0; tokens as its replies count them.

    The key is OPENAI_API_KEY; an endpoint of one's own (`base_url`) may do without. Raises MembenchError when the
    endpoint refuses, cannot be reached after the client's own retries, or does not speak the protocol.
    """
    talk = [("system", SYSTEM), ("user", REQUEST.format(count=count, text=text))]
    pairs: list[Pair] = []
    with openai_chat.chat("target writer", model, base_url, meter) as reply_to:
        for _ in range(OPENAI_ROUNDS):  # and for those that are missing as long as a reply brings new ones
            reply = reply_to(talk)
            before = len(pairs)
            pairs = distinct([*pairs, *parse(reply)])
            if len(pairs) >= count or len(pairs) == before:
                break
            talk += [("assistant", reply), ("user", AGAIN.format(count=count - len(pairs)))]
    return pairs[:count]


def recorded_pairs(path: Path) -> dict[str, tuple[Pair, ...]]:
    """The pairs of a file by passage, one JSON object a line: {"context": …, "pairs": [{"question": …, "answer": …}]}.

    Raises MembenchError with path and line for a file that is missing, empty or broken.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MembenchError(f"cannot read recorded targets {path}: {reason}") from error
    book: dict[str, tuple[Pair, ...]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            context, pairs = _recorded(line, f"{path}:{number}")
            if context in book:
                raise MembenchError(f"{path}:{number}: this context has a line above already: put its pairs into one")
            book[context] = pairs
    if not book:
        raise MembenchError(f"{path}: no recorded targets in it")
    return book


def _recorded(line: str, where: str) -> tuple[str, tuple[Pair, ...]]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise MembenchError(f"{where}: broken JSON: {error.msg}") from error
    context, pairs = (row.get("context"), row.get("pairs")) if isinstance(row, dict) else (None, None)
    if not isinstance(context, str) or not isinstance(pairs, list) or not pairs:
        raise MembenchError(f'{where}: wants {{"context": text, "pairs": [{{"question": text, "answer": text}}, …]}}')
    return context, tuple(read_pair(pair, where) for pair in pairs)


def read_pair(row: object, where: str) -> Pair:
    """A pair from JSON. Raises MembenchError that begins with `where` if it is none."""
    fields = [row.get(name) for name in ("question", "answer")] if isinstance(row, dict) else []
    texts = [field for field in fields if isinstance(field, str) and field.strip()]
    if len(texts) != 2:
        raise MembenchError(f'{where}: a pair wants "question" and "answer", both text, and not empty')
    return Pair(texts[0], texts[1])
