"""What `worlds` brings for the task `conversation`: dated sessions of a user with an assistant, and later questions.

In each conversation the user tells of a pet (asked of one session), names a sister and later what she does (two
sessions), buys something (on which day, how long ago), moves and moves again (an update), and never has a brother.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from membench.corpora.sessions import ABSTENTION, Session, asked_on, forms_of, recalled
from membench.corpora.world_kinds import WORDS
from membench.corpora.world_names import clashes, draw, entity_root, first_name
from membench.values import NOT_STATED, Composed, Pair, Question

_Asked = tuple[str, tuple[str, ...], tuple[str, ...]]  # a question, its accepted answers, its distractors
WRONG = 4
START = datetime(2021, 1, 4)
PLACES = ("pet", "sister", "work", "home", "bought", "moved", "talk-0", "talk-1")  # what each session is about
BEFORE = (("sister", "work"), ("home", "moved"))  # the first of each pair is told first
_TALK = (
    ("It has rained here all morning.", "I hope that it clears up soon."),
    ("Could you give me an idea for dinner?", "How about soup with bread?"),
    ("I slept badly last night.", "A short walk in the evening may help."),
    ("Can you tell me a riddle?", "What has hands and cannot clap? A clock."),
    ("I have to write a long letter today.", "Begin with the main point, the rest will follow."),
    ("My bus was late again.", "That is annoying. Is there a train?"),
)


def talks(seed: int, count: int) -> tuple[Composed, ...]:
    """The first contexts of a seed, conversation by conversation, the same however many are asked for."""
    found: list[Composed] = []
    number = 0
    while len(found) < count:
        found += _Talk(seed, number).contexts()
        number += 1
    return tuple(found[:count])


class _Talk:
    """A conversation in the making. It draws from one random generator: the order of the calls is part of the data."""

    def __init__(self, seed: int, number: int):
        self.rng = random.Random(f"sessions/{seed}/{number}")
        self.id = f"talk{seed}-{number}"
        self.taken: list[str] = []
        self.pet, self.colour = self._word("animal"), self._word("colour")
        names = [f"{first_name(self.rng)} {entity_root(seed, 3 * number + k)}" for k in range(2)]
        self.pet_name, self.sister = entity_root(seed, 3 * number + 2), names[0]
        self.taken += [*names, self.pet_name]
        self.work, self.bought = self._word("occupation"), self._word("product")
        self.old, self.new = self._word("place"), self._word("place")
        self.when = self._dates()
        self.sessions = {place: self._session(place) for place in sorted(PLACES, key=lambda p: self.when[p])}
        self.asked = max(self.when.values()) + timedelta(days=self.rng.randint(3, 20))
        bought = self.when["bought"]
        while (self.asked - bought).days in (self.asked.day, bought.day):  # a date that is repeated would answer
            self.asked += timedelta(days=1)

    def _word(self, type_: str) -> str:
        value = next(v for v in iter(lambda: draw(type_, self.rng), None) if not clashes(v, self.taken))
        self.taken.append(value)
        return value

    def _dates(self) -> dict[str, datetime]:
        order = self.rng.sample(PLACES, len(PLACES))
        for early, late in BEFORE:
            i, k = sorted((order.index(early), order.index(late)))
            order[i], order[k] = early, late
        when = START + timedelta(days=self.rng.randrange(1200))
        found = {}
        for place in order:
            found[place] = when
            when += timedelta(days=self.rng.randint(2, 25))
        return found

    def _session(self, place: str) -> Session:
        """The session about something, with small talk before or behind it."""
        told, reply, targets = self._told(place)
        small = [turn for pair in self.rng.sample(_TALK, 2 if not told else 1) for turn in pair]
        turns = [*small, *([told, reply] if told else [])] if self.rng.random() < 0.5 else [told, reply, *small]
        spoken = tuple((("User", "Assistant")[k % 2], words) for k, words in enumerate(filter(None, turns)))
        return Session(f"{self.id}/{place}", self.when[place], spoken, targets)

    def _told(self, place: str) -> tuple[str, str, tuple[Pair, ...]]:
        """What the user tells, what the assistant says to that, and target sentences about it."""
        when = forms_of(self.when[place])[0]
        told: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
            "pet": (
                f"I have a tame {self.pet} now. The {self.pet} is called {self.pet_name} and sleeps in a {self.colour} "
                "basket.", f"{self.pet_name} is a lovely name.",
                ((f"How is the {self.pet} of the user called?", self.pet_name),
                 (f"In a basket of which colour does {self.pet_name} sleep?", self.colour)),
            ),
            "sister": (
                f"My sister {self.sister} came to visit me.", "It is good to see family.",
                (("Who is the sister of the user?", self.sister),),
            ),
            "work": (
                f"My sister has a new job. She works as a {self.work} now.", f"A {self.work} always finds work.",
                (("As what does the user's sister work?", self.work),),
            ),
            "home": (
                f"I have moved house. I live in {self.old} now.", f"I hope that you like {self.old}.",
                ((f"To which town did the user move on {when}?", self.old),),
            ),
            "moved": (
                f"I have moved again. I no longer live in {self.old}, I live in {self.new} now.",
                f"All the best in {self.new}.",
                ((f"To which town did the user move on {when}?", self.new),),
            ),
            "bought": (
                f"Today I bought {self.bought}.", "Enjoy them.",
                ((f"When were the {self.bought} bought by the user?", when),),
            ),
        }  # fmt: skip
        words, reply, pairs = told.get(place, ("", "", ()))
        return words, reply, tuple(Pair(question, answer) for question, answer in pairs)

    def contexts(self) -> list[Composed]:
        """One of each kind, with its evidence and its questions."""
        bought = self.when["bought"]
        ago = (self.asked - bought).days
        day = self._others(lambda: forms_of(bought + timedelta(days=self.rng.randint(-90, 90)))[0], forms_of(bought)[0])
        count = self._others(lambda: f"{max(1, ago + self.rng.randint(-20, 20))} days", f"{ago} days")
        home = (self.old, *self._wrong("place")[1:])
        return [
            self._context("single-session", ("pet",), [
                (f"What is the name of the user's {self.pet}?", (self.pet_name,), self._roots()),
                (f"What colour is the basket of {self.pet_name}?", (self.colour,), self._wrong("colour")),
            ]),
            self._context("multi-session", ("sister", "work"), [
                (f"What is the job of {self.sister}?", (self.work,), self._wrong("occupation")),
            ]),
            self._context("temporal", ("bought",), [
                (f"What did the user buy on {forms_of(bought)[0]}?", (self.bought,), self._wrong("product")),
                (f"On which day did the user buy {self.bought}?", forms_of(bought), day),
                (f"How many days ago did the user buy {self.bought}?", (f"{ago} days", str(ago)), count),
            ]),
            self._context("update", ("home", "moved"), [
                ("Where does the user live now?", (self.new,), home),
            ], old=self.old),
            self._context(ABSTENTION, ("sister",), [
                ("What is the name of the user's brother?", NOT_STATED, (self.sister,)),
            ], leak=self.sister),
        ]  # fmt: skip

    def _context(
        self,
        kind: str,
        evidence: tuple[str, ...],
        asked: list[tuple[str, tuple[str, ...], tuple[str, ...]]],
        **tags: str,
    ) -> Composed:
        id_ = f"{self.id}-{kind}"
        questions = [
            Question(f"{id_}-{k}", asked_on(self.asked, text), answers, id_, wrong,
                     {"kind": kind, "conversation": self.id, **tags})
            for k, (text, answers, wrong) in enumerate(asked)
        ]  # fmt: skip
        return recalled(id_, [self.sessions[place] for place in evidence], questions, list(self.sessions.values()))

    def _wrong(self, type_: str) -> tuple[str, ...]:
        """Values of a type that no session of the conversation states."""
        return tuple(self._word(type_) for _ in range(WRONG))

    def _roots(self) -> tuple[str, ...]:
        return self._others(lambda: self.rng.choice(WORDS["roots of entities"]) + "lan", self.pet_name)

    def _others(self, make: Callable[[], str], right: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        while len(found) < WRONG:
            if (value := make()) != right:
                found[value] = None
        return tuple(found)
