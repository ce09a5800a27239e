"""The detector of abstentions: what counts, and what does not although it looks alike."""

from __future__ import annotations

import pytest

from membench.metrics.abstention import PHRASE, abstains


@pytest.mark.parametrize(
    "answer",
    [
        PHRASE, "i don’t know", "I do not know the answer", "Unknown", "not stated", "N/A", "No idea.", "I'm not sure.",
        "The text does not say.", "It is not mentioned in the passage.", "This was never stated.",
        "cannot be determined",
        "I cannot say", "There is no information about this.", "It isn't specified.", "not enough information",
        "The passage doesn't mention it", "The number has not been disclosed", "Unspecified",
    ],
)  # fmt: skip
def test_abstentions(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "", "38 percent", "No", "none of the banks", "Nora Knott", "Paris", "He is not a baker but a sailor",
        "not 38 but 42", "No. 5", "known as Belcor", "Ida Noansa", "the Unity Trust", "No data bank",
    ],
)  # fmt: skip
def test_answers(answer: str) -> None:
    assert not abstains(answer)
