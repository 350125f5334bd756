"""Searches for nearest neighbors, exact and by principal components."""

import logging
import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from common.components import principal_components, project
from common.jobs import UserError
from common.nearest import first, nearest, nearest_of_few, side_by_side, squared_distances
from common.neighbors import without_self
from common.pieces import fitting, pieces

log = logging.getLogger("workflow")

Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # of queries (m, d), so many neighbors each

SAMPLE = 500  # rows whose exact neighbors the recall is measured on
MIN_RECALL = 0.999  # below it, the search is exact after all
GOOD_RECALL = 0.9995  # the quickest plan that reaches it is taken
ROWS_A_CELL = 100  # at the most, for k-means
BLOCK = 10_000  # rows searched at once, between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 128  # up to here an exact search is as fast


class Plan(NamedTuple):
    """How an inexact search is made."""

    dimensions: int  # principal components
    candidates: int  # times as many as asked for are ranked again by their true distance
    share: float  # of all rows, those in the cells about the query's own, are searched


DEPTHS = ((64, 2), (96, 2), (128, 3))  # of the quickest and the surest plans, dimensions and candidates
SHARES = (1 / 4, 1 / 8, 1 / 16, 1 / 32)  # or all: of more than a quarter, gathering them costs what it spares


def search_exactly(
    features: np.ndarray, queries: np.ndarray, k: int, memory: float, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of `features` (n, d) nearest to each of the `queries` (m, d), by all distances.

    Returns indices (m, k) int32 and Euclidean distances (m, k) float32, nearest first. Both matrices are read where
    they are, which for mapped files is the disk: pieces of `memory` MB of `features` one after the other, each for all
    queries.
    """
    n, d = features.shape
    indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
    for piece in pieces(n, max(k, fitting(memory, d))):
        for rows in pieces(len(queries), BLOCK):
            found = nearest(queries[rows], features[piece], min(k, piece.stop - piece.start), threads)
            if piece.start:
                both = np.hstack([squared[rows], found[0]]), np.hstack([indices[rows], piece.start + found[1]])
                found = first(k, *both)
            squared[rows], indices[rows] = found
            log.info("neighbors of %d of %d rows, among %d of %d", rows.stop, len(queries), piece.stop, n)
    return indices, np.sqrt(squared)


def find_cells(projected: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The centers (count, dimensions) of so many cells of projected rows (n, dimensions) float32, by k-means."""
    some = np.random.default_rng(seed).permutation(len(projected))[: ROWS_A_CELL * count]
    with threadpool_limits(1):  # with several threads, sums are in any order
        means = KMeans(count, init="random", n_init=1, max_iter=8, random_state=seed).fit(projected[some])
    return means.cluster_centers_


def cell_of(centers: np.ndarray, projected: np.ndarray, threads: int) -> np.ndarray:
    """The cell, by its center, of each projected row (m, dimensions), (m,)."""
    return nearest(projected, centers, 1, threads)[1][:, 0]


class ProjectedSearch:
    """A search by the first principal components, whose candidates are ranked again by their full distance.

    Rows and queries are put into cells, by k-means: queries of one cell are searched together, among the rows of the
    nearest cells, and have most of their candidates in common, which are then found in the processor's cache.
    """

    def __init__(self, features: np.ndarray, seed: int, memory: float, threads: int) -> None:
        """Of `features` (n, d) float32, of which `memory` MB are held at once."""
        self.features, self.memory, self.threads = features, memory, threads
        self.frame = principal_components(features, DEPTHS[-1][0], seed, memory)
        projected = project(features, *self.frame, memory)
        cells = 2 * math.isqrt(len(projected))
        self.centers = find_cells(projected, cells, seed)
        membership = cell_of(self.centers, projected, threads)
        self.order = np.argsort(membership, kind="stable").astype(np.int32)
        self.projected = projected[self.order]
        self.bounds = np.searchsorted(membership[self.order], np.arange(cells + 1))
        self.nearest_cells = np.argsort(cdist(self.centers, self.centers), axis=1)

    def rows_about(self, cell: int, least: int) -> np.ndarray:
        """Places in `order` of at least so many rows, those of whole cells, the nearest first."""
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
                found[block] = self.order[nearest(asked[block], rows, count, self.threads)[1]]
                log.info("candidates of %d of %d rows", block.stop, len(asked))
            return found
        least = max(int(plan.share * len(rows)), 4 * count)

        def search(run: tuple[int, int]) -> tuple[int, int]:
            about = self.rows_about(cells[run[0]], least)
            found[slice(*run)] = self.order[about[nearest_of_few(asked[slice(*run)], rows[about], count)[1]]]
            return run

        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        for start, stop in side_by_side(search, pairwise([*starts.tolist(), len(cells)]), self.threads):
            if stop // BLOCK > start // BLOCK:
                log.info("candidates of %d of %d rows", stop, len(asked))
        return found

    def __call__(self, queries: np.ndarray, k: int, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """The k rows nearest to each of the queries (m, d): indices (m, k) int32 and distances (m, k) float32."""
        projected = project(queries, *self.frame, self.memory)
        cells = cell_of(self.centers, projected, self.threads)
        order = np.argsort(cells, kind="stable")
        count = min(plan.candidates * k, len(self.features))
        indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
        for block in pieces(len(queries), fitting(self.memory, 2 * count)):
            rows = order[block]
            near = self.candidates(projected[rows], cells[rows], count, plan)
            distances = squared_distances(self.features, queries, rows, near, self.memory, self.threads)
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


def make_search(features: np.ndarray, k: int, seed: int, memory: float, threads: int) -> tuple[Search, dict[str, Any]]:
    """A search for k neighbors among `features` (n, d) float32, by Euclidean distance; its `method` and `recall`.

    Many wide rows are searched by their first principal components, in the nearest cells, and the candidates ranked
    again by their full distance ("projected", else "exact"). How far that has to go is found out on a sample of exact
    queries, as is the recall, the share of the true neighbors that is found; below MIN_RECALL the search is exact after
    all. Features of more than `memory` MB are searched in pieces. The result is the same with any number of threads.
    Raises UserError if there are not more than k rows.
    """
    n, d = features.shape
    if k >= n:
        raise UserError(
            f"{k} neighbors of each image are asked for (three times tsne.perplexity, and at least 30), "
            f"and there are {n} images: give more, or lower tsne.perplexity"
        )
    exact = partial(search_exactly, features, memory=memory, threads=threads)
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        count = min(SAMPLE, fitting(memory, d))
        sample = np.sort(np.random.default_rng(seed).choice(n, count, replace=False))
        projected = ProjectedSearch(features, seed, memory, threads)
        plan, share = plan_search(projected, sample, search_others(exact, features[sample], sample, k)[0])
        if share >= MIN_RECALL:
            return partial(projected, plan=plan), {"method": "projected", "recall": share}
        log.info("less than %.3f: searching exactly", MIN_RECALL)
    return exact, {"method": "exact", "recall": 1.0}
