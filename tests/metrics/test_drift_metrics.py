"""What records of Drift steps amount to: planted values, and over what their intervals are."""

from __future__ import annotations

import math
from typing import Any

import pytest

from membench.metrics.drift import drift_metrics
from membench.statistics.intervals import mean_ci


def record(episode: str, texts: list[list[float]], items: dict[str, list[list[int]]], step: int = 1) -> dict[str, Any]:
    return {"type": "drift", "episode": episode, "step": step, "texts": texts, "items": items}


def test_metrics_of_planted_records() -> None:
    """The texts and items are what an interval is over; two writes that differ are averaged item by item."""
    flipped = {"common": [[1, 1], [1, 0], [1, 1], [1, 0]], "piqa": [[0, 1], [0, 0], [1, 1], [1, 1]]}
    kept = {"common": [[1, 1]] * 4, "piqa": [[0, 0], [0, 0], [1, 1], [1, 1]]}
    records: list[dict[str, Any]] = []
    for name, nll, items in (("c0", 1.5, flipped), ("c1", 1.0, kept)):
        records.append({"type": "write", "episode": name, "step": 0, "contexts": [name]})
        records.append(record(name, [[10, 1.0, nll, 0.2], [30, 1.0, nll, 0.4]], items))
    found = drift_metrics(records)
    assert found["drift_ppl/all"].value == pytest.approx((math.exp(0.5) + 1) / 2)
    assert found["drift_kl/all"].value == pytest.approx(0.35)
    assert found["flips/all"].value == pytest.approx((2 / 6 + 0) / 2)
    assert found["flips/common"].contexts == {"common 0": 0, "common 1": 0.5, "common 2": 0, "common 3": 0.5}
    assert len(found["flips/all"].contexts) == 6
    assert found["repairs/all"].contexts == pytest.approx({"piqa 0": 0.5, "piqa 1": 0})
    assert "repairs/common" not in found
    assert found["suite_acc/piqa"].value == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert found["suite_acc_base/piqa"].value == pytest.approx(0.5)
    assert (found["suite_acc/all"].value, found["suite_acc_base/all"].value) == pytest.approx((11 / 16, 6 / 8))
    assert drift_metrics(records[:1]) == {}


def test_the_interval_of_drift_is_over_texts_and_items() -> None:
    """One step has an interval, and a hundred steps on the same few texts make it no narrower."""
    texts = [[20 + 5 * k, 3.0, 3.0 + 0.1 * (k % 4), 0.1 * (1 + k % 5)] for k in range(16)]
    items = {"common": [[1, k % 9 > 0] for k in range(54)]}
    one = drift_metrics([record("e", texts, items)])
    many = drift_metrics([record(f"e{n}", texts, items) for n in range(100)])
    for name, size in (("drift_ppl/all", 16), ("drift_kl/all", 16), ("flips/all", 54)):
        alone, repeated = (mean_ci(list(found[name].contexts.values())) for found in (one, many))
        assert len(one[name].contexts) == size
        assert alone.value == pytest.approx(one[name].value)
        assert alone.high is not None
        assert alone.high > alone.value
        assert repeated == pytest.approx(alone)


def test_the_interval_of_perplexity_is_that_of_a_ratio() -> None:
    """Against the jackknife over texts, which knows nothing of the linearisation."""
    texts = [[20 + 3 * k, 3.0, 3.0 + 0.03 * (k * k % 7), 0.0] for k in range(16)]

    def ppl(rows: list[list[float]]) -> float:
        return drift_metrics([record("e", rows, {"common": [[1, 1]]})])["drift_ppl/all"].value

    without = [ppl(texts[:k] + texts[k + 1 :]) for k in range(16)]
    error = math.sqrt(15 / 16 * sum((v - sum(without) / 16) ** 2 for v in without))
    values = list(drift_metrics([record("e", texts, {"common": [[1, 1]]})])["drift_ppl/all"].contexts.values())
    mean = sum(values) / 16
    assert mean == pytest.approx(ppl(texts))
    assert math.sqrt(sum((v - mean) ** 2 for v in values) / 15 / 16) == pytest.approx(error, rel=0.05)


def test_several_steps_of_one_episode_make_a_curve() -> None:
    rows = [record("e", [[10, 1.0, 1.0, kl]], {"common": [[1, 1]]}, step) for step, kl in enumerate((0.1, 0.2, 0.4))]
    found = drift_metrics(rows)["drift_kl/all"]
    assert found.value == pytest.approx(0.4)
    assert found.curve == pytest.approx((0.1, 0.2, 0.4))
