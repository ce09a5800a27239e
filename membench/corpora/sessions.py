"""Dated conversations: the line that carries a session's date, and the day on which a question is asked.

The clock is the data's own: every date stands in the texts and in the questions, none is ever read from the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from membench.values import Composed, Context, Pair, Part, Question

# Tags `kind` of questions, in the order of print.
KINDS = ("single-session", "multi-session", "temporal", "update", "open-domain", "abstention")
ABSTENTION = KINDS[-1]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s*(?:of\s+)?(?P<month>[a-z]{3,9})\.?,?\s+(?P<year>\d{4})\.?")
_MONTH_FIRST = re.compile(r"(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})\.?")
_DIGITS = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})")


@dataclass(frozen=True)
class Session:
    """What was said on a day: speakers with their words."""

    id: str
    when: datetime
    turns: tuple[tuple[str, str], ...]
    targets: tuple[Pair, ...] = ()

    @property
    def text(self) -> str:
        """What is written: the line with the date, then a line a turn."""
        said = [f"{speaker}: {' '.join(words.split())}" for speaker, words in self.turns]
        return "\n".join([f"Conversation of {day(self.when)}", *said])


def day(when: datetime) -> str:
    """20 May 2023, with the time of day where that is known."""
    time = f", {when:%H:%M}" if (when.hour, when.minute) != (0, 0) else ""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}{time}"


def forms_of(when: datetime) -> tuple[str, ...]:
    """A date as answers give it: 20 May 2023, May 20, 2023, 2023-05-20."""
    month = _MONTHS[when.month - 1]
    return f"{when.day} {month} {when.year}", f"{month} {when.day}, {when.year}", f"{when:%Y-%m-%d}"


def written_day(text: str) -> datetime | None:
    """The day that a text is, as 7 May, 2023, May 7th, 2023 or 2023-05-07; None where it is less or says more."""
    lowered = text.strip().lower()
    found = next((m for form in (_DAY_FIRST, _MONTH_FIRST, _DIGITS) if (m := form.fullmatch(lowered))), None)
    if not found:
        return None
    named = found["month"]
    months = [k for k, month in enumerate(_MONTHS, 1) if month.lower().startswith(named)]
    try:
        return datetime(int(found["year"]), int(named) if named.isdigit() else months[0], int(found["day"]))
    except (IndexError, ValueError):  # no such month or day
        return None


def asked_on(when: datetime, question: str) -> str:
    """A question with the day on which it is asked."""
    return f"It is {day(when)}. {question}"


def recalled(
    id_: str, evidence: Sequence[Session], questions: Iterable[Question], sessions: Sequence[Session]
) -> Composed:
    """A context: floor and reference read the sessions with the evidence, a memory is written all of them."""
    last = max(sessions.index(session) for session in evidence)
    parts = tuple(Part(s.id, s.text, (), s.targets, completes=(id_,) * (k == last)) for k, s in enumerate(sessions))
    return Composed(id_, "\n\n".join(session.text for session in evidence), tuple(questions), parts=parts)


def conversations(contexts: Iterable[Context]) -> Mapping[str, list[Composed]]:
    """The contexts by the conversation that their parts are the sessions of, whose name begins the parts' names."""
    found: dict[str, list[Composed]] = {}
    for context in contexts:
        if isinstance(context, Composed):
            found.setdefault(context.parts[0].id.rpartition("/")[0], []).append(context)
    return found


def in_turn(contexts: Sequence[Context]) -> list[Context]:
    """The contexts, those of each kind (of the first question) in turn, so that a few have some of every kind."""
    piles: dict[str, list[Context]] = {kind: [] for kind in KINDS}
    for context in contexts:
        piles[context.questions[0].tags["kind"]].append(context)
    most = max(map(len, piles.values()))
    return [pile[k] for k in range(most) for pile in piles.values() if k < len(pile)]
