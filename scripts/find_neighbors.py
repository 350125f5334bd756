"""Find each row's nearest neighbors among the features of one layer."""

import logging
from collections.abc import Callable
from functools import partial

import faiss
import numpy as np

from common.arrays import load
from common.components import principal_components, project
from common.files import whole
from common.jobs import UserError, job
from common.pieces import fitting, pieces

log = logging.getLogger("workflow")

Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # of queries (m, d), so many neighbors each

PROJECTED = 128  # dimensions of the fast search
CANDIDATES = 3  # times as many as asked for are ranked again by their true distance
MIN_RECALL = 0.995  # below it, the search is exact after all
QUERIES = 1000  # rows whose exact neighbors the recall is measured on
BLOCK = 10_000  # rows searched at once, between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 2 * PROJECTED  # up to here an exact search is as fast


def without_self(indices: np.ndarray, distances: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop one of each row's (m, k + 1) neighbors: the row itself, `rows` (m,), or the last if it is not among them.

    A row with many exact copies can be missing among its own neighbors.
    """
    is_self = indices == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~is_self].reshape(shape), distances[~is_self].reshape(shape)


def nearest(features: np.ndarray, queries: np.ndarray, k: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of `features` (n, d) nearest to each of the `queries` (m, d), by an exact search.

    Returns indices (m, k) int32 and Euclidean distances (m, k) float32, nearest first. Both matrices are read where
    they are, which for mapped files is the disk: pieces of `memory` MB of `features` one after the other, each for all
    queries.
    """
    n, d = features.shape
    indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
    for piece in pieces(n, fitting(memory, d)):
        for rows in pieces(len(queries), BLOCK):
            found = faiss.knn(queries[rows], features[piece], k)
            if piece.start:
                both = np.hstack([squared[rows], found[0]]), np.hstack([indices[rows], piece.start + found[1]])
                found = first(k, *both)
            squared[rows], indices[rows] = found
            log.info("neighbors of %d of %d rows, among %d of %d", rows.stop, len(queries), piece.stop, n)
    return indices, np.sqrt(squared)


def first(k: int, squared: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest of each row of `squared` (m, at least k), ascending, and what is at their places in `indices`."""
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(squared, order, axis=1), np.take_along_axis(indices, order, axis=1)


def squared_distances(features: np.ndarray, queries: np.ndarray, indices: np.ndarray, memory: float) -> np.ndarray:
    """From each of the `queries` (m, d) to the rows `indices` (m, c) of `features` (n, d): (m, c) float32.

    Summed over blocks of columns, of which `memory` MB are held at once, so that each is read from the disk in one go.
    """
    squared = np.zeros(indices.shape, np.float32)
    for columns in pieces(features.shape[1], fitting(memory, len(features) + BLOCK)):
        held = np.ascontiguousarray(features[:, columns])  # no copy, if it is all columns
        for rows in pieces(len(queries), BLOCK):
            asked = np.ascontiguousarray(queries[rows, columns])
            ids, part = indices[rows].astype(np.int64), np.empty(indices[rows].shape, np.float32)
            pointers = map(faiss.swig_ptr, (part, asked, held, ids))
            faiss.fvec_L2sqr_by_idx(*pointers, held.shape[1], *ids.shape)
            squared[rows] += part
    return squared


def projected_search(features: np.ndarray, seed: int, memory: float) -> Search:
    """A search by the first principal components, whose candidates are ranked again by their full distance."""
    frame = principal_components(features, PROJECTED, seed, memory)
    projected = project(features, *frame, memory)

    def search(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        candidates = min(CANDIDATES * k, len(features))
        indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
        for rows in pieces(len(queries), fitting(memory, 2 * candidates)):
            asked = queries[rows]
            near, _ = nearest(projected, project(asked, *frame, memory), candidates, memory)
            squared[rows], indices[rows] = first(k, squared_distances(features, asked, near, memory), near)
        return indices, np.sqrt(squared)

    return search


def search_others(search: Search, queries: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As `search`, of queries that are `rows` (m,) of what is searched, each row itself left out."""
    return without_self(*search(queries, k + 1), rows)


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """The share of the exact neighbors (m, k) that were found (m, k)."""
    return float(np.mean([len(np.intersect1d(f, e)) / len(e) for f, e in zip(found, exact, strict=True)]))


def find_neighbors(
    features: np.ndarray, test_features: np.ndarray, k: int, seed: int, memory: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The k nearest neighbors of each row among `features` (n, d) float32, by Euclidean distance.

    Returns those of each row of `features`, the row itself left out, and those of each row of `test_features` (m, d):
    indices (rows, k) int32 and distances (rows, k) float32, nearest first, and `method` ("exact" or "projected"); the
    first has `recall`, too, the share of the true neighbors that was found. Many wide rows are searched by their first
    principal components, and the candidates ranked again by their full distance. The recall is measured on a sample of
    exact queries; below MIN_RECALL the search is exact after all. Features of more than `memory` MB are searched in
    pieces. The searches are faiss's (Douze et al. 2024, https://arxiv.org/abs/2401.08281). Raises UserError if there
    are not more than k rows.
    """
    n, d = features.shape
    if k >= n:
        raise UserError(
            f"{k} neighbors of each image are asked for (three times tsne.perplexity, and at least 30), "
            f"and there are {n} images: give more, or lower tsne.perplexity"
        )
    exact = partial(nearest, features, memory=memory)
    search, found = exact, {"method": "exact", "recall": 1.0}
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        fast = projected_search(features, seed, memory)
        queries = min(QUERIES, fitting(memory, d))
        sample = np.sort(np.random.default_rng(seed).choice(n, queries, replace=False))
        share = recall(*(search_others(one, features[sample], sample, k)[0] for one in (fast, exact)))
        log.info("recall %.4f on %d exact queries", share, queries)
        if share >= MIN_RECALL:
            search, found = fast, {"method": "projected", "recall": share}
        else:
            log.info("less than %.3f: searching exactly", MIN_RECALL)
    results = search_others(search, features, np.arange(n), k), search(test_features, k)
    neighbors, test_neighbors = (
        {"indices": indices, "distances": distances, "method": found["method"]} for indices, distances in results
    )
    return neighbors | {"recall": found["recall"]}, test_neighbors


if __name__ == "__main__":
    with job(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        params = snakemake.params
        faiss.omp_set_num_threads(snakemake.threads)
        features, test_features = load(snakemake.input.features), load(snakemake.input.test_features)
        found = find_neighbors(features, test_features, params.k, params.seed, params.memory)
        for path, neighbors in zip(snakemake.output, found, strict=True):
            with whole(path) as part:
                np.savez(part, **neighbors)
