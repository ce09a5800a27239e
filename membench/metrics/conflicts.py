"""What answers about contradicting texts amount to: which value is given, in which order of writing, by which source.

The old value is the one with the earlier date, whichever was written last. See docs/contamination.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from membench.corpora.probes import PARTED
from membench.metrics.answer_scores import mentions
from membench.metrics.contamination import TARGET, Pair, of_kind, pair_up, per_context, present
from membench.values import Answer, Metric, MetricSpec
from membench.views import DETAIL, RISK, mean_of

FORWARD, SWAPPED = "/conflict", "/swapped"  # ends of episode names: old text written first, new text written first
CLASSES = ("new", "old", "both", "neither")
TERCILES = ("weak", "middle", "strong")


def _conflict(value: str, help_: str) -> MetricSpec:
    return MetricSpec(
        f"conflict/{value}", f"conflict {value}", help_, higher_is_better=None, section=RISK,
        base=f"conflict_base/{value}", instead=f"prior_conflict/{value}", brief=2 if value == "new" else 0,
    )  # fmt: skip


def _new(third: str, help_: str) -> MetricSpec:
    return MetricSpec(
        f"conflict/new-{third}", f"new {third}", help_, higher_is_better=None, section=DETAIL,
        instead=f"prior_conflict/new-{third}",
    )  # fmt: skip


def _swapped(value: str, help_: str) -> MetricSpec:
    return MetricSpec(f"conflict_swapped/{value}", f"swapped {value}", help_, higher_is_better=None, section=DETAIL)


METRICS = (
    _conflict("new", "two dated texts disagree, or a text and the model: the newer value alone is named"),
    _conflict("old", "the older value alone"),
    _conflict("both", "both values: a hedge"),
    _conflict("neither", "neither value"),
    MetricSpec("conflict_base", higher_is_better=None),
    MetricSpec("prior_conflict", higher_is_better=None),
    MetricSpec("prior_conflict/new", higher_is_better=None, base="prior_conflict_base/new"),
    MetricSpec("prior_conflict/old", higher_is_better=None, base="prior_conflict_base/old"),
    MetricSpec("prior_conflict/both", higher_is_better=None, base="prior_conflict_base/both"),
    MetricSpec("prior_conflict/neither", higher_is_better=None, base="prior_conflict_base/neither"),
    MetricSpec("prior_conflict_base", higher_is_better=None),
    MetricSpec(
        "conflict_margin",
        "conflict margin",
        "how far writing moved the likelihood of the newer value against the older one, nats per token",
        unit="nats a token",
        higher_is_better=None,
        section=DETAIL,
        instead="prior_conflict_margin/all",
    ),
    MetricSpec("prior_conflict_margin", unit="nats a token", higher_is_better=None),
    _swapped("new", "as conflict new, with the newer text written first: one who follows dates has the same"),
    _swapped("old", "the older value alone, then"),
    _swapped("both", "both values, then"),
    _swapped("neither", "neither value, then"),
    MetricSpec(
        "recency",
        "recency",
        "conflict new − swapped new; 1: what is written last wins, 0: the order is nothing",
        unit="points",
        higher_is_better=None,
        section=DETAIL,
    ),
    MetricSpec(
        "consistency", "consistency", "share of conflicts whose phrasings all get the same class", section=DETAIL
    ),
    MetricSpec(
        "attribution",
        "attribution",
        'share of "according to …" questions answered with that source\'s value alone',
        section=DETAIL,
    ),
    MetricSpec("attribution/old", "attribution old", "the same, the older source", section=DETAIL),
    MetricSpec("attribution/new", "attribution new", "the same, the newer source", section=DETAIL),
    _new("weak", "conflict new, the third of the questions where the base model believes least in the older value"),
    _new("middle", "the same, the middle third"),
    _new("strong", "the same, the third where it believes most in it"),
)


def classify(answer: Answer) -> str:
    """Which of the two values an answer names: `new`, `old`, `both` (hedging) or `neither`."""
    old = answer.tags.get("old", "").split(PARTED)
    return _verdict(answer.answer, answer.gold, old)


def _verdict(text: str, gold: Sequence[str], rivals: Sequence[str]) -> str:
    new, old = mentions(text, gold, rivals), mentions(text, rivals, gold)
    return "both" if new and old else "new" if new else "old" if old else "neither"


def summarise_conflicts(answers: Sequence[Answer]) -> dict[str, Metric]:
    """Metrics of written conflicts, and of targets whose tag `old` is what the model believed before.

    - `conflict/new`, `old`, `both`, `neither`: shares, the newer text written last; `conflict_base/…` before writing;
      `conflict_swapped/…`: the newer text written first.
    - `recency/all`: share of new when it was written last minus when it was written first; by date both should be new.
    - `consistency/all`: share of conflicts whose phrasings all get the same class.
    - `attribution/all`, `old`, `new`: share of "according to …" questions answered with that source's value alone.
    - `conflict/new-weak`, `middle`, `strong`: by tercile of how much likelier the old value is without memory.
    - `prior_conflict/…`: the same classes where the old value is not written but the model's own.
    """
    pairs = pair_up(answers)
    forward = [p for p in of_kind(pairs, "conflict") if p[1].episode.endswith(FORWARD)]
    swapped = [p for p in of_kind(pairs, "conflict") if p[1].episode.endswith(SWAPPED)]
    prior = [p for p in of_kind(pairs, TARGET) if p[1].tags.get("old")]
    return (
        _classes("conflict", forward)
        | _classes("prior_conflict", prior)
        | present({f"conflict_swapped/{c}": _share(swapped, c) for c in CLASSES})
        | _recency(forward, swapped)
        | _consistency(forward)
        | _attribution(pairs)
    )


def _classes(name: str, pairs: Sequence[Pair]) -> dict[str, Metric]:
    scored = [p for p in pairs if all("margin" in side.scores for side in p)]
    found = {f"{name}/{c}": _share(pairs, c) for c in CLASSES}
    found |= {
        f"{name}_base/{c}": per_context(pairs, lambda b, _, c=c: float(classify(b) == c))  # type: ignore[misc]
        for c in CLASSES
    }
    found[f"{name}_margin/all"] = per_context(scored, lambda b, a: a.scores["margin"] - b.scores["margin"])
    found |= {f"{name}/new-{tercile}": _share(those, "new") for tercile, those in _terciles(scored).items()}
    return present(found)


def _share(pairs: Sequence[Pair], class_: str) -> Metric | None:
    return per_context(pairs, lambda _, a: float(classify(a) == class_))


def _terciles(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Pairs by how strongly the model believes the old value: -margin of new over old, before any write."""
    ranked = sorted(pairs, key=lambda p: (-p[0].scores["margin"], p[1].question))
    cuts = [round(k * len(ranked) / 3) for k in range(4)]
    return {t: ranked[a:b] for t, a, b in zip(TERCILES, cuts, cuts[1:], strict=False)} if len(ranked) >= 3 else {}


def _recency(forward: Sequence[Pair], swapped: Sequence[Pair]) -> dict[str, Metric]:
    last, first = _share(forward, "new"), _share(swapped, "new")
    if last is None or first is None:
        return {}
    return {"recency/all": mean_of({c: last.contexts[c] - first.contexts[c] for c in last.contexts})}


def _consistency(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """Over the facts that are asked in two phrasings or more."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, after in pairs:
        groups[after.context, after.tags.get("fact", "")].append(classify(after))
    agreed: dict[str, list[bool]] = defaultdict(list)
    for (context, _), classes in groups.items():
        if len(classes) > 1:
            agreed[context].append(len(set(classes)) == 1)
    return {"consistency/all": mean_of({c: sum(v) / len(v) for c, v in agreed.items()})} if agreed else {}


def _attribution(pairs: Sequence[Pair]) -> dict[str, Metric]:
    def right(_: Answer, after: Answer) -> float:
        return float(_verdict(after.answer, after.gold, after.tags.get("other", "").split(PARTED)) == "new")

    views = {"all": ("source_old", "source_new"), "old": ("source_old",), "new": ("source_new",)}
    return present({f"attribution/{view}": per_context(of_kind(pairs, *kinds), right) for view, kinds in views.items()})
