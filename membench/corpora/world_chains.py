"""What `worlds` brings for the task `composition`: two facts in two texts, and a question that needs both.

A first text says how an invented thing is linked to an invented bearer of facts ("was designed by Ada Belbec"), a
second one says what is true of that one. Chains come in pairs of one make: each has the other's answer as its
distractor of the same type, and that answer is written, too.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from membench.corpora.chains import BROKEN, HOP, LINKED, hops_tag
from membench.corpora.world_builder import sentence
from membench.corpora.world_kinds import KINDS, Kind
from membench.corpora.world_names import accepted, clashes, draw, entity_root, first_name
from membench.values import NOT_STATED, Composed, Pair, Part, Question

ASKED = 2  # facts at the end of a chain that are asked about
STATED = 4  # facts that the second text states
WRONG = 3  # distractors beside the other chain's answer
NAMES = frozenset({"person", "place", "org", "firm", "language"})  # types of values that look like a bearer
ROOTS = 3  # of each chain: its thing, its bearer, and a thing that no text knows


class Link(NamedTuple):
    """How a thing is linked to a bearer of facts: {e} is the thing, {b} the bearer."""

    kind: str  # the bearer's, among those of worlds.txt
    things: tuple[str, ...]
    opening: str
    statement: str
    test: str  # the first hop alone
    targets: tuple[str, str]
    bearer: str  # the bearer, told by the thing


LINKS = (
    Link(
        "person", ("the {root} Hall", "the {root} Theatre", "the {root} Library"), "{e} is a [] building",
        "{e} was designed by {b}", "Who designed {e}?",
        ("Who was the architect of {e}?", "From whom is the design of {e}?"), "the person who designed {e}",
    ),
    Link(
        "company", ("the {root} Bridge", "the {root} Tower", "the {root} Pier"), "{e} is [] when it is lit",
        "{e} was built by {b}", "Who built {e}?",
        ("Which company erected {e}?", "Who was the builder of {e}?"), "the company that built {e}",
    ),
    Link(
        "village", ("the {root} Concert", "the {root} Race", "the {root} Parade"), "{e} has a [] flag",
        "{e} is held in {b}", "Where is {e} held?",
        ("In which village does {e} take place?", "Which village is the home of {e}?"), "the village where {e} is held",
    ),
    Link(
        "club", ("the {root} Cup", "the {root} Trophy", "the {root} Shield"), "{e} hangs on a [] ribbon",
        "{e} was won by {b}", "Who won {e}?",
        ("Which club is the winner of {e}?", "To which club did {e} go?"), "the club that won {e}",
    ),
)  # fmt: skip


def chains(seed: int, count: int) -> tuple[Composed, ...]:
    """The first chains of a seed, the same however many are asked for."""
    made = [chain for pair in range((count + 1) // 2) for chain in _Pair(seed, pair).chains()]
    return tuple(made[:count])


class _Pair:
    """Two chains in the making. It draws from one random generator: the order of the calls is part of the data."""

    def __init__(self, seed: int, pair: int):
        self.rng = random.Random(f"chains/{seed}/{pair}")
        self.link = LINKS[pair % len(LINKS)]
        self.kind: Kind = next(kind for kind in KINDS if kind.key == self.link.kind)
        self.ids = [f"chain{seed}-{2 * pair + side}" for side in range(2)]
        roots = [entity_root(seed, 2 * ROOTS * pair + k) for k in range(2 * ROOTS)]
        thing, bearer = self.rng.choice(self.link.things), self.rng.choice(self.kind.names)
        self.things = [thing.format(root=root) for root in roots[:2]]
        self.unknown = [thing.format(root=root) for root in roots[2:4]]
        self.bearers = [bearer.format(root=root, first=first_name(self.rng)) for root in roots[4:]]
        words = [a for a in self.kind.attributes if a.base not in NAMES]
        one_a_type = {a.base: a for a in self.rng.sample(words, len(words))}
        self.attributes = self.rng.sample(sorted(one_a_type.values(), key=lambda a: a.key), STATED)
        taken = [*self.things, *self.unknown, *self.bearers]
        self.values: list[list[str]] = []
        for _ in range(2):
            self.values.append([self._word(attribute.type, taken) for attribute in self.attributes])
        self.colours = [self._word("colour", taken) for _ in range(2)]

    def chains(self) -> tuple[Composed, Composed]:
        """The two, each with its texts and questions."""
        return self._chain(0), self._chain(1)

    def _word(self, type_: str, taken: list[str]) -> str:
        """A value that cannot be confused with those taken, and is taken then."""
        value = next(v for v in iter(lambda: draw(type_, self.rng), None) if not clashes(v, taken))
        taken.append(value)
        return value

    def _chain(self, side: int) -> Composed:
        id_, first, second = self.ids[side], self._first(side), self._second(side)
        questions = tuple(q for place in range(ASKED) for q in self._asked(side, place))
        return Composed(id_, f"{first.text}\n\n{second.text}", (self._hop(side), *questions), parts=(first, second))

    def _first(self, side: int) -> Part:
        """The text about the thing: what it is linked to, between two sentences that say something else."""
        thing, link = self.things[side], self.link
        told = [link.opening.replace("[]", self.colours[side]), link.statement]
        text = _text([sentence_.format(e=thing, b=self.bearers[side]) for sentence_ in told])
        targets = tuple(Pair(_ask(pattern, thing), self.bearers[side]) for pattern in link.targets)
        return Part(f"{self.ids[side]}-first", text, (), targets)

    def _second(self, side: int) -> Part:
        """The text about the bearer, which does not name the thing."""
        bearer, facts = self.bearers[side], list(zip(self.attributes, self.values[side], strict=True))
        opening = self.rng.choice(self.kind.openings)
        told = self.rng.sample(facts, len(facts))
        text = _text([opening.format(e=bearer), *(a.statements[0].format(e=bearer, v=v) for a, v in told)])
        targets = tuple(Pair(_ask(a.targets[k], bearer), v) for k in range(2) for a, v in facts)
        return Part(f"{self.ids[side]}-second", text, (), targets, completes=(self.ids[side],))

    def _hop(self, side: int) -> Question:
        """The first hop alone."""
        wrong = [self.bearers[1 - side]]
        while len(wrong) < WRONG:
            pattern = self.rng.choice(self.kind.names)
            name = pattern.format(root=entity_root(0, self.rng.randrange(1404)), first=first_name(self.rng))
            if not clashes(name, [*self.bearers, *wrong]):
                wrong.append(name)
        text, bearer = _ask(self.link.test, self.things[side]), self.bearers[side]
        tags = {"kind": HOP, "hop": "1"}
        return Question(f"{self.ids[side]}-hop-1", text, (bearer,), self.ids[side], tuple(wrong), tags)

    def _asked(self, side: int, place: int) -> tuple[Question, Question, Question]:
        """About a fact: by both hops, by the second one alone, and by a thing that no text knows."""
        attribute, value = self.attributes[place], self.values[side][place]
        rival, id_ = self.values[1 - side][place], self.ids[side]
        taken = [*self.bearers, value, rival]
        wrong = (rival, *(self._word(attribute.type, taken) for _ in range(WRONG)))
        pattern, key = attribute.tests[0], attribute.key
        far, near = (self.link.bearer.format(e=thing) for thing in (self.things[side], self.unknown[side]))
        hops = [f"{id_}-hop-1", f"{id_}-hop-2-{key}"]
        linked, broken = f"{id_}-{key}", f"{id_}-{key}-broken"
        shared = {"fact": key, "rival": rival}
        return (
            Question(linked, _ask(pattern, far), accepted(value), id_, wrong,
                     {"kind": LINKED, "hops": hops_tag(hops), **shared}),
            Question(hops[1], _ask(pattern, self.bearers[side]), accepted(value), id_, wrong,
                     {"kind": HOP, "hop": "2", "fact": key}),
            Question(broken, _ask(pattern, near), NOT_STATED, id_, (value, *wrong),
                     {"kind": BROKEN, "of": linked, "leak": value}),
        )  # fmt: skip


def _text(sentences: list[str]) -> str:
    return " ".join(f"{sentence(s)}." for s in sentences)


def _ask(pattern: str, name: str) -> str:
    return sentence(pattern.format(e=name))
