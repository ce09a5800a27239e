"""latency: all texts in one memory, each question asked alone, so that its seconds are its own."""

from __future__ import annotations

from membench.api import Ask, Context, Dataset, Question, Write
from membench.plugins import registry


def test_each_question_is_a_step_of_its_own_in_turn_over_the_texts() -> None:
    contexts = tuple(
        Context(c, f"Text {c}.", tuple(Question(f"{c}{k}", "Who?", ("Ines",), c) for k in range(3))) for c in "ab"
    )
    data = Dataset("d", contexts)
    (episode,) = registry.load("tasks", "latency")(questions=3).episodes(data, 0)
    first, *asks = episode.steps
    assert first == Write(contexts)
    assert all(isinstance(step, Ask) and len(step.questions) == 1 for step in asks)
    assert [step.questions[0].id for step in asks] == ["a0", "b0", "a1"]
    (every,) = registry.load("tasks", "latency")(questions=0).episodes(data, 0)
    assert len(every.steps) == 1 + 6
