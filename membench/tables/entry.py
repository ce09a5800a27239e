"""One line of a table: a method with its settings, the cells that played it, and the numbers that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from membench.statistics.gains import gain
from membench.statistics.half_life import HalfLife, half_life
from membench.statistics.intervals import Interval, mean_ci, two_way_ci
from membench.statistics.pooled_ratios import kept_ci, parts_ci, pooled, ratio_over
from membench.statistics.ratios import recovered_ci, two_way_ratio_ci
from membench.statistics.shares import share_ci
from membench.statistics.uneven import in_order, is_uneven, rectangular, shared_keys
from membench.tables.catalogue import spec_of
from membench.text.visible import visible
from membench.values import MetricSpec

KEPT, RETAINED = "kept:", "retention:"  # ratios of right answers; `curve` of the first has their denominators
Summary = Mapping[str, Mapping[str, Any]]  # metric name -> {"value", "contexts", "curve"}


@dataclass(frozen=True)
class Standing:
    """How an entry compares with another one of its table by one metric, and the group that it is in.

    `versus` is the other one: the declared method, else the best of the others. The interval is of this one comparison;
    `p` is corrected for all that the table makes and None where one seed alone says nothing about training. `mde` is
    the smallest true difference that would be resolved with 80 % power. Entries that share a letter of `group` are not
    resolved; None where a method was declared.
    """

    metric: str
    group: str | None
    versus: str
    difference: float
    low: float
    high: float
    p: float | None
    mde: float | None
    resolved: bool


@dataclass(frozen=True)
class Entry:
    """Cells that differ in their seed alone. Without summaries (failed, skipped) all its numbers are None.

    `floor` and `reference` are the yardsticks' summaries over the questions that these cells asked. `mark` is "floor"
    or "reference" where the entry is one of the two.
    """

    method: str
    settings: Mapping[str, Any]  # those that are not the method's defaults
    seeds: tuple[int, ...]
    ids: tuple[str, ...]
    status: str
    reason: str | None
    summaries: tuple[Summary, ...]
    floor: Summary
    reference: Summary
    costs: Mapping[str, float | None]
    contexts: int | None
    questions: int | None
    coverage: float | None
    mark: str | None = None
    standing: Standing | None = None
    leak: float | None = None  # share of questions that target sentences give away; None without any
    needed: tuple[int, int] | None = None  # questions that need the memory, of how many
    front: str = ""  # the Pareto fronts that it is on; see membench.tables.pareto
    title: str | None = None  # what the method calls itself as it is set; None for its name
    declared: tuple[MetricSpec, ...] = ()  # metrics that the table's task declares beside those that membench knows

    @property
    def label(self) -> str:
        """Method and settings as a table prints them, without what would steer a terminal."""
        settings = " ".join(f"{name}={_brief(value)}" for name, value in self.settings.items())
        seeds = f"({len(self.seeds)} seeds)" if len(self.seeds) > 1 else ""
        mark = f"({self.mark})" if self.mark else ""
        return visible(" ".join(part for part in (self.title or self.method, settings, seeds, mark) if part))

    @cached_property
    def names(self) -> list[str]:
        """The metrics that every cell of the entry has; a ratio that some have not is one of 0 to 0 there."""
        every = dict.fromkeys(name for summary in self.summaries for name in summary)
        return [name for name in every if all(name in s for s in self.summaries) or self._is_ratio(name)]

    def _is_ratio(self, name: str) -> bool:
        return name.startswith(KEPT) or all("below" in s[name] for s in self.summaries if name in s)

    def _terms(self, name: str) -> list[Mapping[str, Any] | None]:
        return [summary.get(name) for summary in self.summaries] if name in self.names else []

    @property
    def unseeded(self) -> bool:
        """Whether it was trained with one seed, so that nothing tells how much of its score is that seed."""
        return len(self.seeds) == 1 and bool(self.cost("tokens_trained_per_context"))

    def by_context(self, name: str) -> list[Mapping[str, float]]:
        """A metric per context, one mapping a seed; empty where a seed has it not so."""
        name = self._full(name)
        found = [s.get(name, {}).get("contexts", {}) for s in self.summaries]
        if ratio := self._pooled(name):
            own = ratio if self.is_of_parts(name) else found
            return [{c: values[c] for c in those or values} for values, those in zip(ratio, own, strict=True)]
        return found if all(found) else []

    def _pooled(self, name: str) -> list[dict[str, float]]:
        """Linearised values by seed and context of parts of wholes, and of what is kept by several seeds."""
        found, parts = self._terms(name), self.is_of_parts(name)
        return pooled(found, parts) if parts or (len(found) > 1 and self._is_ratio(name)) else []

    def is_of_parts(self, name: str) -> bool:
        """Whether it is a share of what some contexts have none of: these are not among its contexts."""
        name = self._full(name)
        return name in self.names and self._is_ratio(name) and not name.startswith((KEPT, RETAINED))

    def value(self, name: str) -> float | None:
        """A metric's mean over the seeds, or the ratio of their sums; "contains" means "contains/all"."""
        name = self._full(name)
        if ratio := self._pooled(name):
            return fmean(value for values in ratio for value in values.values())
        return fmean(metric["value"] for metric in self._terms(name) if metric) if name in self.names else None

    def interval(self, name: str) -> Interval | None:
        """A metric with its interval over contexts and, with several seeds, over seeds."""
        name = self._full(name)
        if name not in self.names:
            return None
        terms = self._terms(name)
        ratio = parts_ci if self.is_of_parts(name) else kept_ci if self._is_ratio(name) else None
        if ratio and (found := ratio(terms)) is not None:
            return found
        if not (matrix := self.matrix(name)):
            return mean_ci([metric["value"] for metric in terms if metric])
        unit = getattr(self.spec(name), "unit", "")
        return share_ci(matrix) if unit == "share" or name.startswith(RETAINED) else two_way_ci(matrix)

    def matrix(self, name: str) -> list[list[float]]:
        """A metric by seeds × contexts; empty where a seed has it not by context."""
        if ratio := self._pooled(self._full(name)):
            return [list(values.values()) for values in ratio]
        found = self.by_context(name)
        return rectangular(found) if is_uneven(found) else [in_order(contexts, list(found[0])) for contexts in found]

    def spec(self, name: str) -> MetricSpec | None:
        """What a metric is; None where nobody declared it."""
        return spec_of(name, self.declared)

    def yardstick(self, which: Summary, name: str) -> float | None:
        """The floor's or the reference's mean, of parts their ratio, over the contexts of this entry's metric."""
        name = self._full(name)
        found = which.get(name, {})
        if self.is_of_parts(name):
            return ratio_over(found, self.means(name)) if "below" in found else None
        theirs = found.get("contexts", {})
        shared = [c for c in self.means(name) if c in theirs]
        return sum([theirs[c] for c in shared]) / len(shared) if shared else None

    def clusters(self, name: str) -> int | None:
        """Over how many contexts a metric's interval is, of the seed with the fewest; None where it has none so."""
        return min(map(len, self.by_context(name)), default=None)

    def recovery(self, name: str) -> Interval | None:
        """Σ(score - floor) / Σ(reference - floor) over contexts and seeds (docs/statistics.md); may exceed 1.

        None for the yardsticks, of parts of wholes, and where the reference is not significantly above the floor.
        """
        name = self._full(name)
        if name not in self._recoveries:
            self._recoveries[name] = self._recovery(name)
        return self._recoveries[name]

    def _recovery(self, name: str) -> Interval | None:
        mine = self.by_context(name)
        low, high = (y.get(name, {}).get("contexts", {}) for y in (self.floor, self.reference))
        shared = [c for c in shared_keys(mine) if c in low and c in high]
        if self.mark or not shared or self.is_of_parts(name):
            return None
        whole = [high[c] - low[c] for c in shared]
        spec = self.spec(name)
        ratio = recovered_ci if spec and spec.unit == "share" else two_way_ratio_ci
        return ratio([[scores[c] - low[c] for c in shared] for scores in mine], [whole] * len(mine))

    def above_floor(self, name: str, floor: str) -> Interval | None:
        """A metric minus the floor's metric `floor`, by context."""
        low, mine = self.floor.get(floor, {}).get("contexts", {}), self.by_context(name)
        shared = [c for c in shared_keys(mine) if c in low]
        return two_way_ci([[scores[c] - low[c] for c in shared] for scores in mine]) if shared else None

    def gain(self, score: str) -> Interval | None:
        """Knowledge gain: a score of what was written minus that of questions while their contexts were unwritten."""
        return gain(self.summaries, score)

    @cached_property
    def half_life(self) -> HalfLife | None:
        """After how many further writes half is gone; see membench.statistics.half_life."""
        return half_life(self.summaries, self.floor.get("contains/all", {}).get("contexts", {}))

    def cost(self, name: str) -> float | None:
        """A cost, the mean over the cells."""
        return self.costs.get(name)

    @property
    def beside(self) -> bool:
        """Whether its seconds were measured while other cells were played: no measure beside those measured alone."""
        return bool(self.cost("beside"))

    def _full(self, name: str) -> str:
        return name if name in self.names or "/" in name or ":" in name else f"{name}/all"

    def means(self, name: str) -> Mapping[str, float]:
        """A metric per context, the mean over seeds."""
        if name not in self._means:
            found = self.by_context(name)
            seeds = len(found) or 1
            names = shared_keys(found)
            columns = zip(*(in_order(contexts, names) for contexts in found), strict=True)
            self._means[name] = {c: sum(column) / seeds for c, column in zip(names, columns, strict=True)}
        return self._means[name]

    @cached_property
    def _means(self) -> dict[str, Mapping[str, float]]:
        """What `means` has found: several numbers of a row need it."""
        return {}

    @cached_property
    def _recoveries(self) -> dict[str, Interval | None]:
        """What `recovery` has found: several numbers of a row need it."""
        return {}

    def curve(self, name: str) -> list[float] | None:
        """A metric's curve, the mean over the seeds that have the metric, as far as all reach; None without one."""
        curves = [metric.get("curve", []) for metric in self._terms(name) if metric]
        return [fmean(values) for values in zip(*curves, strict=False)] or None


def _brief(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
