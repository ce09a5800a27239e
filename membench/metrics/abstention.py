"""Whether an answer says that it does not know: whole answers of many languages from a file, and patterns of English.

What counts is the whole answer or its first sentence, never a word in it ("Tomb of the Unknown Soldier"). An empty
answer says nothing and is no abstention.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from membench.text.fold import fold
from membench.text.mentions import tokens
from membench.text.sentences import sentences

PHRASE = "I don't know."  # what the row "always abstains" answers
OPEN = "…"  # in the file: more words may stand here

_LEAD = r"(?:(?:sorry|well|unfortunately|honestly|hmm|answer|a)\W+|the answer is\W+)*(?:but )?"
_NOT = r"(?:not|never|n't)"
_CANNOT = r"(?:cannot|can't|can not|could not|couldn't)"
_DOES_NOT = r"(?:does not|doesn't|did not|didn't|do not|don't)"
_SAID = (
    r"(?:stated|mentioned|given|specified|provided|known|said|told|clear|available|described|reported|disclosed|"
    r"discussed|recorded)"
)
_NAMED = r"(?:stated|mentioned|specified|disclosed|discussed)"
_WAS = r"(?:is|was|are|were|has been|have been)(?: \w+ly| ever)?"
_ASKED = r"(?:who|what|when|where|which|why|how(?! to\b)|whether|if|that|the|this|it|any|an?|enough|anything|for|about)"
_NOUN = (
    r"(?:text|passage|context|article|document|author|source|story|paragraph|question|sentence|memory|information|"
    r"conversation|session|chat|dialogue|history|record)s?"
)
_TEXT = rf"(?:it|they|(?:the|this|that) (?:\w+ )?{_NOUN})"
_THERE = (
    rf"(?:(?:anywhere )?(?:in|during|from) (?:any of )?(?:the|our|this|that|these|any|your) (?:\w+ )?{_NOUN}|here|"
    r"anywhere|by (?:you|the user))"
)
_FACT = (  # what a question asks for
    r"(?:information|details?|specifics|context|evidence|names?|dates?|times?|places?|locations?|numbers?|amounts?|ages?|"
    r"years?|months?|days?|reasons?|causes?|answers?|explanations?|descriptions?|prices?|costs?|fares?|colou?rs?|titles?|"
    r"address(?:es)?|kinds?|types?|brands?|sizes?|models?|occupations?|jobs?|professions?)"
)
_SPEAKER = r"(?:you(?:'ve)?|the user|user)"  # of whom a question about conversations is
_NEVER = rf"(?:{_DOES_NOT}|have not|haven't|has not|hasn't|(?:have |has )?never)"
# What was not said to somebody else may well be known: "that to Anna", "when to Tom", "your salary with your boss".
_TO_NOBODY = r"(?!(?: (?:this|that|it|anything|how|what|when|where|who|why))? to (?!me\b|us\b))"
_NOBODY_ELSE = _TO_NOBODY + (
    r"(?!(?: \w+){1,2} with (?:your|his|her|their|the) (?:boss|manager|doctor|wife|husband|partner|mother|father|mom|"
    r"mum|dad|sister|brother|colleagues?|team)\b)"
)
_ANY = r"(?: access to)?(?: (?:any|this|that|the|enough|such|specific|sufficient|personal|relevant)){0,3}"
_BASED = r"(?:(?:based on|according to|in) (?:the|our|this|these|your) (?:\w+ ){0,2}\w+,? )?"
_PATTERNS = tuple(
    re.compile(_LEAD + pattern + r"\W*")
    for pattern in (
        rf"(?:i|we) (?:really |honestly |just )?(?:do not|don't|{_CANNOT}|am not able to) (?:really )?"
        rf"(?:know|say|tell|answer|determine|find|be sure)(?:\W*|[,;.:!?].*| {_ASKED}\b.*)",
        r"(?:i am|i'm|we are|we're) (?:not sure|unsure|unable|not certain|not aware)\b.*",
        rf"(?:.* )?(?:is|are|was|were|has|have|does|do|it's)(?: |{_NOT})*{_NOT} (?:been |explicitly |really |yet )?"
        rf"{_SAID}(?! as\b| for\b)\b.*",
        rf"(?:.*\W)?{_TEXT} {_DOES_NOT} (?:\w+ly )?(?:say|state|mention|specify)\b.*",
        rf"(?:.*\W)?{_TEXT} {_DOES_NOT} (?:\w+ly )?(?:tell|give|provide|contain)(?: (?:us|me))?(?: {_ASKED}\b.*)?",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?(?:mention|specify|specified|disclose)(?:ed|d)?\b{_TO_NOBODY}.*",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?(?:discuss(?:ed)?|talk(?:ed)? about)\b{_NOBODY_ELSE}.*",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?(?:tell|told)(?: (?:me|us)\b.*)?",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?(?:give|gave|given|provide|provided)(?: (?:me|us))?"
        rf"(?: (?:this|that|it|(?:\w+ ){{0,3}}{_FACT}\b.*))?",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?(?:say|said)(?: (?:(?:this|that|it|any|anything|how|what|when|where|"
        rf"which|who|whether|why)\b{_TO_NOBODY}.*|(?:\w+ ){{0,3}}{_FACT}\b.*))?",
        rf"{_BASED}{_SPEAKER} {_NEVER} (?:\w+ly )?stated?\b{_TO_NOBODY}.*",
        rf"{_BASED}{_SPEAKER} mentioned nothing(?: (?:about|of|on|regarding)\b.*)?",
        rf"(?:i|we) (?:{_DOES_NOT} have|have no){_ANY} (?:information|details?)\b.*",
        rf"(?:i|we) (?:{_DOES_NOT} have|have no){_ANY} (?:knowledge|data|records?)"
        r"(?: (?:about|regarding|on|of (?:this|that|it|an?|any|your|the user))\b.*)?",
        r"(?:the )?(?:\w+ )?(?:information|context|text|data)(?: \w+)? (?:is|are|was) "
        r"(?:not enough|insufficient|not sufficient)\b.*",
        rf"no (?!(?:fewer|less|more|later|earlier|sooner)\b)(?:\w+ ){{1,6}}{_WAS} {_NAMED}(?: {_THERE})?",
        rf"no (?=(?:\w+ ){{0,4}}{_FACT}\b)(?:\w+ ){{1,8}}{_WAS} (?:given|provided)(?: {_THERE})?",
        rf"(?:.* )?{_CANNOT} be (?:determined|known|said|answered|found|inferred)\b.*",
        rf"{_BASED}(?:there (?:is|was|are|were) |(?:i|we) have |{_TEXT} (?:has|gives|contains|provides|makes) )?"
        r"(?:no (?:information|answer|mention|data|details?)|not enough (?:information|data|context))"
        r"(?: (?:is|was|are|about|on|for|regarding|given|provided|available|in|of|to|that|found|here)\b.*)?",
        r"(?:.* )?(?:is|are|was|were|remains?|remained) (?:\w+ly |still )?(?:unknown|unanswerable)(?! until| before)"
        r"\b.*",
        r"(?:unknown|unanswerable)(?: (?:to me|from|in the|who|what|when|where)\b.*)?",
        rf"not {_SAID}(?: (?:in|by|here|anywhere)\b.*)?",
    )
)


class _Whole(NamedTuple):
    words: tuple[str, ...]
    starts: bool  # an answer must begin with these words
    ends: bool  # and end with them


def abstains(answer: str) -> bool:
    """Whether a whole answer, or its first sentence, says that the answer is not known."""
    return any(_says_so(text) for text in dict.fromkeys((answer, *sentences(answer)[:1])))


def _says_so(text: str) -> bool:
    said = tokens(text, english=False)
    if any(_matches(whole, said) for whole in _whole_answers()):
        return True
    plain = " ".join(fold(text).replace("’", "'").split()).lstrip("\"'“(")
    return any(pattern.fullmatch(plain) for pattern in _PATTERNS)


def _matches(whole: _Whole, said: tuple[str, ...]) -> bool:
    size = len(whole.words)
    starts, ends = said[:size] == whole.words, said[-size:] == whole.words
    if whole.starts and whole.ends:
        return said == whole.words
    return (starts or not whole.starts) and (ends or not whole.ends)


@lru_cache(maxsize=1)
def _whole_answers() -> tuple[_Whole, ...]:
    text = resources.files("membench.metrics").joinpath("abstentions.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(
        _Whole(tokens(line.strip(OPEN), english=False), not line.startswith(OPEN), not line.endswith(OPEN))
        for line in lines
    )
