"""A model behind an endpoint as a judge of answers, beside the match that scores them, with its own calibration.

For each question three answers are planted beside the one that was given: a right one, a vague one that only touches on
it, and a wrong one. What the judge says of these is what its verdicts are worth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from membench.corpora.sessions import ABSTENTION
from membench.endpoints.chat_client import ChatClient, Talk
from membench.endpoints.endpoint_address import address
from membench.errors import MembenchError, standing_at
from membench.metrics.abstention import PHRASE
from membench.served.kept_answers import KeptAnswers
from membench.talks.measures import JUDGED, RIGHT, VAGUELY, WRONGLY
from membench.text.digest import digest

RULES = (
    "You check answers to questions about what was said in earlier conversations. An answer is right if it states what "
    "a correct answer states, in whatever words. It is wrong if it states something else, if it is vague or only "
    "touches on the topic, and if it offers several possibilities. Reply with one word: yes or no."
)
ANSWERED = "Question: {question}\nCorrect answers: {gold}\nAnswer to check: {answer}\nIs the answer right?"
DECLINED = (
    "Question: {question}\nNothing that was said answers this question.\nAnswer to check: {answer}\n"
    "Does the answer say that this is not known?"
)
VAGUE = "That came up in one of the conversations, and it was told with some detail."
SAYS = {"yes": 1.0, "no": 0.0}
_MARKS = r"[\s*_'\"]*"
_OTHER = r"(?!\1\b)(?:yes|no)\b"
_VERDICT = re.compile(  # the first word, unless it is one of two that are offered: "yes/no", "yes or no", "yes and no."
    r"\W*(?:(?:the |my )?(?:answer|verdict)(?: is)?\b\W*)?(yes|no)\b"
    rf"(?!{_MARKS}[/|]{_MARKS}(?:\w+{_MARKS}[/|]{_MARKS})?{_OTHER})"
    rf"(?!\W*or\b\W*{_OTHER})(?!\W*(?:and\b\W*)?{_OTHER}(?!\s*\w))",
    re.IGNORECASE,
)
AT_ONCE = 8  # requests
LENGTH = 64  # tokens that a reply may have


@dataclass(frozen=True)
class _Said:
    text: str


@dataclass
class Judge:
    """One model at one endpoint; its replies are kept by the content of what it was asked."""

    model: str
    base_url: str | None
    kept: KeptAnswers
    asked: int = 0  # of the endpoint
    unread: int = 0  # replies that are neither yes nor no; what they were about has no verdict
    _client: ChatClient = field(init=False, repr=False)
    _counting: Lock = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self._client = ChatClient(self.model, address(self.base_url))

    @property
    def identity(self) -> dict[str, str]:
        """What is stored beside its verdicts; nothing of it is secret."""
        return {"model": self.model, "url": self._client.where.public, "prompt": digest(RULES + ANSWERED + DECLINED)}

    def verdicts(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
        """By answer record: scores of the answer that was given and of those that are planted, 1 for yes.

        Raises MembenchError when the endpoint refuses, cannot be reached, or does not speak the protocol.
        """
        with standing_at(f"judge openai:{self.model}"), ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._of, records))

    def _of(self, record: Mapping[str, Any]) -> dict[str, float]:
        planted = {JUDGED: record["answer"], **planted_answers(record)}
        said = {name: self._verdict(record, answer) for name, answer in planted.items()}
        return {name: verdict for name, verdict in said.items() if verdict is not None}

    def _verdict(self, record: Mapping[str, Any], answer: str) -> float | None:
        if not answer.strip():
            return 0.0
        form = DECLINED if record["tags"].get("kind") == ABSTENTION else ANSWERED
        request = form.format(question=record["text"], gold=" / ".join(record["gold"]), answer=answer)
        reply = self._reply([("system", RULES), ("user", request)])
        found = _VERDICT.match(reply)
        verdict = SAYS[found[1].lower()] if found else None
        with self._counting:
            self.unread += verdict is None
        return verdict

    def _reply(self, talk: Talk) -> str:
        key = {"judge": self.model, "url": self._client.where.public, "talk": talk}
        if known := self.kept.get(key, _Said):
            return known.text
        with self._counting:
            self.asked += 1
        text = self._client.reply(talk, max_tokens=LENGTH).text
        self.kept.put(key, _Said(text))
        return text


def planted_answers(record: Mapping[str, Any]) -> dict[str, str]:
    """A right, a vague and a wrong answer to a record's question; no wrong one where nothing wrong is known."""
    wrong = record.get("distractors") or []
    if record["tags"].get("kind") == ABSTENTION:
        return {RIGHT: PHRASE, VAGUELY: VAGUE, WRONGLY: f"It is {wrong[0] if wrong else 'Paris'}."}
    planted = {RIGHT: f"It is {record['gold'][0]}.", VAGUELY: VAGUE}
    return planted | ({WRONGLY: f"It is {wrong[0]}."} if wrong else {})


def judge_of(typed: str, base_url: str | None, kept: KeptAnswers) -> Judge:
    """The judge named openai:MODEL. Raises MembenchError for any other name."""
    return Judge(model_of(typed), base_url, kept)


def model_of(typed: str) -> str:
    """MODEL of openai:MODEL. Raises MembenchError for any other name."""
    kind, _, model = typed.partition(":")
    if kind != "openai" or not model.strip():
        raise MembenchError(f"--judge {typed}: want openai:MODEL, a model behind an endpoint (--base-url URL)")
    return model.strip()
