"""Questions whose answer takes facts of several texts: how data mark them, and the texts that are written for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from membench.values import Composed, Part

# Tags `kind` of questions: that need all hops; one hop alone; the last hop through a thing that no text links to it.
LINKED, HOP, BROKEN = "linked", "hop", "broken"


def hops_tag(ids: Iterable[str]) -> str:
    """The tag `hops` of a linked question: the ids of the questions that ask each hop alone."""
    return json.dumps(list(ids), ensure_ascii=False)


def hops_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Those ids; none where the data do not ask the hops alone."""
    return tuple(json.loads(tags.get("hops", "[]")))


def merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Each part once, where it comes first; it completes what any of its namesakes completes."""
    found: dict[str, Part] = {}
    for part in parts:
        known = found.setdefault(part.id, part)
        if more := [id_ for id_ in part.completes if id_ not in known.completes]:
            found[part.id] = replace(known, completes=(*known.completes, *more))
    return tuple(found.values())


def by_hop(contexts: Iterable[Composed]) -> tuple[Part, ...]:
    """The texts of all chains: every first one, then every second one, and so on, so that a chain's stand far apart."""
    chains = list(contexts)
    most = max((len(chain.parts) for chain in chains), default=0)
    return merged(part for k in range(most) for chain in chains for part in chain.parts[k : k + 1])
