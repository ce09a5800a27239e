"""RAPTOR's clusters: UMAP, then Gaussian mixtures chosen by BIC, globally and within each global cluster.

Membership is soft: a node may stand in several clusters (Sarthi et al., ICLR 2024, section 3).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from membench.retrieval.encoders import Vectors

Group = tuple[int, ...]

COMPONENTS = 10  # dimensions that UMAP reduces to
LOCAL_NEIGHBOURS = 10  # of UMAP within a global cluster; globally, the root of the number of nodes
MOST_CLUSTERS = 50
THRESHOLD = 0.1  # a node stands in every cluster with at least this probability


def groups(vectors: Vectors, sizes: Sequence[int], limit: int, seed: int) -> list[Group]:
    """The clusters of some nodes, as tuples of their places; every node stands in one at least.

    A cluster whose `sizes` sum to more than `limit` is clustered again, or halved where it has no parts.
    """
    found = [part for group in clusters(vectors, seed) for part in _within(group, vectors, sizes, limit, seed)]
    return sorted(dict.fromkeys(found))


def clusters(vectors: Vectors, seed: int) -> list[Group]:
    """Global clusters, each parted into local ones.

    Up to COMPONENTS + 1 nodes are one cluster, as in the released code: for them there is nothing to reduce to.
    """
    if len(vectors) <= COMPONENTS + 1:
        return [tuple(range(len(vectors)))]
    found: list[Group] = []
    for group in _soft(vectors, int((len(vectors) - 1) ** 0.5), seed):
        if len(group) <= COMPONENTS + 1:
            found.append(group)
        else:
            local = _soft(vectors[list(group)], LOCAL_NEIGHBOURS, seed)
            found += [tuple(group[i] for i in part) for part in local]
    return found


def _within(group: Group, vectors: Vectors, sizes: Sequence[int], limit: int, seed: int) -> list[Group]:
    if len(group) == 1 or sum(sizes[i] for i in group) <= limit:
        return [group]
    parts = [tuple(group[i] for i in part) for part in clusters(vectors[list(group)], seed)]
    if any(len(part) == len(group) for part in parts):
        middle = len(group) // 2
        parts = [group[:middle], group[middle:]]
    return [smaller for part in parts for smaller in _within(part, vectors, sizes, limit, seed)]


def _soft(vectors: Vectors, neighbours: int, seed: int) -> list[Group]:
    return members(mixture(reduced(vectors, neighbours, seed), seed))


def reduced(vectors: Vectors, neighbours: int, seed: int) -> Vectors:
    """Vectors [nodes, width] by UMAP as [nodes, COMPONENTS], the same for the same seed."""
    import torch

    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few neighbours, and of what its dependencies deprecate
        from umap import UMAP

        reducer = UMAP(neighbours, COMPONENTS, metric="cosine", random_state=seed, n_jobs=1)
        found = np.asarray(reducer.fit_transform(vectors), np.float32)
    # Numba has set its own for the whole process; with another number an encoder's vectors differ in a last bit.
    torch.set_num_threads(threads)
    return found


def mixture(points: Vectors, seed: int) -> NDArray[np.float64]:
    """Probabilities [nodes, clusters] under the Gaussian mixture with the least BIC."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of many clusters for few nodes: BIC sorts them out
        fits = []
        for count in range(1, min(MOST_CLUSTERS, len(points))):
            try:
                fits.append(GaussianMixture(count, random_state=seed).fit(points))
            except ValueError:  # a cluster of nodes so few or so alike that it has no covariance
                if count == 1:
                    return np.ones((len(points), 1))
    probabilities: NDArray[np.float64] = min(fits, key=lambda fit: fit.bic(points)).predict_proba(points)
    return probabilities


def members(probabilities: NDArray[np.float64]) -> list[Group]:
    """The nodes of each cluster: those above the threshold, and those that it is the likeliest for; empty ones fall."""
    likeliest = probabilities.argmax(axis=1)
    found = [
        np.flatnonzero((column > THRESHOLD) | (likeliest == k)).tolist() for k, column in enumerate(probabilities.T)
    ]
    return [tuple(group) for group in found if group]
