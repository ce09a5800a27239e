"""From recommended lists to Recall@k, NDCG@k and MRR: one row a recommended item, intervals over dialogues.

The scores of an answer hold the rank of each gold item in a list, 0 where it is not in it: `rank_0`, `rank_1`, … in the
answer's own list, `popularity_0`, … and `random_0`, … in those of the two baselines, and `pick_1`, … the catalogue
numbers of what was recommended.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from membench.corpora.dialogues import mentioned
from membench.metrics.titles import bare
from membench.text.fold import fold
from membench.values import Answer, Metric, MetricSpec
from membench.views import BASELINES, REHEARSED, ratio_of_sums

CUTOFFS = (20, 10, 5, 1)  # the longest first: it is what tables are sorted by

METRICS = (
    MetricSpec(
        "recall@1", "recall@1", "share of gold items that are the first of the recommended list", leads=True, brief=1
    ),
    MetricSpec("recall@5", "recall@5", "share of gold items among the first 5 of the list", leads=True),
    MetricSpec("recall@5/rec", "rec@5", "the same, items that were not mentioned before"),
    MetricSpec("recall@5/dis", "dis@5", "the same, items that were mentioned before"),
    MetricSpec("recall@5/placebo", "placebo@5", "recall@5 where the dialogue that teaches it is not written"),
    MetricSpec("recall@10", "recall@10", "share of gold items among the first 10", leads=True),
    MetricSpec("recall@20", "recall@20", "share of gold items among the first 20", leads=True),
    MetricSpec("ndcg@5", "ndcg@5", "1 / log2(rank + 1) of gold items among the first 5, else 0", interval=False),
    MetricSpec("ndcg@10"),
    MetricSpec("ndcg@20", "ndcg@20", "the same, among the first 20", interval=False),
    MetricSpec("mrr", "mrr", "mean of 1 / rank of gold items in the list, 0 if absent", interval=False),
    MetricSpec(
        "valid",
        "valid",
        "share of answers that are a list of at least half the titles asked for; where it is 0, recall says nothing "
        "about memory",
        interval=False,
        brief=2,
    ),
    MetricSpec(
        "titles",
        "titles",
        "different items recommended in an answer",
        unit="items",
        higher_is_better=None,
        interval=False,
    ),
    MetricSpec(
        "distinct",
        "distinct",
        "different items recommended in all answers together",
        unit="items",
        higher_is_better=None,
        interval=False,
    ),
    MetricSpec(
        "mrr_mc",
        "mrr mc",
        "mean of 1 / rank of the gold item among sampled items; a likelihood",
        interval=False,
        brief=3,
    ),
)

Row = tuple[Answer, int]  # an answer and the index of one of its gold items
Rows = Sequence[Row]


def ranks(golds: Sequence[int], picks: Sequence[int], name: str) -> dict[str, float]:
    """The scores `<name>_<i>`: the 1-based place of gold item i among the picks, 0 if it is not there."""
    return {f"{name}_{i}": float(picks.index(gold) + 1 if gold in picks else 0) for i, gold in enumerate(golds)}


def summarise_recommendations(answers: Sequence[Answer], k: int) -> dict[str, Metric]:
    """All metrics of lists of at most k titles.

    Views: `all`; `rec` and `dis`, gold items that were not or were mentioned before; `rehearsed` and `unrehearsed`;
    `placebo`, turns whose training dialogue is known and not written; `popularity` and `random`, the baselines on the
    turns of `all`.
    """
    asked = [a for a in answers if not _is_placebo(a)]
    placebo = [a for a in answers if _is_placebo(a)]
    rows = _rows(asked)
    views = {"all": rows, "rec": [r for r in rows if not _discussed(r)], "dis": [r for r in rows if _discussed(r)]}
    views |= {view: [r for r in rows if r[0].tags.get("rehearsed") == tag] for view, tag in REHEARSED.items()}
    out: dict[str, Metric] = {}
    for view, those in {**views, "placebo": _rows(placebo)}.items():
        out |= _ranking(those, "rank", view, k)
    for baseline in BASELINES:
        out |= _ranking(rows, baseline, baseline, k)
    return out | _lists(asked) | _likelihood(asked, "all") | _likelihood(placebo, "placebo")


def _is_placebo(answer: Answer) -> bool:
    return not answer.seen and answer.context != answer.tags["dialogue"]


def _rows(answers: Iterable[Answer]) -> list[Row]:
    return [(answer, i) for answer in answers for i in range(len(answer.gold))]


def _discussed(row: Row) -> bool:
    answer, i = row
    return fold(bare(answer.gold[i])) in {fold(bare(title)) for title in mentioned(answer.tags)}


def _ranking(rows: Rows, name: str, view: str, k: int) -> dict[str, Metric]:
    """Recall and NDCG at the cutoffs up to k, and the mean reciprocal rank; each row has one relevant item."""
    found = [(answer.tags["dialogue"], answer.scores[f"{name}_{i}"]) for answer, i in rows]
    values = {f"recall@{c}": [(d, float(0 < rank <= c)) for d, rank in found] for c in CUTOFFS if c <= k}
    values |= {f"ndcg@{c}": [(d, _discounted(rank, c)) for d, rank in found] for c in CUTOFFS if 1 < c <= k}
    values["mrr"] = [(d, 1 / rank if rank else 0.0) for d, rank in found]
    return {f"{metric}/{view}": made for metric, those in values.items() if (made := by_dialogue(those))}


def _discounted(rank: float, cutoff: int) -> float:
    """The gain of the one relevant item (Järvelin and Kekäläinen, 2002)."""
    return 1 / math.log2(rank + 1) if 0 < rank <= cutoff else 0.0


def _lists(answers: Sequence[Answer]) -> dict[str, Metric]:
    """What the lists look like: whether they are lists, how long, and how many different items they name together."""
    out: dict[str, Metric] = {}
    for score in ("valid", "titles", "words", "truncated"):
        values = [(a.tags["dialogue"], a.scores[score]) for a in answers if score in a.scores]
        if made := by_dialogue(values):
            out[f"{score}/all"] = made
    picks = {value for a in answers for name, value in a.scores.items() if name.startswith("pick_")}
    return out | ({"distinct/all": Metric(float(len(picks)))} if answers else {})


def _likelihood(answers: Sequence[Answer], view: str) -> dict[str, Metric]:
    """The first gold item's likelihood among the sampled items: whether it is the best of them, and 1 / its rank."""
    ranked = [a for a in answers if "rank_mc" in a.scores]
    values = {
        "acc_mc": [(a.tags["dialogue"], a.scores["acc_mc"]) for a in ranked],
        "mrr_mc": [(a.tags["dialogue"], 1 / a.scores["rank_mc"]) for a in ranked],
        "margin": [(a.tags["dialogue"], a.scores["margin"]) for a in ranked],
        "gold_logprob": [(a.tags["dialogue"], a.scores["gold_logprob"]) for a in ranked],
    }
    return {f"{name}/{view}": made for name, those in values.items() if (made := by_dialogue(those))}


def by_dialogue(values: Iterable[tuple[str, float]]) -> Metric | None:
    """The mean over rows, with values per dialogue from which its clustered interval comes; None without rows."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    for dialogue, value in values:
        sums[dialogue] += value
        counts[dialogue] += 1
    return ratio_of_sums(sums, counts)
