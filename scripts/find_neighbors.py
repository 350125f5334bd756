"""Find each row's nearest neighbors among the features of one layer."""

import logging
import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import faiss
import numpy as np

from common.arrays import load
from common.components import principal_components, project
from common.files import whole
from common.jobs import UserError, job
from common.pieces import fitting, pieces

log = logging.getLogger("workflow")

Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # of queries (m, d), so many neighbors each

SAMPLE = 500  # rows whose exact neighbors the recall is measured on
MIN_RECALL = 0.999  # below it, the search is exact after all
GOOD_RECALL = 0.9995  # the quickest plan that reaches it is taken
BLOCK = 10_000  # rows searched at once, between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 128  # up to here an exact search is as fast


class Plan(NamedTuple):
    """How an inexact search is made."""

    dimensions: int  # principal components
    candidates: int  # times as many as asked for are ranked again by their true distance
    share: float  # of all rows, those in the cells about the query's own, are searched


DEPTHS = ((64, 2), (96, 2), (128, 3))  # of the quickest and the surest plans, dimensions and candidates
SHARES = (1 / 4, 1 / 8, 1 / 16, 1 / 32)  # or all: of more than a quarter, gathering them costs what it spares


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


def squared_distances(
    features: np.ndarray, queries: np.ndarray, rows: np.ndarray, indices: np.ndarray, memory: float
) -> np.ndarray:
    """From the `rows` (m,) of `queries` to the rows `indices` (m, c) of `features` (n, d): (m, c) float32.

    Summed over blocks of columns, of which `memory` MB are held at once, so that each is read from the disk in one go.
    """
    squared = np.zeros(indices.shape, np.float32)
    for columns in pieces(features.shape[1], fitting(memory, len(features) + BLOCK)):
        held = np.ascontiguousarray(features[:, columns])  # no copy, if it is all columns
        for block in pieces(len(rows), BLOCK):
            asked = np.ascontiguousarray(queries[rows[block], columns])
            ids, part = indices[block].astype(np.int64), np.empty(indices[block].shape, np.float32)
            pointers = map(faiss.swig_ptr, (part, asked, held, ids))
            faiss.fvec_L2sqr_by_idx(*pointers, held.shape[1], *ids.shape)
            squared[block] += part
    return squared


class ProjectedSearch:
    """A search by the first principal components, whose candidates are ranked again by their full distance.

    Rows and queries are put into cells, by k-means: queries of one cell are searched together, among the rows of the
    nearest cells, and have most of their candidates in common, which are then found in the processor's cache.
    """

    def __init__(self, features: np.ndarray, seed: int, memory: float) -> None:
        """Of `features` (n, d) float32, of which `memory` MB are held at once."""
        self.features, self.memory = features, memory
        self.frame = principal_components(features, DEPTHS[-1][0], seed, memory)
        projected = project(features, *self.frame, memory)
        n, dimensions = projected.shape
        cells = 2 * math.isqrt(n)
        self.cells = faiss.Kmeans(dimensions, cells, niter=8, seed=seed, max_points_per_centroid=100)
        self.cells.train(projected)
        membership = self.cell_of(projected)
        self.order = np.argsort(membership, kind="stable").astype(np.int32)
        self.projected = projected[self.order]
        self.bounds = np.searchsorted(membership[self.order], np.arange(cells + 1))
        _, self.nearest_cells = faiss.knn(self.cells.centroids, self.cells.centroids, cells)

    def cell_of(self, projected: np.ndarray) -> np.ndarray:
        """The cell of each projected row (m, dimensions), (m,)."""
        return self.cells.index.search(projected, 1)[1][:, 0]

    def rows_about(self, cell: int, least: int) -> np.ndarray:
        """Places in `order` of at least so many rows, those of whole cells, the nearest."""
        near = self.nearest_cells[cell]
        sizes = self.bounds[near + 1] - self.bounds[near]
        near = near[: np.searchsorted(np.cumsum(sizes), least) + 1]
        return np.concatenate([np.arange(self.bounds[one], self.bounds[one + 1]) for one in near])

    def candidates(self, asked: np.ndarray, cells: np.ndarray, count: int, plan: Plan) -> np.ndarray:
        """For projected queries (m, dimensions), sorted by their `cells` (m,): rows of the features, (m, count)."""
        asked = np.ascontiguousarray(asked[:, : plan.dimensions])
        rows = np.ascontiguousarray(self.projected[:, : plan.dimensions])
        found = np.empty((len(asked), count), np.int32)
        if plan.share == 1:
            for block in pieces(len(asked), BLOCK):
                found[block] = self.order[faiss.knn(asked[block], rows, count)[1]]
                log.info("candidates of %d of %d rows", block.stop, len(asked))
            return found
        least = max(int(plan.share * len(rows)), 4 * count)
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        for start, stop in pairwise([*starts.tolist(), len(cells)]):
            about = self.rows_about(cells[start], least)
            found[start:stop] = self.order[about[faiss.knn(asked[start:stop], rows[about], count)[1]]]
            if stop // BLOCK > start // BLOCK:
                log.info("candidates of %d of %d rows", stop, len(asked))
        return found

    def __call__(self, queries: np.ndarray, k: int, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """The k rows nearest to each of the queries (m, d): indices (m, k) int32 and distances (m, k) float32."""
        projected = project(queries, *self.frame, self.memory)
        cells = self.cell_of(projected)
        order = np.argsort(cells, kind="stable")
        count = min(plan.candidates * k, len(self.features))
        indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
        for block in pieces(len(queries), fitting(self.memory, 2 * count)):
            rows = order[block]
            near = self.candidates(projected[rows], cells[rows], count, plan)
            distances = squared_distances(self.features, queries, rows, near, self.memory)
            squared[rows], indices[rows] = first(k, distances, near)
        return indices, np.sqrt(squared)


def plan_search(search: ProjectedSearch, sample: np.ndarray, exact: np.ndarray) -> tuple[Plan, float]:
    """The quickest plan by which `search` finds GOOD_RECALL of the neighbors, else the surest; and its recall.

    Measured on the rows `sample` (m,) of what is searched, and their `exact` neighbors (m, k).
    """
    queries, k = search.features[sample], exact.shape[1]

    def measured(plan: Plan) -> float:
        share = recall(search_others(partial(search, plan=plan), queries, sample, k)[0], exact)
        log.info("%d components, %d k candidates, of 1/%d of the rows: recall %.4f", *plan[:2], 1 / plan.share, share)
        return share

    for depth in DEPTHS:
        best = Plan(*depth, share=1)
        found = measured(best)
        if found >= GOOD_RECALL:
            break
    else:
        return best, found
    for share in SHARES:
        quicker = best._replace(share=share)
        if (quickly_found := measured(quicker)) < GOOD_RECALL:
            break
        best, found = quicker, quickly_found
    return best, found


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
    principal components, in the nearest cells, and the candidates ranked again by their full distance. How far that has
    to go is found out on a sample of exact queries, as is the recall; below MIN_RECALL the search is exact after all.
    Features of more than `memory` MB are searched in pieces. The searches are faiss's (Douze et al. 2024,
    https://arxiv.org/abs/2401.08281). Raises UserError if there are not more than k rows.
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
        count = min(SAMPLE, fitting(memory, d))
        sample = np.sort(np.random.default_rng(seed).choice(n, count, replace=False))
        projected = ProjectedSearch(features, seed, memory)
        plan, share = plan_search(projected, sample, search_others(exact, features[sample], sample, k)[0])
        if share >= MIN_RECALL:
            search, found = partial(projected, plan=plan), {"method": "projected", "recall": share}
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
