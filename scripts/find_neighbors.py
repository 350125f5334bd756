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


def search(index: faiss.Index, features: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors of some rows: indices (m, k) int32 and Euclidean distances (m, k) float32, the row itself left out."""
    indices, distances = np.empty((len(rows), k), np.int32), np.empty((len(rows), k), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        squared, found = index.search(features[rows[block]], k + 1)
        indices[block], squared = without_self(found, squared, rows[block])
        distances[block] = np.sqrt(np.maximum(squared, 0))
        log.info("neighbors of %d of %d rows", start + len(found), len(rows))
    return indices, distances


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


def find_neighbors(features: np.ndarray, k: int, seed: int) -> dict[str, np.ndarray]:
    """The k nearest neighbors of each row of `features` (n, d) float32, by Euclidean distance, the row itself left out.

    Returns indices (n, k) int32 and distances (n, k) float32, nearest first, `method` ("exact" or "projected") and
    `recall`, the share of the true neighbors that was found. Many wide rows are searched by their first principal
    components, and the candidates ranked again by their full distance. The recall is measured on a sample of exact
    queries; below MIN_RECALL the search is exact after all. The searches are faiss's (Douze et al. 2024,
    https://arxiv.org/abs/2401.08281).
    """
    n, d = features.shape
    if k >= n:
        raise UserError(
            f"tsne.perplexity asks for {k} neighbors of each of {n} images: lower it to {(n - 1) // 3} or less"
        )
    rows = np.arange(n)
    exact = faiss.IndexFlatL2(d)
    exact.add(features)
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        fast = projected_index(features, exact, seed)
        indices, distances = search(fast, features, rows, k)
        sample = np.sort(np.random.default_rng(seed).choice(n, QUERIES, replace=False))
        found = recall(indices[sample], search(exact, features, sample, k)[0])
        log.info("recall %.4f on %d exact queries", found, QUERIES)
        if found >= MIN_RECALL:
            return {"indices": indices, "distances": distances, "method": "projected", "recall": found}
        log.info("less than %.3f: searching exactly", MIN_RECALL)
    indices, distances = search(exact, features, rows, k)
    return {"indices": indices, "distances": distances, "method": "exact", "recall": 1.0}


if __name__ == "__main__":
    with job(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        faiss.omp_set_num_threads(snakemake.threads)
        features = load(snakemake.input.features)
        neighbors = find_neighbors(features, snakemake.params.k, snakemake.params.seed)
        with whole(snakemake.output.neighbors) as part:
            np.savez(part, **neighbors)
