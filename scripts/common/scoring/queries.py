"""Scores that compare some rows, the queries, with all training rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from common.knn.chunks import chunks, rows_that_fit
from common.scoring.parameters import N_VOTERS

BLOCK_MB = 100  # of distances or features that are held at once


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
        for name, (coordinates, train_coordinates) in queries.maps.items():
            in_map = cdist(coordinates[rows], train_coordinates).astype(np.float32)
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
    for block in chunks(len(rows), rows_that_fit(BLOCK_MB, rows.shape[1])):
        centered = rows[block] - mean
        norms, row_norms = (np.einsum("ij,ij->i", vectors, vectors) for vectors in (queries, centered))
        squared = norms[:, None] + row_norms - 2 * (queries @ centered.T)
        distances[:, block] = np.sqrt(np.maximum(squared, 0))
    return distances


def set_own(distances: np.ndarray, rows: np.ndarray, value: float) -> None:
    """Set the distance of each query from itself, in `distances` (m, n); `rows` (m,) are training rows, or -1."""
    own = np.flatnonzero(rows >= 0)
    distances[own, rows[own]] = value


def rank_scores(near: np.ndarray, distances: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how near the rows that are nearest by `near` (m, n) are by `distances` (m, n), as (m,): 1 at best.

    For embedding and features it is the trustworthiness, the other way round the continuity. `others` (m,) is the
    number of rows beside the query. With fewer than 2 N_VOTERS, the formula does not hold, and scores are NaN.
    """
    k = N_VOTERS
    if (others < 2 * k).any():
        return np.full(len(near), np.nan)
    scale = k * (2 * (others + 1) - 3 * k - 1) / 2
    nearest = np.argpartition(near, k - 1, axis=1)[:, :k]
    excess = np.zeros(len(near))
    for column in nearest.T:
        ranks = 1 + (distances < np.take_along_axis(distances, column[:, None], axis=1)).sum(axis=1)
        excess += np.maximum(ranks - k, 0)
    return 1 - excess / scale


def silhouettes(distances: np.ndarray, queries: Queries, rows: slice) -> np.ndarray:
    """Return the silhouettes (m,) of the queries `rows` among the training rows, from distances (m, n).

    The distance of a query from itself is 0.
    """
    labels, (classes, numbers) = queries.labels[rows], np.unique(queries.train_labels, return_inverse=True)
    if len(classes) < 2:
        return np.full(len(labels), np.nan)
    by_class, sizes = np.argsort(numbers, kind="stable"), np.bincount(numbers)
    sums = np.add.reduceat(distances[:, by_class], np.cumsum(sizes) - sizes, axis=1, dtype=float)
    counts = np.tile(sizes, (len(labels), 1))
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
