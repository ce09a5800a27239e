"""RAPTOR's clusters: mixtures chosen by BIC, global ones parted again, points that two claim."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from membench.retrieval import clusters
from membench.retrieval.clusters import COMPONENTS, members
from membench.retrieval.encoders import Vectors

pytestmark = pytest.mark.long


def blobs(count: int, apart: float) -> Vectors:
    """Three clouds of `count` points each, with standard deviation 0.1, at corners of a triangle with this side."""
    rng = np.random.default_rng(0)
    centres = np.eye(3, COMPONENTS) * apart / 2**0.5
    return np.concatenate([centre + 0.1 * rng.normal(size=(count, COMPONENTS)) for centre in centres]).astype(
        np.float32
    )


def test_the_mixture_with_the_least_bic_finds_three_clouds() -> None:
    found = members(clusters.mixture(blobs(40, apart=4), 0))
    assert sorted(found) == [tuple(range(start, start + 40)) for start in (0, 40, 80)]


def test_where_clouds_overlap_some_points_stand_in_two_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MOST_CLUSTERS", 6)  # more are tried for nothing
    found = members(clusters.mixture(blobs(200, apart=0.5), 0))
    claimed = Counter(i for group in found for i in group)
    assert len(found) > 1
    assert set(claimed) == set(range(600))
    assert 1 <= sum(count > 1 for count in claimed.values()) <= 60


def test_global_clusters_are_parted_again_where_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Globally with the root of the number of nodes as neighbours, locally with ten (the released code)."""
    seen: list[tuple[list[int], int]] = []

    def plain(vectors: Vectors, neighbours: int, seed: int) -> Vectors:
        seen.append((vectors[:, 0].astype(int).tolist(), neighbours))
        return vectors

    def parts(points: Vectors, seed: int) -> Any:
        """Of all: the first 20 and the others. Of 20: even and odd."""
        numbers = points[:, 0].astype(int)
        first = numbers < 20 if len(points) > 20 else numbers % 2 == 0
        return np.stack([first, ~first], axis=1).astype(float)

    monkeypatch.setattr(clusters, "reduced", plain)
    monkeypatch.setattr(clusters, "mixture", parts)
    found = clusters.clusters(np.arange(31, dtype=np.float32)[:, None], 0)
    assert found == [tuple(range(0, 20, 2)), tuple(range(1, 20, 2)), tuple(range(20, 31))]
    assert seen == [(list(range(31)), 5), (list(range(20)), 10)]


def test_points_that_many_mixtures_do_not_fit_have_one_that_does() -> None:
    alike = np.repeat(np.eye(6, COMPONENTS, dtype=np.float32), 6, axis=0)
    assert {i for group in members(clusters.mixture(alike, 0)) for i in group} == set(range(len(alike)))
    one = np.zeros((8, COMPONENTS), np.float32)
    assert members(clusters.mixture(one, 0)) == [tuple(range(8))]
