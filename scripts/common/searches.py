"""Searches for nearest neighbors, exact and by principal components."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from common.components import BLOCK_MB, SAMPLE_MB, principal_components, project
from common.jobs import UserError
from common.nearest import NearestSoFar, first, limits_among, nearest, side_by_side, squared_distances, squared_lengths
from common.neighbors import without_self
from common.pieces import fitting, pieces

log = logging.getLogger("workflow")

Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # of queries (m, d), so many neighbors each

SAMPLE = 500  # rows by whose exact neighbors a search is planned, and as many others that its recall is measured on
MIN_RECALL = 0.999  # below it, the search is exact after all
DEEP_RECALL, GOOD_RECALL = 0.9997, 0.9996  # looked for in all cells, and in as many as then are enough
CELLS, CELL_DIMENSIONS = 4, 64  # times the square root of the number of rows; principal components
ROWS_A_CELL = 10  # for k-means
QUERIES = 2048  # that visit the cells together
BLOCK = 10_000  # rows searched at once, between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 128  # up to here an exact search is as fast


class Plan(NamedTuple):
    """How an inexact search is made."""

    dimensions: int  # principal components
    candidates: int  # times as many as asked for are ranked again by their true distance
    visits: int  # how many of the cells are searched, those whose centers are nearest to the query


# Dimensions and candidates, from the quickest plan to the surest
DEPTHS = ((64, 2), (96, 2), (128, 2), (192, 2), (192, 4))


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


def squared_lengths_about(mean: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The squared distance of each row of features (n, d) from their mean (d,): (n,) float32."""
    lengths = np.empty(len(features), np.float32)
    for rows in pieces(len(features), fitting(BLOCK_MB, features.shape[1])):
        lengths[rows] = squared_lengths(features[rows] - mean)
    return lengths


def find_cells(projected: np.ndarray, count: int, rows_a_cell: int, seed: int) -> np.ndarray:
    """The centers (count, dimensions) of so many cells of projected rows (n, dimensions) float32, by k-means.

    Of a sample, of `rows_a_cell` times as many rows.
    """
    some = np.random.default_rng(seed).permutation(len(projected))[: rows_a_cell * count]
    return k_means(projected[some], count, seed).cluster_centers_


def k_means(rows: np.ndarray, count: int, seed: int) -> KMeans:
    """So many cells of the rows (n, dimensions) float32; the same with any number of threads."""
    with threadpool_limits(1):  # with several, sums are in any order
        return KMeans(count, init="random", n_init=1, max_iter=8, random_state=seed).fit(rows)


def cell_of(centers: np.ndarray, projected: np.ndarray, threads: int) -> np.ndarray:
    """The cell, by its center, of each projected row (m, dimensions), (m,)."""
    return nearest(projected, centers, 1, threads)[1][:, 0]


class ProjectedSearch:
    """A search by the first principal components, whose candidates are ranked again by their full distance.

    Rows are put into cells, by k-means, and each query looks into those whose centers are nearest to it, as inverted
    files do (Jegou, Douze and Schmid 2011, https://doi.org/10.1109/TPAMI.2010.57). Queries that are near to each other
    visit the cells together: a cell's rows are multiplied by all the queries that look into it.
    """

    def __init__(self, features: np.ndarray, seed: int, memory: float, threads: int) -> None:
        """Of `features` (n, d) float32, of which `memory` MB are held at once."""
        self.features, self.memory, self.threads = features, memory, threads
        self.frame = principal_components(features, min(DEPTHS[-1][0], features.shape[1]), seed)
        projected = project(features, *self.frame)
        cells = CELLS * math.isqrt(len(projected))
        centers = find_cells(self.in_cells(projected), cells, ROWS_A_CELL, seed)
        neighborhoods = k_means(centers, math.isqrt(cells), seed).labels_
        self.centers = centers[np.argsort(neighborhoods, kind="stable")]  # most that follow each other are near
        self.cells = cell_of(self.centers, self.in_cells(projected), threads)
        self.order = np.argsort(self.cells, kind="stable").astype(np.int32)
        self.projected = projected[self.order]
        self.bounds = np.searchsorted(self.cells[self.order], np.arange(cells + 1))
        self.lengths = squared_lengths_about(self.frame[0], features)[self.order]

    def in_cells(self, projected: np.ndarray) -> np.ndarray:
        """Of projected rows or queries (m, dimensions), what decides on their cells, (m, CELL_DIMENSIONS)."""
        return np.ascontiguousarray(projected[:, :CELL_DIMENSIONS])

    def visits_until(self, sought: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How many cells each of the rows `sought` (m,) has to visit to meet each of `rows` (m, k): (m, k)."""
        queries = self.in_cells(self.projected[np.argsort(self.order)[sought]])
        nearer = np.argsort(cdist(queries, self.centers), axis=1)
        return 1 + np.take_along_axis(np.argsort(nearer, axis=1), self.cells[rows], axis=1)

    def candidates(self, asked: np.ndarray, count: int, plan: Plan) -> np.ndarray:
        """For projected queries (m, dimensions), best near to those before them: rows of the features, (m, count)."""
        in_cells = self.in_cells(asked)
        asked, rows = (np.ascontiguousarray(every[:, : plan.dimensions]) for every in (asked, self.projected))
        # With half the squared length of what its projection leaves out, a row is ranked more as it is by all of it:
        # 128 components of the features of MNIST's conv1 lose 0.07 % of the neighbors in the place of 0.20 %.
        lengths, center_lengths = (squared_lengths(rows) + self.lengths) / 2, squared_lengths(self.centers)
        visits = min(max(plan.visits, math.ceil(4 * count / len(rows) * len(self.centers))), len(self.centers))
        found = np.empty((len(asked), count), np.int32)

        def search(block: slice) -> slice:
            queries = asked[block]
            distances = center_lengths - 2 * (in_cells[block] @ self.centers.T)  # squared, but for one's own length
            own = [np.arange(*self.bounds[cell : cell + 2]) for cell in np.unique(distances.argmin(axis=1))]
            few = np.concatenate(own)[:: max(1, sum(map(len, own)) // (8 * count))]
            so_far = NearestSoFar(queries, count, limits_among(queries, rows[few], lengths[few], count - 1))
            last = np.partition(distances, visits - 1, axis=1)[:, visits - 1]
            visited, visitors = np.nonzero((distances <= last[:, None]).T)
            visitors_of = np.split(visitors, np.searchsorted(visited, np.arange(1, len(self.centers))))
            for cell in np.argsort(distances.min(axis=0)):  # what is near first, so that limits are low soon
                if len(visitors_of[cell]):
                    its = slice(*self.bounds[cell : cell + 2])
                    so_far.compare(visitors_of[cell], rows[its], lengths[its], its.start)
            so_far.compare_few(rows, lengths)  # whose cells are nearly empty
            found[block] = self.order[so_far.found()[1]]
            return block

        for block in side_by_side(search, pieces(len(asked), QUERIES), self.threads):
            if block.stop // BLOCK > block.start // BLOCK:
                log.info("candidates of %d of %d rows", block.stop, len(asked))
        return found

    def __call__(self, queries: np.ndarray, k: int, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """The k rows nearest to each of the queries (m, d): indices (m, k) int32 and distances (m, k) float32."""
        projected = project(queries, *self.frame)
        order = np.argsort(cell_of(self.centers, self.in_cells(projected), self.threads), kind="stable")
        count = min(plan.candidates * k, len(self.features))
        indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
        for block in pieces(len(queries), fitting(self.memory, 2 * count)):
            rows = order[block]
            near = self.candidates(projected[rows], count, plan)
            distances = squared_distances(self.features, queries, rows, near, self.memory, self.threads)

            def rank(
                some: slice, rows: np.ndarray = rows, distances: np.ndarray = distances, near: np.ndarray = near
            ) -> None:
                squared[rows[some]], indices[rows[some]] = first(k, distances[some], near[some])

            for _ in side_by_side(rank, pieces(len(rows), QUERIES), self.threads):
                pass
        return indices, np.sqrt(squared)


def plan_search(search: ProjectedSearch, sample: np.ndarray, exact: np.ndarray) -> list[Plan]:
    """The quickest plan by which `search` finds GOOD_RECALL of the neighbors, and a surer one; or only the surest.

    Judged by the rows `sample` (m,) of what is searched, and their `exact` neighbors (m, k).
    """
    queries, k = search.features[sample], exact.shape[1]
    for depth in DEPTHS:
        everywhere = Plan(*depth, visits=len(search.centers))
        indices, _ = search_others(partial(search, plan=everywhere), queries, sample, k)
        share = recall(indices, exact)
        log.info("%d components, %d k candidates, all %d cells: recall %.4f", *everywhere, share)
        if share >= DEEP_RECALL:
            break
    if share < GOOD_RECALL:
        return [everywhere]
    # where fewer cells are searched, none that was found is lost but with its own
    found = (exact[:, :, None] == indices[:, None, :]).any(axis=2)
    visits = np.sort(search.visits_until(sample, exact)[found])[math.ceil(GOOD_RECALL * exact.size) - 1]
    return [everywhere._replace(visits=int(visits)), everywhere]


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
    queries, and on another the recall, the share of the true neighbors that is found; below MIN_RECALL the search is
    exact after all. Features of more than `memory` MB are searched in pieces. The result is the same with any number of
    threads. Raises UserError if there are not more than k rows.
    """
    n, d = features.shape
    if k >= n:
        raise UserError(
            f"{k} neighbors of each image are asked for (three times tsne.perplexity, and at least 30), "
            f"and there are {n} images: give more, or lower tsne.perplexity"
        )
    exact = partial(search_exactly, features, memory=memory, threads=threads)
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        count = max(1, min(SAMPLE, fitting(SAMPLE_MB, d) // 2))
        drawn = np.random.default_rng(seed).choice(n, (2, count), replace=False)
        (planned, known), (checked, true) = (
            (rows, search_others(exact, features[rows], rows, k)[0]) for rows in np.sort(drawn)
        )
        projected = ProjectedSearch(features, seed, memory, threads)
        for plan in plan_search(projected, planned, known):
            search = partial(projected, plan=plan)
            share = recall(search_others(search, features[checked], checked, k)[0], true)
            log.info("%d components, %d k candidates, %d cells: recall %.4f, of others", *plan, share)
            if share >= MIN_RECALL:
                return search, {"method": "projected", "recall": share}
        log.info("less than %.3f: searching exactly", MIN_RECALL)
    return exact, {"method": "exact", "recall": 1.0}
