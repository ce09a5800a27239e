"""What is kept of contexts that were written one after another, from the matrix R[t, i]: score of i after write t.

An interrupted sequence counts as far as it came: T is then the number of writes that were asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from membench.values import Answer, Metric, MetricSpec
from membench.views import TIME, by_context, mean_of, ratio_of_sums

Matrix = list[dict[str, float]]  # one row a write, context id -> mean score; columns in the order of writing

METRICS = (
    MetricSpec("contains/final", "final", "contains after the last write, all contexts", section=TIME),
    MetricSpec("contains/final-rehearsed", "final rehearsed", "the same, rehearsed facts", section=TIME),
    MetricSpec(
        "kept:contains-rehearsed",
        "kept",
        "first half of the contexts: final score / score just after writing, rehearsed facts if told apart",
        unit="ratio",
        section=TIME,
        instead="kept:contains",
    ),
    MetricSpec("kept:", unit="ratio"),
    MetricSpec(
        "retention:contains",
        "retention",
        "score / score just after writing, oldest quarter of ages",
        unit="ratio",
        section=TIME,
    ),
    MetricSpec("retention:", unit="ratio"),
    MetricSpec(
        "matrix:", help="mean over contexts just after their own write; its curve is every score after every write"
    ),
    MetricSpec(
        "forgetting:contains", "forgetting", "best score since writing − final score", unit="points", section=TIME
    ),
    MetricSpec("forgetting:", unit="points"),
    MetricSpec("forward:", help="score just before the own write; what is above the floor is no memory"),
)


def matrix(answers: Sequence[Answer], score: str) -> Matrix:
    """R as rows t = 1..T; each row holds the contexts 1..T that were asked then, in the order of writing."""
    last = max((a.written for a in answers), default=0)
    order = {a.context: a.position for a in answers if 0 < a.position <= last}
    rows = []
    for t in range(1, last + 1):
        row = by_context([a for a in answers if a.written == t and a.context in order], score)
        rows.append({c: row[c] for c in sorted(row, key=order.__getitem__)})
    return rows


def summarise_retention(answers: Sequence[Answer], score: str) -> dict[str, Metric]:
    """Retention metrics of one score; none where the answers are not of one sequence of two writes or more.

    - "matrix:S": `curve` is R row by row, T × T; `value` the mean over contexts just after their own write.
    - "retention:S": `curve` is ρ(k) = Σ_i R[i+k, i] / Σ_i R[i, i] by age k = 0, 1, ... as far as the denominator is not
      0; `value` the same ratio pooled over the oldest quarter of the ages, whose denominators are `below`.
    - "forgetting:S": mean over all contexts but the last of (best score since their write - final score).
    - "forward:S": mean score of contexts 2..T just before their own write; what is not 0 is no memory.
    - "kept:S", "kept:S-rehearsed": Σ final scores of the first half of the contexts / Σ of theirs just after writing,
      which are the `curve`.
    """
    rows = matrix(answers, score) if len({a.episode for a in answers}) == 1 else []
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        return {}
    order = list(rows[0])
    found = {
        f"matrix:{score}": Metric(_diagonal_mean(rows), curve=tuple(row[c] for row in rows for c in order)),
        f"retention:{score}": _retention(rows),
        f"forgetting:{score}": mean_of(
            {c: max(row[c] for row in rows[i:]) - rows[-1][c] for i, c in enumerate(order[:-1])}
        ),
        f"forward:{score}": mean_of({c: rows[i][c] for i, c in enumerate(order[1:])}),
        f"kept:{score}": _kept(rows),
    }
    rehearsed = matrix([a for a in answers if a.tags.get("rehearsed") == "yes"], score)
    if rehearsed and all(len(row) == len(rows) for row in rehearsed):
        found[f"kept:{score}-rehearsed"] = _kept(rehearsed)
    return {name: metric for name, metric in found.items() if metric is not None}


def _diagonal_mean(rows: Matrix) -> float:
    return sum(row[c] for row, c in zip(rows, rows[0], strict=True)) / len(rows)


def _retention(rows: Matrix) -> Metric | None:
    order = list(rows[0])
    curve: list[float] = []
    for age in range(len(rows)):
        aged = [(rows[i + age][c], rows[i][c]) for i, c in enumerate(order[: len(order) - age])]
        whole = sum(own for _, own in aged)
        if whole <= 0:
            break
        curve.append(sum(late for late, _ in aged) / whole)
    oldest = [age for age in range(1, len(rows)) if age > 3 * (len(rows) - 1) / 4]
    late = {c: sum(rows[i + k][c] for k in oldest if i + k < len(rows)) for i, c in enumerate(order)}
    own = {c: sum(rows[i][c] for k in oldest if i + k < len(rows)) for i, c in enumerate(order)}
    reached = order[: len(order) - oldest[0]]
    pooled = ratio_of_sums({c: late[c] for c in reached}, own)
    return pooled and replace(pooled, curve=tuple(curve), below=tuple(own[c] for c in pooled.contexts))


def _kept(rows: Matrix) -> Metric | None:
    fresh = {c: rows[i][c] for i, c in enumerate(list(rows[0])[: len(rows) // 2])}
    found = ratio_of_sums({c: rows[-1][c] for c in fresh}, fresh)
    return found and replace(found, curve=tuple(fresh[c] for c in found.contexts))
