"""Find each row's nearest neighbors among the features of one layer."""

import logging

import faiss
import numpy as np

from common.arrays import load
from common.components import principal_components
from common.files import whole
from common.jobs import UserError, job

log = logging.getLogger("workflow")

PROJECTED = 128  # dimensions of the fast search
CANDIDATES = 3  # times as many as asked for are ranked again by their true distance
MIN_RECALL = 0.995  # below it, the search is exact after all
QUERIES = 1000  # rows whose exact neighbors the recall is measured on
BLOCK = 10_000  # rows searched between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 2 * PROJECTED  # up to here an exact search is as fast


def without_self(indices: np.ndarray, distances: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop one of each row's (m, k + 1) neighbors: the row itself, `rows` (m,), or the last if it is not among them.

    A row with many exact copies can be missing among its own neighbors.
    """
    is_self = indices == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~is_self].reshape(shape), distances[~is_self].reshape(shape)


def search(index: faiss.Index, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k neighbors of each of the `queries` (m, d): indices (m, k) int32, Euclidean distances (m, k) float32."""
    indices, distances = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        squared, indices[block] = index.search(np.ascontiguousarray(queries[block]), k)
        distances[block] = np.sqrt(np.maximum(squared, 0))
        log.info("neighbors of %d of %d rows", min(start + BLOCK, len(queries)), len(queries))
    return indices, distances


def search_others(index: faiss.Index, queries: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As `search`, of queries that are `rows` (m,) of the index, each row itself left out."""
    return without_self(*search(index, queries, k + 1), rows)


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """The share of the exact neighbors (m, k) that were found (m, k)."""
    return float(np.mean([len(np.intersect1d(f, e)) / len(e) for f, e in zip(found, exact, strict=True)]))


def projected_index(features: np.ndarray, exact: faiss.IndexFlatL2, seed: int) -> faiss.Index:
    """A search by the first principal components, whose candidates `exact` ranks again by their full distance."""
    _, components = principal_components(features, PROJECTED, seed)
    projection = faiss.LinearTransform(features.shape[1], PROJECTED, False)
    faiss.copy_array_to_vector(components.ravel(), projection.A)
    projection.is_trained = True
    low = faiss.IndexPreTransform(projection, faiss.IndexFlatL2(PROJECTED))
    low.add(features)
    index = faiss.IndexRefine(low, exact)
    index.k_factor = CANDIDATES
    return index


def find_neighbors(
    features: np.ndarray, test_features: np.ndarray, k: int, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The k nearest neighbors of each row among `features` (n, d) float32, by Euclidean distance.

    Returns those of each row of `features`, the row itself left out, and those of each row of `test_features` (m, d):
    indices (rows, k) int32 and distances (rows, k) float32, nearest first, and `method` ("exact" or "projected"); the
    first has `recall`, too, the share of the true neighbors that was found. Many wide rows are searched by their first
    principal components, and the candidates ranked again by their full distance. The recall is measured on a sample of
    exact queries; below MIN_RECALL the search is exact after all. The searches are faiss's (Douze et al. 2024,
    https://arxiv.org/abs/2401.08281). Raises UserError if there are not more than k rows.
    """
    n, d = features.shape
    if k >= n:
        raise UserError(
            f"{k} neighbors of each image are asked for (three times tsne.perplexity, and at least 30), "
            f"and there are {n} images: give more, or lower tsne.perplexity"
        )
    exact = faiss.IndexFlatL2(d)
    exact.add(features)
    index, found = exact, {"method": "exact", "recall": 1.0}
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        fast = projected_index(features, exact, seed)
        sample = np.sort(np.random.default_rng(seed).choice(n, QUERIES, replace=False))
        share = recall(*(search_others(one, features[sample], sample, k)[0] for one in (fast, exact)))
        log.info("recall %.4f on %d exact queries", share, QUERIES)
        if share >= MIN_RECALL:
            index, found = fast, {"method": "projected", "recall": share}
        else:
            log.info("less than %.3f: searching exactly", MIN_RECALL)
    results = search_others(index, features, np.arange(n), k), search(index, test_features, k)
    neighbors, test_neighbors = (
        {"indices": indices, "distances": distances, "method": found["method"]} for indices, distances in results
    )
    return neighbors | {"recall": found["recall"]}, test_neighbors


if __name__ == "__main__":
    with job(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        faiss.omp_set_num_threads(snakemake.threads)
        features, test_features = load(snakemake.input.features), load(snakemake.input.test_features)
        found = find_neighbors(features, test_features, snakemake.params.k, snakemake.params.seed)
        for path, neighbors in zip(snakemake.output, found, strict=True):
            with whole(path) as part:
                np.savez(part, **neighbors)
