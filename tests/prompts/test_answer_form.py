"""How long an answer may be and what ends it: a task's own form, for the reading of its questions alone."""

from __future__ import annotations

import pytest

from membench.api import Recall
from membench.errors import MembenchError
from membench.metrics.answer_scores import likelihood
from membench.model.decoding import Reading
from membench.model.llm import LLM


def test_a_longer_answer_begins_like_the_short_one(llm: LLM) -> None:
    (short,) = llm.answer(Recall(), ["Who?"])
    with llm.answering((40, "\n\n\n")):
        (long,) = llm.answer(Recall(), ["Who?"])
    assert long.ids[: len(short.ids)] == short.ids
    assert len(long.ids) > len(short.ids)
    assert (llm.max_new_tokens, llm.stop) == (16, "\n")


def test_the_beginning_of_the_stop_is_no_part_of_the_answer(llm: LLM) -> None:
    with llm.answering((40, "\n\n\n")):
        (whole,) = llm.answer(Recall(), ["Who?"])
    tokens = [llm.decode([i]) for i in whole.ids]
    n = next(n for n in range(3, len(tokens) - 1) if tokens[n].strip() and tokens[n + 1].strip())
    stop = tokens[n][-1] + tokens[n + 1][0]  # completed by token n + 1, begun by token n
    with llm.answering((40, stop)):
        (cut,) = llm.answer(Recall(), ["Who?"])
    assert not cut.truncated
    assert stop not in cut.text
    assert whole.text.startswith(cut.text)
    assert not cut.text.endswith(stop[0])


def test_the_limits_come_back_after_an_error(llm: LLM) -> None:
    with pytest.raises(MembenchError, match="the window of tiny is"), llm.answering((llm.window, "\n")):
        llm.answer(Recall(), ["Who?"])
    assert llm.max_new_tokens == 16


def test_rank_among_the_candidates(llm: LLM) -> None:
    (reading,) = llm.answer(Recall(), ["Who?"])

    def ranked(*logprobs: float) -> float:
        made = Reading(reading.text, reading.ids, False, reading.hidden, logprobs)
        return likelihood(made)["rank_mc"]

    assert [ranked(-1.0, -2.0, -3.0), ranked(-2.0, -1.0, -2.0), ranked(-3.0, -1.0, -2.0)] == [1, 3, 3]
    assert "rank_mc" not in likelihood(Reading("", (), False, reading.hidden, (-1.0,)))
