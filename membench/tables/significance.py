"""Where the entries of a table stand: which differences are resolved, and what difference could have been.

Without a declared method all pairs are one family, so that any pair which a reader picks after seeing the table is
covered, one with the best method too. One that is declared beforehand needs fewer comparisons and tells more apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from membench.errors import MembenchError, unknown
from membench.statistics.paired_tests import ALPHA, Array, contrasts, intervals, letters
from membench.statistics.uneven import in_order, is_uneven, shared_keys
from membench.tables.entry import Entry, Standing
from membench.tables.ranking_metric import is_share, less_is_better

Pair = tuple[int, int]


@dataclass(frozen=True)
class Standings:
    """The entries with their standing, and what a reader has to know about it."""

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...]
    unpaired: tuple[str, ...] = ()  # why nothing was compared


def stand(entries: Sequence[Entry], metric: str, against: str | None) -> Standings:
    """Compare the entries that have this metric per context; the others, floor and reference get no standing.

    `against` names the method that all are compared with, floor and reference included; it may be missing here. Raises
    MembenchError if it names several entries.
    """
    declared = declared_entry(entries, against, metric) if against else None
    if against and not declared and rows_named(entries, against):
        return Standings(tuple(entries), (), (f"no differences: {against} has no {metric.removesuffix('/all')}",))
    rivals = [e for e in entries if e.by_context(metric) and (not e.mark or e is declared)]
    if len(rivals) < 2 or (against and not declared):
        return Standings(tuple(entries), ())
    found = [e.by_context(metric) for e in rivals]
    contexts = shared_keys([scores for those in found for scores in those])
    if why := unpaired(rivals, metric, contexts):
        return Standings(tuple(entries), (), (f"no groups: {why}",))
    samples = [np.array([in_order(scores, contexts) for scores in those]) for those in found]
    if declared:
        centre = rivals.index(declared)
        pairs = [(i, centre) for i in range(len(rivals)) if i != centre]
    else:
        pairs = [(i, j) for i in range(len(rivals)) for j in range(i + 1, len(rivals))]
    standings = _standings(rivals, samples, pairs, metric, declared is None)
    placed = {id(e): replace(e, standing=s) for e, s in zip(rivals, standings, strict=True) if e is not declared}
    testable = sum(not _unseeded(rivals, pair) for pair in pairs)
    return Standings(
        tuple(placed.get(id(e), e) for e in entries), _remarks(rivals, metric, declared, contexts, testable)
    )


def unpaired(rivals: Sequence[Entry], metric: str, contexts: Sequence[str]) -> str:
    """Why the values of these entries cannot be compared context by context; "" where they can."""
    by = metric.removesuffix("/all")
    if torn := ", ".join(e.label for e in rivals if is_uneven(e.by_context(metric))):
        return f"{by} of {torn} is about other texts with each seed"
    if len(contexts) < 2:
        return f"the methods share fewer than two texts with {by}"
    return "" if _on_the_same(rivals, metric) else f"{by} is about other texts with each method"


def _on_the_same(rivals: Sequence[Entry], metric: str) -> bool:
    """Whether a share of what some contexts have none of is about the same contexts for all."""
    of_parts = any(e.is_of_parts(metric) for e in rivals)
    return not (of_parts and is_uneven([scores for e in rivals for scores in e.by_context(metric)]))


def rows_named(entries: Sequence[Entry], name: str) -> list[Entry]:
    """The entries of this name: a label as tables print it, or that without its seeds; else those of the method that
    calls itself so; else those of the method.
    """
    labels = [e for e in entries if name in (e.label, replace(e, seeds=()).label)]
    return labels or [e for e in entries if e.title == name] or [e for e in entries if e.method == name]


def unknown_row(kind: str, name: str, entries: Iterable[Entry]) -> MembenchError:
    """The error for a name that none of these entries has."""
    return unknown(kind, name, {form for e in entries for form in (e.method, e.label)})


def declared_entry(entries: Sequence[Entry], against: str, metric: str) -> Entry | None:
    """The one entry of this name that has the metric by context. Raises MembenchError for several."""
    named = [e for e in rows_named(entries, against) if e.by_context(metric)]
    found = [e for e in named if e.label == against] or named
    if len(found) > 1:
        raise MembenchError(f"{against!r} names {len(found)} rows: type one of {', '.join(e.label for e in found)}")
    return found[0] if found else None


def corrected(entries: Sequence[Entry], metric: str, pair: tuple[Entry, Entry]) -> tuple[float | None, float | None]:
    """The p-value of a pair that was picked after the table was seen, and the minimum detectable effect (nan for none):
    Holm's over all pairs that could have been picked.

    Those are the pairs of all entries that a table ranks, and of these two; what is about other texts with each seed,
    or than these two, is paired with none. None and None where one of the two has one seed, or fewer than two contexts
    are shared by all.
    """
    rivals = [e for e in entries if e.by_context(metric) and (not e.mark or e in pair)]
    rivals = [e for e in rivals if not is_uneven(e.by_context(metric)) and _on_the_same([e, *pair], metric)]
    found = [e.by_context(metric) for e in rivals]
    contexts = shared_keys([scores for those in found for scores in those])
    pairs = [(i, j) for i in range(len(rivals)) for j in range(i + 1, len(rivals)) if not _unseeded(rivals, (i, j))]
    wanted = tuple(sorted(next(k for k, e in enumerate(rivals) if e is one) for one in pair))
    if wanted not in pairs or len(contexts) < 2:
        return None, None
    samples = [np.array([in_order(scores, contexts) for scores in those]) for those in found]
    place = pairs.index(wanted)
    family = contrasts(samples, pairs, is_share(metric, rivals), flips=[place])
    return float(family.p[place]), float(family.mde[place])


def _standings(
    rivals: Sequence[Entry], samples: Sequence[Array], pairs: Sequence[Pair], metric: str, lettered: bool
) -> list[Standing]:
    """One an entry, with the comparison that its row shows: to the declared one, else to the best of the others."""
    means = [float(sample.mean()) for sample in samples]
    sign = 1 if less_is_better(metric, rivals) else -1
    best = sorted(range(len(rivals)), key=lambda i: sign * means[i])
    shown = [_shown(i, best, pairs) for i in range(len(rivals))]
    fair = [pair for pair in pairs if not _unseeded(rivals, pair)]
    told = [k for k, (i, j) in enumerate(fair) if shown[i] == j or shown[j] == i]
    family = contrasts(samples, fair, is_share(metric, rivals), flips=told) if fair else None
    p = dict(zip(fair, family.p, strict=True)) if family else {}
    mde = {k: v for k, v in zip(fair, family.mde.tolist(), strict=True) if not math.isnan(v)} if family else {}
    different = [pair for pair in fair if p[pair] <= ALPHA]
    place = {i: k for k, i in enumerate(best)}
    groups = letters(len(best), [(place[i], place[j]) for i, j in different]) if lettered else None
    plain = intervals(samples, list(enumerate(shown)))
    out = []
    for i, other in enumerate(shown):
        pair = (i, other) if (i, other) in p else (other, i)
        found = float(p[pair]) if pair in p else None
        value, low, high = plain[:, i].tolist()
        out.append(
            Standing(
                metric, groups[place[i]] if groups else None, rivals[other].label, value, low, high,
                found, mde.get(pair), found is not None and found <= ALPHA,
            )
        )  # fmt: skip
    return out


def _shown(i: int, best: Sequence[int], pairs: Sequence[Pair]) -> int:
    """Whom row i is compared with on its line: the declared one (the only one it has a pair with), else the best."""
    others = {b if a == i else a for a, b in pairs if i in (a, b)}
    return next(k for k in best if k in others)


def _unseeded(rivals: Sequence[Entry], pair: Pair) -> bool:
    return any(rivals[i].unseeded for i in pair)


def _remarks(
    rivals: Sequence[Entry], metric: str, declared: Entry | None, contexts: Sequence[str], family: int
) -> tuple[str, ...]:
    by = metric.removesuffix("/all")
    how = f"paired by question, clustered by {len(contexts)} contexts"
    if family:
        how += f", Holm over {family} comparison{'s'[: family != 1]}"
    if declared:
        head = f"difference: in {by}, to {declared.label} ({how}); * is resolved"
    else:
        head = f"group: by {by}; methods that share a letter are not resolved ({how})"
    bare = [e.label for e in rivals if e.unseeded]
    if not bare:
        return (head,)
    return (head, f"one seed, whose noise nothing here covers, so not resolved (play --seeds 0,1,2): {', '.join(bare)}")


def tied(one: Standing, other: Standing | None) -> bool:
    """Whether two groups share a letter, so that the data do not rank them; a letter may carry a number."""
    split = [set(_letters((standing and standing.group) or "")) for standing in (one, other)]
    return other is None or bool(split[0] & split[1])


def _letters(group: str) -> list[str]:
    return re.findall(r"\D\d*", group)
