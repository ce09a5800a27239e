"""Are the questions any good? Each is asked with its passage and without it; only one that needs it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membench.documents.questions import Draft
from membench.metrics.answer_scores import score_answer
from membench.values import Pair, Question, Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM

LOST, KNOWN = "not answered with the passage", "answered without the passage"


@dataclass(frozen=True)
class Verdict:
    """A test question, what a reader answered with and without the passage, and why it is left out, "" if it is not."""

    passage: str
    pair: Pair
    with_text: str
    without: str
    reason: str


def looked_over(llm: LLM, drafts: Iterable[Draft]) -> Iterator[tuple[Draft, list[Verdict]]]:
    """Each draft with its verdicts, one draft after the other."""
    for draft in drafts:
        yield draft, _verdicts(llm, draft)


def _verdicts(llm: LLM, draft: Draft) -> list[Verdict]:
    if not draft.test:
        return []
    asked = [pair.question for pair in draft.test]
    recall = Recall(contexts=tuple((draft.passage.text,) for _ in asked))
    with_text = [reading.text for reading in llm.answer(recall, asked)]
    without = [reading.text for reading in llm.answer(Recall(), asked)]
    return [
        Verdict(draft.passage.id, pair, there, alone, _reason(pair, there, alone))
        for pair, there, alone in zip(draft.test, with_text, without, strict=True)
    ]


def _reason(pair: Pair, with_text: str, without: str) -> str:
    question = Question("", pair.question, (pair.answer,), "")
    right = [score_answer(question, answer)["contains"] > 0 for answer in (with_text, without)]
    return LOST if not right[0] else KNOWN if right[1] else ""


def row(draft: Draft, verdicts: Sequence[Verdict]) -> dict[str, Any] | None:
    """The line of the file about this passage, with the questions that are kept; None if none is."""
    kept = [verdict.pair for verdict in verdicts if not verdict.reason]
    if not kept:
        return None
    asked = [{"question": pair.question, "answer": pair.answer} for pair in kept]
    targets = [{"question": pair.question, "answer": pair.answer} for pair in draft.targets]
    return {
        "id": draft.passage.id, "context": draft.passage.text, "questions": asked,
        **({"targets": targets} if targets else {}),
    }  # fmt: skip
