"""Two-level designs: effects come back, noise is called noise at the rate that is named, and what is real is found."""

from itertools import product

import numpy as np
import pytest

from membench.statistics.factorial import effects, lenth

RUNS = list(product((-1, 1), repeat=4))
COLUMNS = {
    "".join(name): [int(np.prod([s for s, n in zip(run, "ABCD", strict=True) if n in name])) for run in RUNS]
    for name in ("A", "B", "C", "D", "AB", "AC", "AD", "BC", "BD", "CD", "ABC", "ABD", "ACD", "BCD", "ABCD")
}


def test_effects_are_differences_of_means() -> None:
    """A value built from two factors and their interaction gives these back, and nothing for the others."""
    values = np.array([[3 + 0.5 * a - 0.25 * c + 0.1 * a * c] * 2 for a, _, c, _ in RUNS])
    found = effects(COLUMNS, values)
    assert found["A"].value == pytest.approx(1.0)
    assert found["C"].value == pytest.approx(-0.5)
    assert found["AC"].value == pytest.approx(0.2)
    assert found["BD"].value == pytest.approx(0.0)


def test_errors_of_effects_hold_their_level() -> None:
    """By blocks 5 % of effects of nothing are beyond; Lenth's margin claims about as many, his other one far less."""
    rng = np.random.default_rng(1)
    beyond = np.zeros(3)
    for _ in range(400):
        found = effects(COLUMNS, rng.normal(size=(16, 4)))
        sizes = np.array([[abs(e.value)] * 3 for e in found.values()])
        limits = np.array([[e.blocks, e.margin, e.simultaneous] for e in found.values()])
        beyond += (sizes > limits).mean(0) / 400
    assert beyond[0] == pytest.approx(0.05, abs=0.01)
    assert beyond[1] == pytest.approx(0.05, abs=0.02)
    assert beyond[2] < 0.015


def test_one_block_has_no_error_of_its_own_and_a_large_effect_is_found_without_it() -> None:
    """Lenth's method needs no replicates."""
    rng = np.random.default_rng(2)
    values = np.array([[2.0 * b] for _, b, _, _ in RUNS]) + rng.normal(size=(16, 1))
    found = effects(COLUMNS, values)
    assert all(effect.blocks is None for effect in found.values())
    assert abs(found["B"].value) > found["B"].simultaneous


def test_lenth_as_computed_by_hand() -> None:
    """Seven contrasts: first 1.5 × 3 = 4.5; 50 is beyond 11.25; median of the six others 2.5; t with 7/3 df."""
    margin, simultaneous = lenth([1, -2, 2, 3, -4, 4, 50])
    assert margin == pytest.approx(3.764 * 3.75, rel=1e-3)
    assert simultaneous > 2 * margin
