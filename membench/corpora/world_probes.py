"""What `worlds` adds for the task `contamination`: more probes, and dated texts of two sources that disagree.

All of it is drawn from a generator of its own, so that contexts, questions and targets stay exactly what they are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from membench.corpora.world_builder import cast, sentence
from membench.corpora.world_kinds import KINDS, Attribute, Kind
from membench.corpora.world_names import accepted, clashes, draw, entity_root, first_name
from membench.values import NOT_STATED, Context, Pair, Question

PROBED_FACTS = 2  # rehearsed facts of each context with every kind of probe
UNSTATED = 2  # unanswerable questions about each context
DISPUTED = 2  # facts, at most, of each pair of texts that disagree
LAST_ROOT = 11_519  # unrelated subjects take entity roots from the end, where no context comes to
NOUNS = {"station": "research station", "club": "sports club"}  # of kinds, where it is not their key
UNSOURCED = ("year", "org")  # types whose values could be taken for a source or its date


class _Prober:
    """The additions to one context."""

    def __init__(self, context: Context, seed: int, index: int):
        self.rng = random.Random(f"probes/{seed}/{index}")
        self.context = context
        self.kind, self.name, self.neighbour = cast(seed, index)
        self.attributes = {a.key: a for a in self.kind.attributes}
        other = self.rng.choice([kind for kind in KINDS if kind.key != self.kind.key])
        self.other: Kind = other
        root = entity_root(seed, LAST_ROOT - index)
        self.stranger = self.rng.choice(other.names).format(root=root, first=first_name(self.rng))

    def probes(self) -> tuple[Question, ...]:
        """The context's own probes, then what is missing for PROBED_FACTS facts, then UNSTATED unanswerable ones."""
        own = {(q.tags["kind"], q.tags["of"]): q for q in self.context.probes}
        rehearsed = [q for q in self.context.questions if q.tags["rehearsed"] == "yes"]
        out = list(self.context.probes)
        for question in self.rng.sample(rehearsed, min(PROBED_FACTS, len(rehearsed))):
            made = (self.paraphrase, self.reversed, self.near_entity, self.near_attribute, self.pattern)
            out += [p for p in (make(question) for make in made) if (p.tags["kind"], p.tags["of"]) not in own]
        unique = {q.id: q for q in (*out, *self.unanswerable())}
        return tuple(unique.values())

    def paraphrase(self, of: Question) -> Question:
        """The fact in a phrasing of test questions that was not used."""
        texts = [self.ask(p, self.name) for p in self.attribute(of).tests]
        text = next(text for text in texts if text != of.text)
        return self.probe("paraphrase", of, text, of.answers, of.distractors)

    def reversed(self, of: Question) -> Question:
        """From the value to the entity."""
        statement = self.rng.choice(self.attribute(of).statements).format(e="…", v=of.answers[0])
        noun = NOUNS.get(self.kind.key, self.kind.key)
        text = f"For which {noun} does this hold: {statement}?"
        return self.probe("reversed", of, text, (self.name,), (self.neighbour,))

    def near_entity(self, of: Question) -> Question:
        """The same attribute of another entity of the same kind."""
        return self.probe("near_entity", of, self.ask(self.rng.choice(self.attribute(of).tests), self.neighbour))

    def near_attribute(self, of: Question) -> Question:
        """An attribute of the entity that the passage does not state."""
        stated = {q.tags["fact"] for q in self.context.questions}
        unstated = [a for a in self.kind.attributes if a.key not in stated]
        alike = [a for a in unstated if a.base == self.attribute(of).base]
        attribute = self.rng.choice(alike or unstated)
        return self.probe("near_attribute", of, self.ask(self.rng.choice(attribute.tests), self.name))

    def pattern(self, of: Question) -> Question:
        """The very pattern of the question with a subject of another kind."""
        return self.probe("pattern", of, of.text.replace(self.shown(of), self.stranger))

    def unanswerable(self) -> Iterator[Question]:
        """About the entity, attributes that only another kind of thing has."""
        keys = {a.key for a in self.kind.attributes}
        foreign = [a for a in self.other.attributes if a.key not in keys]
        for number, attribute in enumerate(self.rng.sample(foreign, UNSTATED)):
            id_ = f"{self.context.id}-unanswerable-{number}"
            text = self.ask(self.rng.choice(attribute.tests), self.name)
            yield Question(id_, text, NOT_STATED, self.context.id, (), {"kind": "unanswerable", "fact": attribute.key})

    def conflict(self) -> Context | None:
        """A dated text of one source, whose revision is a later one of another source that gives other values."""
        usable = [
            q
            for q in self.context.questions
            if self.attribute(q).base not in UNSOURCED and len(self.phrasings(self.attribute(q))) > 1
        ]
        if not usable:
            return None
        facts = self.rng.sample(usable, min(DISPUTED, len(usable)))
        attributes, id_ = [self.attribute(q) for q in facts], f"{self.context.id}-conflict"
        taken = [self.name, *(q.answers[0] for q in self.context.questions)]
        disputes = []
        for fact, attribute in zip(facts, attributes, strict=True):
            disputes.append((attribute, fact.answers[0], self.value(attribute, taken)))
            taken.append(disputes[-1][2])
        first = self.rng.randint(1991, 2005)
        years = (first, first + self.rng.randint(2, 9))
        earlier = self.source([])
        sources = (earlier, self.source([earlier]))
        old, new = (
            self.report(year, source, [(attribute, values[side]) for attribute, *values in disputes])
            for side, (year, source) in enumerate(zip(years, sources, strict=True))
        )
        asked = [q for dispute in disputes for q in self.conflict_questions(id_, dispute, sources)]
        later = Context(f"{id_}-new", new, tuple(asked), self.pairs([(a, value) for a, _, value in disputes]))
        about = tuple(
            Question(f"{id_}-old-{a.key}", q.text, accepted(before), f"{id_}-old", (after,), {"kind": "test"})
            for q, (a, before, after) in zip(facts, disputes, strict=True)
        )
        return Context(f"{id_}-old", old, about, self.pairs([(a, value) for a, value, _ in disputes]), revision=later)

    def report(self, year: int, source: str, found: Sequence[tuple[Attribute, str]]) -> str:
        """What a source of a year says of some attributes."""
        statements = [sentence(a.statements[0].format(e=self.name, v=value)) for a, value in found]
        return f"In {year}, the {source} reported: {' '.join(f'{statement}.' for statement in statements)}"

    def conflict_questions(
        self, id_: str, dispute: tuple[Attribute, str, str], sources: Sequence[str]
    ) -> list[Question]:
        """The plain question in two phrasings, and one question a source."""
        attribute, old, new = dispute
        owner, fact, id_ = f"{id_}-new", {"fact": attribute.key}, f"{id_}-{attribute.key}"
        texts = self.phrasings(attribute)[:2]
        tags = {"kind": "conflict", "old": old, **fact}
        out = [Question(f"{id_}-{k}", sentence(t), accepted(new), owner, (old,), tags) for k, t in enumerate(texts)]
        for kind, source, value, other in zip(
            ("source_old", "source_new"), sources, (old, new), (new, old), strict=True
        ):
            text = f"According to the {source}, {texts[0][0].lower()}{texts[0][1:]}"
            tags = {"kind": kind, "other": other, **fact}
            out.append(Question(f"{id_}-{kind}", text, accepted(value), owner, (other,), tags))
        return out

    def phrasings(self, attribute: Attribute) -> list[str]:
        """Test questions that do not begin with the entity's name, so that they can follow a clause."""
        return [pattern.format(e=self.name) for pattern in attribute.tests if not pattern.startswith("{e}")]

    def pairs(self, found: Sequence[tuple[Attribute, str]]) -> tuple[Pair, ...]:
        """Target sentences about each value, two of them."""
        return tuple(Pair(self.ask(pattern, self.name), value) for a, value in found for pattern in a.targets[:2])

    def source(self, taken: Sequence[str]) -> str:
        """The name of an organisation."""
        while True:
            name = draw("org", self.rng)
            if not clashes(name, [self.name, *taken]):
                return name

    def value(self, attribute: Attribute, taken: Sequence[str]) -> str:
        """A value that cannot be confused with those taken."""
        return next(v for v in iter(lambda: draw(attribute.type, self.rng), None) if not clashes(v, taken))

    def attribute(self, question: Question) -> Attribute:
        """What a test question asks for."""
        return self.attributes[question.tags["fact"]]

    def shown(self, question: Question) -> str:
        """The entity's name as it stands in a question: at its beginning with a capital letter."""
        return self.name if self.name in question.text else sentence(self.name)

    def ask(self, pattern: str, name: str) -> str:
        """A question as text."""
        return sentence(pattern.format(e=name))

    def probe(
        self, kind: str, of: Question, text: str, answers: tuple[str, ...] = NOT_STATED, wrong: tuple[str, ...] = ()
    ) -> Question:
        """A probe that belongs to a test question."""
        id_ = f"{of.id}-{kind.replace('_', '-')}-probe"
        return Question(
            id_, text, answers, self.context.id, wrong, {"kind": kind, "fact": of.tags["fact"], "of": of.id}
        )


def probed(context: Context, seed: int, index: int) -> tuple[Context, Context | None]:
    """The index-th context of a seed with all its probes, and two texts that disagree about some of its facts."""
    prober = _Prober(context, seed, index)
    return replace(context, probes=prober.probes()), prober.conflict()
