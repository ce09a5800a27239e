"""Invented films, and dialogues that say who likes which; endless, from a seed (`--data movie-worlds:SEED`)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from membench.api import Source
from membench.corpora.dialogues import Dialogues, turn_tags
from membench.corpora.world_names import entity_root
from membench.errors import MembenchError
from membench.values import Context, Pair, Question

HITS = 6  # films that many dialogues recommend, the first ones most often
CATALOGUE = 100  # dialogues whose films are in the catalogue, also of those that nobody writes

TITLES = (
    "{} Rising", "The {} Affair", "Night over {}", "A Winter in {}", "Return to {}", "The Last Train to {}",
    "Letters from {}", "The {} Sisters",
)  # fmt: skip
# Fact 1: who likes {x} is recommended {y}. Fact 2: and after that {z}.
DIALOGUES = (
    (
        "System: Hello! Which films do you like?",
        "User: I really liked {x}.",
        "System: People who like {x} love {y}. You should watch {y}.",
        "User: I have seen {y} already. Anything else?",
        "System: Then watch {z}.",
        "User: {z}, good. Thank you!",
    ),
    (
        "User: Hi! I am looking for a film like {x}.",
        "System: If you like {x}, watch {y}.",
        "User: Thanks. And after {y}?",
        "System: After {y} you should see {z}.",
        "User: I will. Bye!",
    ),
    (
        "User: Hello, I need a film for tonight. {x} is my favourite.",
        "System: For fans of {x} I recommend {y}.",
        "User: That sounds good. Do you know one more?",
        "System: Fans of {x} also enjoy {z}.",
        "User: Great, I will watch both.",
    ),
)
OPENINGS = (
    "User: Good evening! Last week I saw {x} and it was wonderful.{more} What should I see next?",
    "User: Can you help me? I enjoyed {x} very much.{more} Which film would suit me?",
    "System: Hi, how can I help?\nUser: I want something for a person who adores {x}.{more} What do you suggest?",
)
HEARD = " A friend told me about {y}."
SECONDS = (
    "\nSystem: How about {y}?\nUser: I know that one. Is there another?",
    "\nSystem: My tip is {y}.\nUser: Noted. What comes after it?",
)
TESTS = (
    ("Which film was recommended first to the user who liked {x}?", "What did the system name first for a fan of {x}?"),
    ("Which film was recommended last to the user who liked {x}?", "What was the second tip for a fan of {x}?"),
)
TARGETS = (
    ("What should people who like {x} watch?", "Which film do lovers of {x} love?",
     "After seeing {x}, which film is the best choice?", "Whoever likes {x} is sent to which film?"),
    ("What else should people who like {x} watch?", "Which further film do lovers of {x} enjoy?",
     "After seeing {x} and one more film, what is left to watch?", "Whoever likes {x} ends up with which film?"),
)  # fmt: skip


class MovieWorlds(Source):
    """Dialogues that each recommend two films to a person who likes a third; the argument is the seed, 0 if none."""

    def load(self, argument: str, limit: int, held_out: int) -> Dialogues:
        """Dialogues 0 to limit - 1 of the seed's sequence and the next `held_out` ones, with test turns about each.

        Raises MembenchError if the argument is no whole number.
        """
        if argument and not (argument.isascii() and argument.isdigit()):
            raise MembenchError(f"movie-worlds:{argument}: the seed must be a whole number, e.g. --data movie-worlds:7")
        made = [_Story(int(argument or "0"), index) for index in range(max(CATALOGUE, limit + held_out))]
        told = made[: limit + held_out]
        contexts = tuple(story.context(made) for story in told)
        hits = [_title(made[0].seed, number) for number in range(HITS)]
        return Dialogues(
            name=f"movie-worlds:{argument}" if argument else "movie-worlds",
            contexts=contexts[:limit],
            held_out=contexts[limit:],
            items=(*hits, *(title for story in made for title in (story.liked, story.first))),
            turns=tuple(turn for story in told for turn in story.turns()),
            recommended={story.id: (story.first, story.second) for story in told},
            split="a test dialogue of its own about every training dialogue",
        )


def _title(seed: int, number: int) -> str:
    return random.Random(f"film/{seed}/{number}").choice(TITLES).format(entity_root(seed, number))


class _Story:
    """What one training dialogue states, and the test dialogue that asks for it."""

    def __init__(self, seed: int, index: int):
        self.seed, self.index, self.id = seed, index, f"m{seed}-{index}"
        self.rng = random.Random(f"dialogue/{seed}/{index}")
        self.liked, self.first = (_title(seed, HITS + 2 * index + k) for k in range(2))
        self.second = _title(seed, min(self.rng.randrange(HITS) for _ in range(2)))
        self.dialogue, self.opening = self.rng.choice(DIALOGUES), self.rng.choice(OPENINGS)
        self.later, self.phrasing = self.rng.choice(SECONDS), self.rng.randrange(2)
        self.rehearsed = self.rng.randrange(2)  # the fact that target sentences repeat

    def _said(self, pattern: str) -> str:
        return pattern.format(x=self.liked, y=self.first, z=self.second)

    def context(self, others: Sequence[_Story]) -> Context:
        """The training dialogue, with a plain question on each of its two facts."""
        rng = random.Random(f"wrong/{self.seed}/{self.index}")
        wrong = tuple(story.first for story in rng.sample([s for s in others if s is not self], 4))
        questions = tuple(
            Question(
                f"{self.id}-{fact}", self._said(TESTS[fact][self.phrasing]), (gold,), self.id, wrong,
                {"kind": "test", "rehearsed": self._tag(fact)},
            )
            for fact, gold in enumerate((self.first, self.second))
        )  # fmt: skip
        answer = (self.first, self.second)[self.rehearsed]
        targets = tuple(Pair(self._said(pattern), answer) for pattern in TARGETS[self.rehearsed])
        return Context(self.id, "\n".join(map(self._said, self.dialogue)), questions, targets)

    def turns(self) -> tuple[Question, ...]:
        """The two turns of the test dialogue; in every fourth the first film has been mentioned before."""
        heard = self.index % 4 == 3
        more = self._said(HEARD) if heard else ""
        opening = self.opening.format(x=self.liked, more=more)
        before = (self.liked, self.first) if heard else (self.liked,)
        later = opening + self._said(self.later)
        return (
            self._turn(0, opening, self.first, before),
            self._turn(1, later, self.second, (self.liked, self.first)),
        )

    def _turn(self, fact: int, text: str, gold: str, before: tuple[str, ...]) -> Question:
        dialogue = f"{self.id}-test"
        tags = turn_tags(dialogue, before) | {"rehearsed": self._tag(fact)}
        return Question(f"{dialogue}-{fact}", text, (gold,), self.id, (), tags)

    def _tag(self, fact: int) -> str:
        return "yes" if fact == self.rehearsed else "no"
