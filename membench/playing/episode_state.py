"""What an episode's script says before a step of it: how many contexts are written, which are held, in which order."""

from __future__ import annotations

from membench.values import Episode, Forget, Write


def written(episode: Episode, upto: int) -> int:
    """How many contexts the steps before step `upto` wrote."""
    return sum(len(step.contexts) for step in episode.steps[:upto] if isinstance(step, Write))


def held(episode: Episode, upto: int) -> list[str]:
    """The contexts that the memory holds before step `upto`: written, and not forgotten since."""
    found: list[str] = []
    for step in episode.steps[:upto]:
        if isinstance(step, Write):
            found += [c.id for c in step.contexts]
        elif isinstance(step, Forget):
            gone = {c.id for c in step.contexts}
            found = [c for c in found if c not in gone]
    return found


def positions(episode: Episode, upto: int) -> dict[str, int]:
    """The 1-based place of each context in the episode's order of writing; of one written twice, the first.

    Without those that are forgotten before step `upto` and not written again.
    """
    order = [c.id for step in episode.steps if isinstance(step, Write) for c in step.contexts]
    early = [c.id for step in episode.steps[:upto] if isinstance(step, Write) for c in step.contexts]
    gone = set(early) - set(held(episode, upto))
    return {context: i + 1 for i, context in reversed(list(enumerate(order))) if context not in gone}


def changes(episode: Episode, upto: int) -> list[int]:
    """The steps before step `upto` that changed the memory."""
    return [k for k, step in enumerate(episode.steps[:upto]) if isinstance(step, Write | Forget)]
