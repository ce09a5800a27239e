"""How `worlds` makes a context: an entity, its facts, a passage that states them, and the questions about them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from membench.corpora.world_kinds import KINDS, Attribute, Kind
from membench.corpora.world_names import accepted, clashes, draw, entity_root, first_name
from membench.values import NOT_STATED, Context, Pair, Question

FACTS = (6, 10)  # in a passage
LENGTH = (368, 475)  # characters of a passage: 80 to 150 tokens, measured with the tokenizer of SmolLM2
DISTRACTORS = 4
DRAWS = 1000  # of a value, before its word list counts as too short
TARGET_PHRASINGS = 2

_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])")
_CORRECTORS = ("the editors", "the records office", "the national register", "the county archive", "a panel of experts")
_CORRECTIONS = (
    "A later correction by {who} states that {a}. It also states that {b}.",
    "In a later notice, {who} corrected the facts: {a}, and {b}.",
    "According to a newer statement by {who}, {a}. The same statement says that {b}.",
    "Since then {who} published new information: {a}. Moreover, {b}.",
)


@dataclass(frozen=True)
class Fact:
    """An attribute with the value that this entity has."""

    attribute: Attribute
    value: str
    rehearsed: bool = False  # whether target sentences may ask about it


def build(seed: int, index: int) -> Context:
    """The index-th context of a seed, the same whatever else is generated."""
    return _Builder(seed, index).context()


def cast(seed: int, index: int) -> tuple[Kind, str, str]:
    """The kind of the index-th context's entity, its name, and the name of its neighbour."""
    made = _Builder(seed, index)
    return made.kind, made.name, made.neighbour


class _Builder:
    """One context in the making. It draws from one random generator: the order of the calls is part of the data."""

    def __init__(self, seed: int, index: int):
        self.rng = random.Random(f"worlds/{seed}/{index}")
        self.id = f"w{seed}-{index}"
        self.kind = _kind(seed, index)
        pattern = self.rng.choice(self.kind.names)
        root, other = entity_root(seed, 2 * index), entity_root(seed, 2 * index + 1)
        self.name = pattern.format(root=root, first=first_name(self.rng))
        self.neighbour = pattern.format(root=other, first=first_name(self.rng))

    def context(self) -> Context:
        """The context with everything that hangs on it."""
        facts, text = self.passage()
        facts = self.rehearse(facts)
        asked = {f.attribute.key: self.rng.sample(f.attribute.tests[:2], 2) for f in facts}
        questions = tuple(self.question(f, asked[f.attribute.key][0], facts) for f in facts)
        return Context(
            self.id,
            text,
            questions,
            self.targets([f for f in facts if f.rehearsed]),
            self.probes(facts, asked, questions),
            self.revision(facts, asked),
        )

    def passage(self) -> tuple[list[Fact], str]:
        """Facts in the order of a passage of the right length, and that passage."""
        types = sorted({a.base for a in self.kind.attributes})
        while True:
            count = min(self.rng.randint(*FACTS), len(types))
            # one attribute of a type: two of one type would be easy to mix up
            chosen = self.rng.sample(types, count)
            order = [self.rng.choice([a for a in self.kind.attributes if a.base == base]) for base in chosen]
            if not self.unstated_types(order) & {a.base for a in order}:
                continue  # a probe asks for an attribute that is not stated, of a type that is
            facts: list[Fact] = []
            for attribute in order:
                facts.append(Fact(attribute, self.value(attribute, [self.name, *(f.value for f in facts)])))
            text = self.tell(facts)
            if LENGTH[0] <= len(text) <= LENGTH[1]:
                return facts, text

    def unstated_types(self, stated: Sequence[Attribute]) -> set[str]:
        """The types of the attributes that are not stated."""
        return {a.base for a in self.kind.attributes if a not in stated}

    def tell(self, facts: Sequence[Fact]) -> str:
        """An opening and one sentence a fact; each names the entity in full, which helps small models to answer."""
        sentences = [self.rng.choice(self.kind.openings).format(e=self.name)]
        for fact in facts:
            sentences.append(self.rng.choice(fact.attribute.statements).format(e=self.name, v=fact.value))
        return " ".join(f"{sentence(s)}." for s in sentences)

    def value(self, attribute: Attribute, taken: Sequence[str]) -> str:
        """A value that cannot be confused with those taken."""
        for _ in range(DRAWS):
            value = draw(attribute.type, self.rng)
            if not clashes(value, taken):
                return value
        raise ValueError(f"worlds.txt: every value of {attribute.key!r} can be confused with one of {taken}")

    def rehearse(self, facts: Sequence[Fact]) -> list[Fact]:
        """The facts, a random half of them rehearsed, one of these of a type that has an attribute left to probe."""
        free = self.unstated_types([f.attribute for f in facts])
        while True:
            half = (len(facts) + self.rng.randint(0, 1)) // 2
            chosen = set(self.rng.sample(range(len(facts)), half))
            if any(facts[i].attribute.base in free for i in chosen):
                return [Fact(f.attribute, f.value, i in chosen) for i, f in enumerate(facts)]

    def question(self, fact: Fact, pattern: str, facts: Sequence[Fact], **tags: str) -> Question:
        """A question about a fact, with wrong answers of its type that this context does not state."""
        taken = [self.name, *(f.value for f in facts)]
        for _ in range(DISTRACTORS):
            taken.append(self.value(fact.attribute, taken))
        label = {"kind": "test", "fact": fact.attribute.key, "rehearsed": "yes" if fact.rehearsed else "no"} | tags
        suffix = "" if label["kind"] == "test" else f"-{label['kind'].replace('_', '-')}"
        id_ = f"{self.id}-{fact.attribute.key}{suffix}"
        wrong = tuple(taken[-DISTRACTORS:])
        return Question(id_, self.ask(pattern), accepted(fact.value), self.id, wrong, label)

    def ask(self, pattern: str, name: str = "") -> str:
        """A question as text."""
        return sentence(pattern.format(e=name or self.name))

    def targets(self, facts: Sequence[Fact]) -> tuple[Pair, ...]:
        """Two phrasings a fact; all facts once, then all facts again."""
        phrasings = [self.rng.sample(f.attribute.targets, TARGET_PHRASINGS) for f in facts]
        return tuple(
            Pair(self.ask(phrasing[i]), fact.value)
            for i in range(TARGET_PHRASINGS)
            for fact, phrasing in zip(facts, phrasings, strict=True)
        )

    def probes(
        self, facts: Sequence[Fact], asked: dict[str, list[str]], questions: Sequence[Question]
    ) -> tuple[Question, ...]:
        """A paraphrase, a question about another entity, and one about an attribute that is not stated."""
        rehearsed = [f for f in facts if f.rehearsed]
        ids = {f.attribute.key: q.id for f, q in zip(facts, questions, strict=True)}
        first = self.rng.choice(rehearsed)
        key = first.attribute.key
        paraphrase = self.question(first, asked[key][1], facts, kind="paraphrase", of=ids[key])
        second = self.rng.choice(rehearsed)
        key = second.attribute.key
        near_entity = self._not_stated("near_entity", key, self.ask(asked[key][0], self.neighbour), second, ids[key])
        stated = {f.attribute.key for f in facts}
        third, attribute = self.rng.choice(
            [
                (f, a)
                for f in rehearsed
                for a in self.kind.attributes
                if a.key not in stated and a.base == f.attribute.base
            ]
        )
        text = self.ask(self.rng.choice(attribute.tests))
        near_attribute = self._not_stated("near_attribute", attribute.key, text, third, ids[third.attribute.key])
        return paraphrase, near_entity, near_attribute

    def _not_stated(self, kind: str, key: str, text: str, fact: Fact, of: str) -> Question:
        tags = {"kind": kind, "fact": key, "of": of, "leak": fact.value}
        return Question(f"{self.id}-{key}-{kind.replace('_', '-')}", text, NOT_STATED, self.id, (fact.value,), tags)

    def revision(self, facts: Sequence[Fact], asked: dict[str, list[str]]) -> Context:
        """A later text that gives two rehearsed facts new values; the old value is the first distractor."""
        old = self.rng.sample([f for f in facts if f.rehearsed], 2)
        taken = [self.name, *(f.value for f in facts)]
        new: list[Fact] = []
        for fact in old:
            new.append(Fact(fact.attribute, self.value(fact.attribute, taken), rehearsed=True))
            taken.append(new[-1].value)
        a, b = (self.rng.choice(f.attribute.statements).format(e=self.name, v=f.value) for f in new)
        text = self.rng.choice(_CORRECTIONS).format(who=self.rng.choice(_CORRECTORS), a=a, b=b)
        id_ = f"{self.id}-rev"
        questions = []
        for before, after in zip(old, new, strict=True):
            key = after.attribute.key
            made = self.question(after, asked[key][0], [*facts, *new], kind="revision", old=before.value)
            wrong = (before.value, *made.distractors[1:])
            questions.append(Question(f"{id_}-{key}", made.text, made.answers, id_, wrong, made.tags))
        return Context(id_, sentence(text), tuple(questions), self.targets(new))


def _kind(seed: int, index: int) -> Kind:
    """Every kind once in each round, in an order of its own."""
    turn, place = divmod(index, len(KINDS))
    return random.Random(f"kinds/{seed}/{turn}").sample(KINDS, len(KINDS))[place]


def sentence(text: str) -> str:
    """A text that begins with a capital letter, its articles right."""
    text = _ARTICLE.sub(r"\1n ", text)
    return text[0].upper() + text[1:]
