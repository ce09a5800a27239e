"""The runs of the experiment on why a distilled memory forgets: which settings, on which data. No result is known here.

A fractional factorial 2^(7-3) of resolution IV: the base design is complete in A, B, C, D, and E = ABC, F = BCD,
G = ACD. No main effect is mixed up with an interaction of two factors; those are mixed up with one another in threes
(`aliases`). The first eight runs are a design of their own (resolution III), the others its mirror image. The low level
of every factor is membench's default, so that the first run is the default recipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

from membench.planning.request import Request

OUTPUT = Path("results/experiment")
DATA = "worlds:1"  # the development seed: none of its texts is in the reference run
WRITES, QUESTIONS, DRIFT_ITEMS = 2, 0, 8  # 0 questions: all that a context has
BASE = "ABCD"
HALF = -1  # the sign of ABD in the first eight runs
GENERATORS = {"E": "ABC", "F": "BCD", "G": "ACD"}


@dataclass(frozen=True)
class Factor:
    """What is varied: a letter, a name, and the settings at the low level (the default) and at the high one."""

    letter: str
    name: str
    low: str
    high: str


FACTORS = (
    Factor("A", "learning rate", "lr=0.004", "lr=0.001"),
    Factor("B", "rank (alpha 32)", "rank=16", "rank=8"),
    Factor("C", "layers trained", "upper=0.5", "upper=1.0"),
    Factor("D", "loss on", "loss_on=answer", "loss_on=all"),
    Factor("E", "pairs a context", "pairs=16", "pairs=4"),
    Factor("F", "side sentences a pair", "suffix=0.05 generic=0.05", "suffix=0.25 generic=0.25"),
    Factor("G", "presentations", "full", "a quarter"),
)
REMEDIES = ("hold=1.0", "orthogonal=true", "answers=gold", "replay=1.0")
OTHER = (  # losses, and side sentences as many as in the released code
    ("divergence=reverse",),
    ("divergence=top_k",),
    ("divergence=hidden",),
    ("on_policy=true",),
    ("on_policy=true", "divergence=reverse"),
    ("suffix=1.0", "generic=1.0"),
)
LOW = (-1,) * len(FACTORS)
_LETTERS = tuple(f.letter for f in FACTORS)
# Passes that keep the presentations equal where the pairs are fewer: 6 to 8 pairs (of 16 at most) or 4, by (E, G).
EPOCHS = {(-1, -1): 12, (1, -1): 20, (-1, 1): 3, (1, 1): 5}


@dataclass(frozen=True)
class Run:
    """One cell of a design: the signs of the factors, the method's settings, its seed, and another method if any."""

    signs: tuple[int, ...]
    settings: tuple[str, ...]
    seed: int = 0
    method: str = "selfparam"
    writes: int = WRITES
    questions: int = QUESTIONS

    @property
    def name(self) -> str:
        """The letters of the factors that stand at their high level; (1) for none."""
        return "".join(f.letter.lower() for f, s in zip(FACTORS, self.signs, strict=True) if s > 0) or "(1)"


def screening() -> Iterator[Run]:
    """The sixteen runs, the default recipe first."""
    halves = sorted(product((-1, 1), repeat=len(BASE)), key=lambda run: -HALF * run[0] * run[1] * run[3])
    for base in halves:
        signs = dict(zip(BASE, base, strict=True))
        signs |= {letter: _sign(word, signs) for letter, word in GENERATORS.items()}
        yield Run(tuple(signs.values()), settings_of(signs))


def remedies() -> Iterator[Run]:
    """What is said to help against forgetting and is no factor above, each alone on top of the default recipe."""
    for setting in REMEDIES:
        yield Run(LOW, (*_default(), setting))
    yield Run(LOW, (), method="lora-bank")  # an adapter of that recipe a text


def losses() -> Iterator[Run]:
    """Other losses and as many side sentences as in the released code, each on top of the default recipe."""
    for changed in OTHER:
        yield Run(LOW, (*_default(), *changed))


def seeds() -> Iterator[Run]:
    """The default recipe twice more: another order of the two texts, other draws."""
    for seed in (1, 2):
        yield Run(LOW, _default(), seed)


def following() -> Iterator[Run]:
    """The second design: fewer presentations, which kept most, by the layers trained, over six texts; the default last.

    Rate and loss stay: the screening has a lower rate learn less for what it keeps, and the loss on all tokens too.
    """
    for passes, layers in ((3, 1.0), (6, 1.0), (3, 0.5), (6, 0.5), (12, 0.5)):
        changed = (f"epochs={passes}", *((f"upper={layers}",) if layers != 0.5 else ()))
        yield Run(LOW, changed, writes=6, questions=4)


def runs() -> list[Run]:
    """All of them in the order of play; the first half of the screening, which can be judged alone, before the rest."""
    default, *screened = screening()
    return [default, *remedies(), *screened[:7], *seeds(), *screened[7:], *following(), *losses()]


def _default() -> tuple[str, ...]:
    return settings_of(dict(zip(_LETTERS, LOW, strict=True)))


def _sign(word: str, signs: dict[str, int]) -> int:
    """The product of these factors' signs."""
    value = 1
    for letter in word:
        value *= signs[letter]
    return value


def settings_of(signs: dict[str, int]) -> tuple[str, ...]:
    """What these levels are as `-M` settings; those that are the defaults are left out."""
    out = [f"epochs={EPOCHS[signs['E'], signs['G']]}"]
    for factor in FACTORS[:-1]:
        if signs[factor.letter] > 0:
            out += factor.high.split()
    return tuple(out)


def request(run: Run, output: Path = OUTPUT) -> Request:
    """The run as the command `membench run` would have it."""
    return Request(
        methods=(run.method,),
        tasks=("sequential",),
        data=(DATA,),
        seeds=(run.seed,),
        limit=run.writes,
        method_settings=run.settings,
        task_settings=(f"questions={run.questions}", f"drift={run.writes}", f"drift_items={DRIFT_ITEMS}"),
        output=output,
        yardsticks=False,
    )


def columns(count: int) -> dict[str, list[int]]:
    """The signs of the first `count` runs (8 or 16) for every effect that can be told apart, by its first name."""
    table = _table(count)
    out: dict[str, list[int]] = {}
    for size in (1, 2, 3):
        for word in map("".join, combinations(_LETTERS, size)):
            column = [_sign(word, run) for run in table]
            if sum(column) == 0 and column not in out.values() and [-s for s in column] not in out.values():
                out[word] = column
    return out


def aliases(count: int) -> dict[str, list[str]]:
    """For every effect the interactions of two factors that have its column too, a minus sign before reversed ones."""
    table = _table(count)
    words = list(map("".join, combinations(_LETTERS, 2)))
    signs = {word: [_sign(word, run) for run in table] for word in words}
    return {
        name: [w for w in words if signs[w] == column and w != name]
        + [f"-{w}" for w in words if [-s for s in signs[w]] == column]
        for name, column in columns(count).items()
    }


def _table(count: int) -> list[dict[str, int]]:
    return [dict(zip(_LETTERS, run.signs, strict=True)) for run in list(screening())[:count]]
