"""Scores that compare some rows, the queries, with all training rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.knn.chunks import chunks, rows_that_fit
from common.numba_setup import compiled
from common.scoring.parameters import N_VOTERS

BLOCK_MB = 100  # of distances that are held at once
FEATURES_MB = 16  # of features that are compared at once, so that they stay in the cache


@dataclass(frozen=True)
class Queries:
    """Some rows of a split, and the training rows."""

    features: np.ndarray  # (m, d) float32
    train_features: np.ndarray  # (n, d) float32
    maps: Mapping[str, tuple[np.ndarray, np.ndarray]]  # by embedding: coordinates (m, 2) and (n, 2)
    labels: np.ndarray  # (m,), class numbers
    train_labels: np.ndarray  # (n,)
    train_rows: np.ndarray  # (m,), the row numbers of queries that are training rows themselves, else -1


def measure_queries(queries: Queries) -> dict[str, dict[str, np.ndarray]]:
    """Return the scores (m,) of each query, by embedding and name.

    They are `trustworthiness` and `continuity` (Venna and Kaski 2001) for N_VOTERS neighbors, and `silhouette_features`
    and `silhouette_map` (Rousseeuw 1987) among the training rows: over all training rows, their means are the scores as
    they are defined. A query is not compared with itself. Silhouettes are NaN if the query's class has no other
    training row or there is no other class, the others if there are fewer than 2 N_VOTERS training rows beside the
    query.
    """
    blocks = {name: [] for name in queries.maps}
    for rows in chunks(len(queries.features), rows_that_fit(BLOCK_MB, len(queries.train_features))):
        own = queries.train_rows[rows]
        distances = feature_distances(queries.features[rows], queries.train_features)
        set_own(distances, own, 0)
        in_features = silhouettes(distances, queries, rows)
        set_own(distances, own, np.inf)
        in_map = np.empty_like(distances)
        for name, (coordinates, train_coordinates) in queries.maps.items():
            _measure_distances(coordinates[rows], train_coordinates, in_map)
            in_silhouettes = silhouettes(in_map, queries, rows)
            set_own(in_map, own, np.inf)
            others = in_map.shape[1] - (own >= 0)
            blocks[name].append(
                {
                    "trustworthiness": rank_scores(in_map, distances, others),
                    "continuity": rank_scores(distances, in_map, others),
                    "silhouette_features": in_features,
                    "silhouette_map": in_silhouettes,
                }
            )
    return {
        name: {score: np.concatenate([block[score] for block in found]) for score in found[0]}
        for name, found in blocks.items()
    }


def feature_distances(queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (m, n) float32 of queries (m, d) from rows (n, d), which may be memory-mapped."""
    mean = queries.mean(axis=0)  # near it, single precision loses least
    queries = queries - mean
    distances = np.empty((len(queries), len(rows)), np.float32)
    for block in chunks(len(rows), rows_that_fit(FEATURES_MB, rows.shape[1])):
        centered = rows[block] - mean
        norms, row_norms = (np.einsum("ij,ij->i", vectors, vectors) for vectors in (queries, centered))
        squared = norms[:, None] + row_norms - 2 * (queries @ centered.T)
        distances[:, block] = np.sqrt(np.maximum(squared, 0))
    return distances


def set_own(distances: np.ndarray, rows: np.ndarray, value: float) -> None:
    """Set the distance of each query from itself, in `distances` (m, n); `rows` (m,) are training rows, or -1."""
    own = np.flatnonzero(rows >= 0)
    distances[own, rows[own]] = value


@compiled
def _measure_distances(points, others, distances):  # noqa: ANN001, ANN202
    """Write the distances (m, n) of points (m, 2) from others (n, 2)."""
    for i in range(len(points)):
        for j in range(len(others)):
            x, y = points[i, 0] - others[j, 0], points[i, 1] - others[j, 1]
            distances[i, j] = np.sqrt(x * x + y * y)


@compiled
def _sum_by_class(distances, classes, sums):  # noqa: ANN001, ANN202
    """Add the distances (m, n) to rows of the `classes` (n,) to the sums (m, classes) float64."""
    for i in range(distances.shape[0]):
        for j in range(distances.shape[1]):
            sums[i, classes[j]] += distances[i, j]


@compiled
def _find_nearest(distances, nearest):  # noqa: ANN001, ANN202
    """Write the row numbers of the k smallest of the distances (n,) to `nearest` (k,), in ascending order."""
    k = len(nearest)
    values = np.full(k, np.inf, distances.dtype)
    for j in range(len(distances)):
        if distances[j] < values[k - 1]:
            at = k - 1
            while at > 0 and distances[j] < values[at - 1]:
                values[at], nearest[at] = values[at - 1], nearest[at - 1]
                at -= 1
            values[at], nearest[at] = distances[j], j


@compiled
def _count_below(distances, limit):  # noqa: ANN001, ANN202
    """Return how many of the distances (n,) are below the limit."""
    count = 0
    for j in range(len(distances)):
        count += distances[j] < limit
    return count


@compiled
def _sum_excess_ranks(near, distances, k, excess):  # noqa: ANN001, ANN202
    """Add to `excess` (m,) by how much the ranks in `distances` (m, n) of the k nearest rows by `near` exceed k."""
    nearest = np.zeros(k, np.int64)
    for i in range(near.shape[0]):
        _find_nearest(near[i], nearest)
        for row in nearest:
            excess[i] += max(1 + _count_below(distances[i], distances[i, row]) - k, 0)


def rank_scores(near: np.ndarray, distances: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how near the rows that are nearest by `near` (m, n) are by `distances` (m, n), as (m,): 1 at best.

    For embedding and features it is the trustworthiness, the other way round the continuity. `others` (m,) is the
    number of rows beside the query. With fewer than 2 N_VOTERS, the formula does not hold, and scores are NaN.
    """
    k = N_VOTERS
    if (others < 2 * k).any():
        return np.full(len(near), np.nan)
    scale = k * (2 * (others + 1) - 3 * k - 1) / 2
    excess = np.zeros(len(near))
    _sum_excess_ranks(near, distances, k, excess)
    return 1 - excess / scale


def silhouettes(distances: np.ndarray, queries: Queries, rows: slice) -> np.ndarray:
    """Return the silhouettes (m,) of the queries `rows` among the training rows, from distances (m, n).

    The distance of a query from itself is 0.
    """
    labels, (classes, numbers) = queries.labels[rows], np.unique(queries.train_labels, return_inverse=True)
    if len(classes) < 2:
        return np.full(len(labels), np.nan)
    sums = np.zeros((len(labels), len(classes)))
    _sum_by_class(distances, numbers, sums)
    counts = np.tile(np.bincount(numbers), (len(labels), 1))
    known = np.isin(labels, classes)
    own, every = np.where(known, np.searchsorted(classes, labels), 0), np.arange(len(labels))
    counts[every, own] -= known & (queries.train_rows[rows] >= 0)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    within = means[every, own].copy()
    means[every, own] = np.inf
    between = np.nanmin(means, axis=1)
    longer = np.maximum(within, between)
    values = np.divide(between - within, longer, out=np.zeros(len(labels)), where=longer != 0)
    values[~known] = np.nan
    return values
