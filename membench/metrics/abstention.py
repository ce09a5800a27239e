"""Whether an answer says that it does not know: a fixed list of whole answers and fixed patterns.

An empty answer says nothing and is no abstention.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

PHRASE = "I don't know."  # what the row "always abstains" answers

_NOT = r"(?:not|never|n't)"
_SAID = r"(?:stated|mentioned|given|specified|provided|known|said|told|clear|available|described|reported|disclosed)"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:i|we) (?:really |honestly |just )?(?:do not|don't|cannot|can't|can not|am not able to|could not) "
        r"(?:know|say|tell|answer|determine|find|be sure)\b",
        r"\b(?:i am|i'm|we are|we're) (?:not sure|unsure|unable|not certain|not aware)\b",
        rf"\b(?:is|are|was|were|has|have|does|do|it's)(?: |{_NOT})*{_NOT} (?:been |explicitly |really )?{_SAID}\b",
        r"\b(?:does not|doesn't|did not|didn't|do not|don't) (?:say|state|mention|specify|tell|give|provide|contain)\b",
        r"\b(?:cannot|can't|can not|could not) be (?:determined|known|said|answered|found|inferred)\b",
        r"\bno (?:information|answer|mention|data|details?)\b(?! (?:age|bank|cent))",
        r"\bnot enough (?:information|data|context)\b",
        r"\b(?:unknown|unanswerable)\b",
        rf"^not {_SAID}\b",
    )
)


def abstains(answer: str) -> bool:
    """Whether a whole answer is on the list, or any pattern is found in it."""
    text = " ".join(answer.lower().replace("’", "'").split())
    return text.strip(" .!\"'") in _whole_answers() or any(pattern.search(text) for pattern in _PATTERNS)


@lru_cache(maxsize=1)
def _whole_answers() -> frozenset[str]:
    text = resources.files("membench.metrics").joinpath("abstentions.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
