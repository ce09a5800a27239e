"""Questions without a writer: a name or a number of a sentence is left out and asked for (Taylor 1953, cloze)."""

from __future__ import annotations

import regex

from membench.text.words import LETTERS, first_words, is_spaced, word_starts, words
from membench.values import Pair

GAP = "___"
_DASH = r"[\p{Pd}--[—―]]"  # one that joins; the long ones part words
_GLUED = rf"[{LETTERS}\p{{S}}\p{{Pc}}{_DASH}/%‰′″@#&\\]"  # what makes one thing with a word or a number that it touches
_ALONE, _ENDS = rf"(?<!{_GLUED})(?<!{_GLUED}[.,:'’])", rf"(?![.,:'’]?{_GLUED})"
_NUMBER = regex.compile(  # with its sign, currency, unit and range: -40, €3.50, 21st, 10–20, 2020-05-03, 5 million
    rf"{_ALONE}(?>[\p{{Sc}}+−±{_DASH}]*\p{{Nd}}"
    rf"(?:(?!{_DASH}{{2}})[{LETTERS}\p{{Sc}}+{_DASH}/%‰°]|(?<=\p{{Nd}})[.,:'’—](?=\p{{Nd}}))*)"
    rf"(?:\s?%|\s(?:hundred|thousand|million|billion|trillion)\b)?{_ENDS}",
    regex.V1,
)
_WORD = rf"\p{{Lu}}{LETTERS}*+(?:(?:['’]|{_DASH}){LETTERS}++)*+"
_NAME = regex.compile(rf"{_ALONE}{_WORD}(?:\s+(?:(?:of|the|de|van|von)\s+)?{_WORD})*+{_ENDS}", regex.V1)
_POSSESSIVE = regex.compile(r"['’][sS]\Z")
BESIDE = 6  # words in a row that both wordings have beside the gap: fewer than the leak gate looks for
FEWEST_WORDS = 5  # of a sentence that is asked about; a shorter one says too little beside its gap


def cloze(title: str, sentence: str) -> tuple[Pair, Pair] | None:
    """A question about a sentence whose answer is the words left out of it, and the same fact in another wording.

    The first names the headings and has the whole sentence, the second has the few words before the gap: the two share
    fewer words in a row than the leak gate looks for. The default model answers the second right, with the text before
    it, for 31 of 67 facts; where it was asked for "the words left out of" the three on either side, for 11.

    A number goes before a name, a later name before an earlier one; what begins the sentence is what it is about, and
    stays, as does what headings or sentence say again. A gap is never a part of what is written together. In scripts
    without spaces only numbers are found. None where a sentence has neither, has a gap of its own, or fewer than
    FEWEST_WORDS words.
    """
    if GAP in f"{title} {sentence}":
        return None
    if is_spaced(sentence) and len(sentence.split()) < FEWEST_WORDS:
        return None
    names = [match for match in _NAME.finditer(sentence) if match.start()]
    for match in (*_NUMBER.finditer(sentence), *reversed(names)):
        answer = _POSSESSIVE.sub("", match[0])
        before, behind = sentence[: match.start()], sentence[match.start() + len(answer) :]
        if answer not in f"{title} {before} {behind}" and len(answer) > 1:
            asked = Pair(f"Fill the gap ({title}): {before}{GAP}{behind}", answer)
            return asked, Pair(f"From {_last(title)}, fill the gap: {_beside(before.strip(), behind.strip())}", answer)
    return None


def _beside(before: str, behind: str) -> str:
    """The words before a gap and the gap; the words behind it where it stands first."""
    if not before:
        heads = [first_words(behind, count) for count in range(BESIDE, 0, -1)]
        return f"{GAP} {next((head for head in heads if len(words(head)) <= BESIDE), heads[-1])}"
    return f"{_last(before)} {GAP}"


def _last(text: str) -> str:
    """The longest end of a text with at most BESIDE words, as the leak gate counts them; one piece at least."""
    start, count = len(text), 0
    for earlier in reversed(word_starts(text)):
        count += len(words(text[earlier:start]))
        if count > BESIDE and start < len(text):
            break
        start = earlier
    return text[start:]
