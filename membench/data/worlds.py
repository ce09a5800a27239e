"""Invented entities whose facts no model can know; endless, reproducible from a seed (`--data worlds:SEED`)."""

from __future__ import annotations

from membench.api import Source
from membench.corpora.world_builder import build
from membench.corpora.world_chains import chains
from membench.corpora.world_probes import probed
from membench.corpora.world_sessions import talks
from membench.errors import MembenchError
from membench.values import Dataset


class Worlds(Source):
    """Passages of 6 to 10 facts about invented entities; the argument is the seed, 0 if none is given."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Contexts 0 to limit - 1 of the seed's sequence, and the `held_out` next ones.

        Raises MembenchError if the argument is no whole number.
        """
        seed = _seed(argument)
        contexts = tuple(build(seed, index) for index in range(limit + held_out))
        return Dataset(_name(argument), contexts[:limit], contexts[limit:])

    def load_probed(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The same contexts with probes of every kind, and a conflict for each."""
        data = self.load(argument, limit, held_out)
        made = [probed(context, _seed(argument), k) for k, context in enumerate(data.contexts)]
        conflicts = tuple(conflict for _, conflict in made if conflict)
        return Dataset(data.name, tuple(context for context, _ in made), data.held_out, conflicts)

    def load_chains(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Pairs of texts of which a question needs both (membench.corpora.world_chains)."""
        made = chains(_seed(argument), limit + held_out)
        return Dataset(_name(argument), made[:limit], made[limit:])

    def load_conversations(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Dated sessions of a user with an assistant (membench.corpora.world_sessions)."""
        made = talks(_seed(argument), limit + held_out)
        return Dataset(_name(argument), made[:limit], made[limit:])


def _seed(argument: str) -> int:
    if argument and not (argument.isascii() and argument.isdigit()):
        raise MembenchError(f"worlds:{argument}: the seed must be a whole number, e.g. --data worlds:7")
    return int(argument or "0")


def _name(argument: str) -> str:
    return f"worlds:{argument}" if argument else "worlds"
