"""Questions and answers in a reply of a language model: as JSON, behind labels, or as lines of a list or a table.

Each reader returns what it found as (question, answer, last): `last` is True where the answer ends with the reply, so
that it may be a part of one if the reply was cut.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

Found = tuple[str, str, bool]

BROKEN = 1000  # beginnings of JSON that come to nothing before a reply is taken for text

# The words before a colon, longest first; a single letter of other languages stands at the beginning of a line alone.
_ASKING = (
    r"questions?|q|ｑ|问题|問題|質問|问|問|질문|frage|pregunta|pergunta|domanda|вопрос|питання|pytanie|otázka|vraag|fråga|"
    r"soru|pertanyaan|câu hỏi|ερώτηση|שאלה|السؤال|سؤال|س|پرسش|प्रश्न|सवाल|প্রশ্ন|คำถาม|ถาม|f|p|в"
)
_ANSWERING = (
    r"answers?|ans|a|ａ|答案|回答|答え|答|답변|답|antwort|respuesta|réponse|resposta|risposta|ответ|відповідь|odpowiedź|"
    r"odpověď|antwoord|svar|cevap|yanıt|jawaban|trả lời|đáp án|απάντηση|תשובה|الجواب|جواب|الإجابة|إجابة|ج|پاسخ|उत्तर|"
    r"जवाब|উত্তর|คำตอบ|ตอบ|r|о"
)
_ASKED = ("?", "？", "؟")  # what ends a question
_MARKS = r"[\s>#*_+•\-(\[\"]*"
_LABEL = re.compile(
    rf"{_MARKS}(?:\d{{1,3}}\s*[.):、]{_MARKS})?"
    rf"(?:(?P<q>{_ASKING})|(?P<a>{_ANSWERING}))(?P<n>[ \t#№]*\d{{0,3}})[*_\])\"]*"
    r"(?:\s*[:：]|(?P<other>[.)、]|\s+[-–—])(?=\s)|(?P<alone>\s*\Z))\s*",
    re.IGNORECASE,
)
_ANSWER_BEHIND = re.compile(  # a question, on the same line
    r"(?<=[?？؟.!。！…\"”*_)])(?:\s+[*_]*(?:A|Ans|[Aa]nswer)\s*\d{0,3}|\s*[*_]*(?:答案|回答|答))[*_]*\s*[:：][*_]*\s*"
)
_ANSWER_ANYWHERE = re.compile(r"\s[*_]*(?:A|Answer)\s*\d{0,3}[*_]*[:：][*_]*\s+")
_QUESTION_BEHIND = re.compile(
    r"\s[*_]*(?:Q|[Qq]uestion)\s*\d{0,3}[*_]*[:：][*_]*\s*|[*_]*(?:问题|問題|问|問)\s*[:：]\s*"
)
_ITEM = re.compile(r"\s*(?:[-*•+–]|[*_]{0,2}\(?\d{1,3}[.)、:])\s+")
_ONE_LINE = re.compile(r"(?P<q>.*?[?？؟])[*\"”]*+\s*+(?P<sign>[-–—:：=>→]+|)\s*+(?P<a>[^?？؟]+)\Z")
_RULE = re.compile(r"[\s|:\-]*\Z")
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)
_NAME = re.compile(rf"\s*(?:(?P<q>{_ASKING})|(?P<a>{_ANSWERING}))[ _-]*(?P<n>\d*)\s*\Z", re.IGNORECASE)
_SHORT = 6  # words of a line that goes on with a list


def lines_of(reply: str) -> list[str]:
    """The lines of a reply, without fences of code and, where it is one of HTML, without tags."""
    text = _FENCE.sub("", reply.replace("\r\n", "\n").replace("\r", "\n"))
    if text.lstrip().startswith("<"):
        if re.search(r"<q(?:uestion)?>", text):
            text = re.sub(r"<a(?:nswer)?>", "\nA: ", re.sub(r"<q(?:uestion)?>", "\nQ: ", text))
        text = html.unescape(re.sub(r"<[^<>\n]*>", "", re.sub(r"</(?:p|li|div|tr|h\d)>|<br\s*/?>", "\n", text)))
    return text.split("\n")


# ---------------------------------------------------------------- JSON


def from_json(reply: str) -> list[Found]:
    """Pairs of JSON anywhere in a reply, whatever stands around them; of JSON that is cut, those that are whole."""
    return [(question, answer, False) for value in _values(reply) for question, answer in _walk(value)]


def _values(reply: str) -> Iterator[Any]:
    decoder, place, broken = json.JSONDecoder(), 0, 0
    starts = re.compile(r"[\[{]")
    while broken < BROKEN and (start := starts.search(reply, place)):
        try:
            value, place = decoder.raw_decode(reply, start.start())
            yield value
        except (ValueError, RecursionError):
            place, broken = start.end(), broken + 1


def _walk(value: Any, depth: int = 8) -> Iterator[tuple[str, str]]:
    if not depth:
        return
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(item, str) for item in value) and value[0].rstrip().endswith(_ASKED):
            yield value[0], value[1]
            return
        for item in value:
            yield from _walk(item, depth - 1)
    elif isinstance(value, dict):
        found = list(_named(value))
        yield from found
        for key, inner in value.items() if not found else ():
            if key.rstrip().endswith(_ASKED) and (answer := _plain(inner)):
                yield key, answer
            elif isinstance(inner, list | dict):
                yield from _walk(inner, depth - 1)


def _named(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of an object by the names of its keys: question and answer, numbered or not; or two lists of them."""
    sides: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        if name := _NAME.match(key):
            sides.setdefault(name["n"], {})["q" if name["q"] else "a"] = value
    for side in sides.values():
        question, answer = side.get("q"), side.get("a")
        if isinstance(question, list) and isinstance(answer, list):
            yield from ((q, _plain(a)) for q, a in zip(question, answer, strict=False) if isinstance(q, str))
        elif isinstance(question, str):
            yield question, _plain(answer)


def _plain(value: Any) -> str:
    """A value as an answer; a list with commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_plain, value)))
    return "" if value is None or isinstance(value, dict) else value if isinstance(value, str) else json.dumps(value)


# ---------------------------------------------------------------- labels


def from_labels(lines: list[str]) -> list[Found]:
    """Pairs behind labels (Q:/A:, **Question:**, 问：/答：, Q1./A1., headings), on one line or on several."""
    pieces = list(map(_piece, lines))
    end = max((at for at, (kind, _) in enumerate(pieces) if kind != "blank"), default=0)
    found: list[Found] = []
    at = 0
    while at < len(pieces):
        if pieces[at][0] != "q":
            at += 1
            continue
        question, at = _gathered(pieces, at, ("text", "blank"))
        if at < len(pieces) and pieces[at][0] == "a":
            answer, at = _answer(pieces, at)
            found += _divided(" ".join(question), answer, at > end)
        else:
            found += _on_one_line(" ".join(question), at > end)
    return found


def _piece(line: str) -> tuple[str, str]:
    """A line as (kind, text): q and a behind a label, text, or blank."""
    label = _LABEL.match(line)
    if label is None or not _is_label(label, line):
        return "text" if line.strip() else "blank", line
    kind = "q" if label["q"] else "a"
    marked = set("*_").intersection(line[: label.start(kind)])
    return kind, line[label.end() :].lstrip("*_ ") if marked else line[label.end() :]


def _is_label(label: re.Match[str], line: str) -> bool:
    if label["alone"] is not None:  # a heading, or bold: a word alone on a line may be an answer
        return line.lstrip().startswith(("#", "**", "__"))
    word = label["q"] or label["a"]
    return label["other"] is None or bool(label["n"].strip()) or word in ("Q", "A")


def _gathered(pieces: list[tuple[str, str]], at: int, kinds: tuple[str, ...]) -> tuple[list[str], int]:
    """The texts of a piece and of those of some kinds behind it, and where these end."""
    texts = [pieces[at][1]]
    at += 1
    while at < len(pieces) and pieces[at][0] in kinds:
        texts.append(pieces[at][1])
        at += 1
    return [text.strip() for text in texts if text.strip()], at


def _answer(pieces: list[tuple[str, str]], at: int) -> tuple[str, int]:
    """An answer with the lines below it that belong to it: items of a list, short lines, or all if it begins there."""
    parts = [pieces[at][1].strip()] if pieces[at][1].strip() else []
    begins_below = not parts
    at += 1
    while at < len(pieces) and pieces[at][0] in ("text", "blank"):
        kind, text = pieces[at]
        item = _ITEM.match(text)
        if kind == "blank" and parts:
            break
        if kind == "text":
            short = len(text.split()) <= _SHORT and not text.rstrip().endswith((".", "!", "?", ":"))
            if parts and not (item or short or (begins_below and not _ITEM.match(pieces[at - 1][1]))):
                break
            parts.append(text[item.end() if item else 0 :].strip())
        at += 1
    return re.sub(r"([,;:、]),", r"\1", ", ".join(parts)), at


def _divided(question: str, answer: str, last: bool) -> list[Found]:
    """A pair, and those that stand behind its answer on the same line."""
    behind = _QUESTION_BEHIND.search(answer)
    more = _on_one_line(answer[behind.end() :], last) if behind else []
    return [(question, answer[: behind.start()], False), *more] if behind and more else [(question, answer, last)]


def _on_one_line(text: str, last: bool) -> list[Found]:
    """The pairs of a line that begins with a question."""
    split = _ANSWER_BEHIND.search(text) or _ANSWER_ANYWHERE.search(text)
    return _divided(text[: split.start()], text[split.end() :], last) if split else []


# ---------------------------------------------------------------- lines


def from_lines(lines: list[str]) -> list[Found]:
    """Pairs without labels: "question | answer", a question with its answer behind it or on the next line."""
    if any(_piece(line)[0] in "qa" for line in lines):
        return []
    rows = [line for line in lines if line.strip() and not _RULE.match(line)]
    found: list[Found] = []
    at = 0
    while at < len(rows):
        row, last = rows[at], at == len(rows) - 1
        item = _ITEM.match(row)
        text = row[item.end() if item else 0 :].strip()
        cells = [cell.strip() for cell in re.split(r"\||\t", text.strip("| \t"))]
        cells = cells[1:] if len(cells) == 3 and cells[0].strip(".").isdigit() else cells
        line = _ONE_LINE.match(text)
        at += 1
        if len(cells) == 2 and all(cells):
            found += [] if all(_NAME.match(cell) for cell in cells) else [(cells[0], cells[1], last)]
        elif line and (item or line["sign"]):
            found.append((line["q"], line["a"].strip(" ()"), last))
        elif text.rstrip('*"”').endswith(_ASKED) and not last and not rows[at].rstrip().endswith(_ASKED):
            below, end = _below(rows, at)
            found.append((text, below, end == len(rows)))
            at = end
    return found


def _below(rows: list[str], at: int) -> tuple[str, int]:
    """The answer below a question: one line, or the items of a list that stands further in than the question."""
    inset = len(rows[at - 1]) - len(rows[at - 1].lstrip())
    parts: list[str] = []
    while at < len(rows):
        item = _ITEM.match(rows[at])
        further_in = len(rows[at]) - len(rows[at].lstrip()) > inset
        if parts and not (item and further_in):
            break
        parts.append(rows[at][item.end() if item else 0 :].strip())
        at += 1
    return ", ".join(parts), at
