"""What an episode's script says before a step of it: how many contexts are written, which are held, in which order."""

from __future__ import annotations

from collections.abc import Iterable

from membench.values import Context, Episode, Forget, Part, Write


def written(episode: Episode, upto: int) -> int:
    """How many contexts the steps before step `upto` wrote."""
    return sum(len(step.contexts) for step in episode.steps[:upto] if isinstance(step, Write))


def held(episode: Episode, upto: int) -> list[str]:
    """The contexts that the memory holds before step `upto`: written, and not forgotten since."""
    found: list[str] = []
    for step in episode.steps[:upto]:
        if isinstance(step, Write):
            found += [id_ for c in step.contexts for id_ in _ids(c)]
        elif isinstance(step, Forget):
            gone = {id_ for c in step.contexts for id_ in _ids(c)}
            found = [c for c in found if c not in gone]
    return found


def first_forgotten(episodes: Iterable[Episode]) -> tuple[str, int, int] | None:
    """The first step that forgets, if any: its episode's name, its index, and how many contexts are left behind it."""
    for episode in episodes:
        for k, step in enumerate(episode.steps):
            if isinstance(step, Forget):
                return episode.name, k, len(held(episode, k + 1))
    return None


def positions(episode: Episode, upto: int) -> dict[str, int]:
    """The 1-based place of each context in the episode's order of writing; of one written twice, the first.

    Without those that are forgotten before step `upto` and not written again.
    """
    order = [_ids(c) for step in episode.steps if isinstance(step, Write) for c in step.contexts]
    early = {id_ for ids in order[: written(episode, upto)] for id_ in ids}
    gone = early - set(held(episode, upto))
    return {id_: i + 1 for i, ids in reversed(list(enumerate(order))) for id_ in ids if id_ not in gone}


def _ids(context: Context) -> tuple[str, ...]:
    """What the memory holds once this is written: the context, and those that it completes."""
    return (context.id, *(context.completes if isinstance(context, Part) else ()))


def changes(episode: Episode, upto: int) -> list[int]:
    """The steps before step `upto` that changed the memory."""
    return [k for k, step in enumerate(episode.steps[:upto]) if isinstance(step, Write | Forget)]
